import { NO_TOPIC_ID, type PartitionInfo, type TopicInfo } from './wire/metadata.js';

export interface Leader {
  nodeId: number;
  /** −1: not known. */
  epoch: number;
}

/** What a refresh meant for a topic. */
export type TopicUpdate = 'same' | 'leaders-moved' | 'another-topic';

/**
 * A topic as the brokers last described it. It lives as long as its topic id: a topic that was deleted and made again
 * under the same name is another stream, and this one then stays `replacedBy` for good.
 */
export class Topic {
  readonly name: string;
  /** 32 hex digits. */
  readonly topicId: string;
  readonly #leaders = new Map<number, Leader>();
  #replacedBy: string | null = null;

  constructor(name: string, info: TopicInfo) {
    this.name = name;
    this.topicId = info.topicId;
    this.#takeLeaders(info.partitions);
  }

  /** The id of the topic that has the name now, or null. */
  get replacedBy(): string | null {
    return this.#replacedBy;
  }

  /** Ascending. */
  get partitions(): number[] {
    return [...this.#leaders.keys()].sort((a, b) => a - b);
  }

  /** Undefined: no such partition, or it has no leader now. */
  leader(partition: number): Leader | undefined {
    const leader = this.#leaders.get(partition);
    return leader === undefined || leader.nodeId < 0 ? undefined : leader;
  }

  get leaderless(): boolean {
    return [...this.#leaders.values()].some(({ nodeId }) => nodeId < 0);
  }

  update(info: TopicInfo): TopicUpdate {
    if (this.#replacedBy !== null) return 'same';
    if (info.topicId !== this.topicId && info.topicId !== NO_TOPIC_ID && this.topicId !== NO_TOPIC_ID) {
      this.#replacedBy = info.topicId;
      return 'another-topic';
    }
    return this.#takeLeaders(info.partitions) ? 'leaders-moved' : 'same';
  }

  /** A broker that lags behind describes an older leader: within one topic id the higher epoch is the newer one. */
  #takeLeaders(partitions: readonly PartitionInfo[]): boolean {
    let moved = false;
    for (const { partition, leaderId, leaderEpoch } of partitions) {
      const known = this.#leaders.get(partition);
      if (known !== undefined && leaderEpoch >= 0 && leaderEpoch < known.epoch) continue;
      if (known?.nodeId === leaderId && known.epoch === leaderEpoch) continue;
      this.#leaders.set(partition, { nodeId: leaderId, epoch: leaderEpoch });
      moved = true;
    }
    return moved;
  }
}
