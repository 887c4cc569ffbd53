import type { Clock } from '../clock.js';
import type { Isolation } from '../config/types.js';
import { HeadraceError, messageOf } from '../errors.js';
import type { Random } from '../random.js';
import type { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { Backoff } from './backoff.js';
import type { Cluster } from './cluster.js';
import type { Topic } from './topic.js';
import { KafkaErrorCode, nameOfError } from './wire/error-codes.js';
import {
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  type ListedOffset,
  listOffsetsApi,
} from './wire/list-offsets.js';

/**
 * earliest: the log's start; latest: the end of what can be read, which is the high watermark or, read committed, the last
 * stable offset; a time: the first record that is as late, or what `latest` says when there is none.
 */
export type OffsetSpec = 'earliest' | 'latest' | { timestampMs: number };

const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;

/** Asks each partition's leader until all have answered. Throws KAFKA_UNREACHABLE when the cluster is closed. */
export async function listOffsets(
  cluster: Cluster,
  { clock, random }: { clock: Clock; random: Random },
  log: RepeatLimitedLog,
  topic: Topic,
  partitions: readonly number[],
  spec: OffsetSpec,
  isolation: Isolation,
): Promise<Map<number, bigint>> {
  const found = new Map<number, bigint>();
  const asked = new Map<number, bigint>(partitions.map((partition) => [partition, timestampOf(spec)]));
  const backoff = new Backoff(random, BACKOFF_FIRST_MS, BACKOFF_MAX_MS);
  for (;;) {
    const troubles = await askLeaders(cluster, topic, isolation, asked, found);
    if (asked.size === 0) return found;
    if (topic.replacedBy !== null) {
      throw new HeadraceError('KAFKA_TOPIC_CHANGED', 'the topic was deleted and made again', {
        where: { topic: topic.name },
      });
    }
    if (troubles.length === 0) continue; // some had no record as late and are asked for their end now
    log.warn(
      `offsets ${topic.name}`,
      { topic: topic.name, partitions: [...asked.keys()], error: troubles[0] },
      'offsets are not known yet; asking again',
    );
    await clock.sleep(backoff.nextMs(), cluster.closing);
    await cluster.refresh();
  }
}

function timestampOf(spec: OffsetSpec): bigint {
  if (spec === 'earliest') return EARLIEST_TIMESTAMP;
  return spec === 'latest' ? LATEST_TIMESTAMP : BigInt(Math.floor(spec.timestampMs));
}

/** One round: moves what was answered from `asked` to `found`, and returns what went wrong. */
async function askLeaders(
  cluster: Cluster,
  topic: Topic,
  isolation: Isolation,
  asked: Map<number, bigint>,
  found: Map<number, bigint>,
): Promise<string[]> {
  const troubles: string[] = [];
  const byLeader = new Map<number, number[]>();
  for (const partition of asked.keys()) {
    const leader = topic.leader(partition);
    if (leader === undefined) troubles.push(`partition ${partition} has no leader`);
    else byLeader.set(leader.nodeId, [...(byLeader.get(leader.nodeId) ?? []), partition]);
  }
  const take = (answer: ListedOffset) => {
    const timestamp = asked.get(answer.partition);
    if (timestamp === undefined) return;
    if (answer.errorCode !== KafkaErrorCode.NONE) {
      troubles.push(`partition ${answer.partition}: ${nameOfError(answer.errorCode)}`);
    } else if (answer.offset >= 0n) {
      found.set(answer.partition, answer.offset);
      asked.delete(answer.partition);
    } else if (timestamp >= 0n) {
      asked.set(answer.partition, LATEST_TIMESTAMP);
    } else {
      troubles.push(`partition ${answer.partition}: the broker gave no offset`);
    }
  };
  await Promise.all(
    [...byLeader].map(async ([nodeId, partitions]) => {
      try {
        const connection = await cluster.connection(nodeId, 'control');
        const response = await connection.send(listOffsetsApi, {
          topic: topic.name,
          isolation,
          partitions: partitions.map((partition) => ({
            partition,
            currentLeaderEpoch: topic.leader(partition)?.epoch ?? -1,
            timestamp: asked.get(partition)!,
          })),
        });
        const answers = response.topics.flatMap(({ partitions: answered }) => answered);
        answers.forEach(take);
        if (answers.length < partitions.length)
          troubles.push(`${cluster.nameOf(nodeId)} left partitions out`);
      } catch (error) {
        troubles.push(messageOf(error));
      }
    }),
  );
  return troubles;
}
