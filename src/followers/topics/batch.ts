import { isBehind, type LanePosition } from './positions.js';

/** A lane that is ours, on its way through the ledger. */
export interface FollowedLane {
  readonly partition: number;
  readonly appId: string;
  /** Null: not known yet, or not any more. */
  position: LanePosition | null;
  /** What the topic has, and since when (monotonic ms). */
  stored: LanePosition | null;
  storedMs: number;
  /** Does the lake know that its position was written? Before, none of its records is sent. */
  positioned: boolean;
  /** It goes, or has gone: nothing of it is begun any more. */
  leaving: boolean;
}

/**
 * What one transaction carries: records of lanes, and how far they are with it. The lanes' own positions move when it is
 * committed. One that is void must not be committed: a lane in it is not ours any more.
 */
export class Batch {
  readonly #begunMs: number;
  readonly #recordsMax: number;
  readonly #positions = new Map<FollowedLane, LanePosition>();
  #finish = () => {};
  readonly finished: Promise<void>;
  records = 0;
  letters = 0;
  bytes = 0;
  begun = false;
  /** Enough: it is to be committed as it is. */
  enough = false;
  isVoid = false;

  constructor(begunMs: number, recordsMax = RECORDS_MAX) {
    this.#begunMs = begunMs;
    this.#recordsMax = recordsMax;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  position(lane: FollowedLane): LanePosition {
    return this.#positions.get(lane) ?? lane.position!;
  }

  /** The lane takes part from now on, and will stand there. */
  move(lane: FollowedLane, position: LanePosition): void {
    this.#positions.set(lane, position);
  }

  get lanes(): { lane: FollowedLane; position: LanePosition }[] {
    return [...this.#positions].map(([lane, position]) => ({ lane, position }));
  }

  carries(partitions: ReadonlySet<number>): boolean {
    return [...this.#positions.keys()].some(({ partition }) => partitions.has(partition));
  }

  /** A transaction has to end before the broker ends it, and its records wait in memory. */
  isFull(nowMs: number): boolean {
    return (
      this.enough ||
      this.records >= this.#recordsMax ||
      this.bytes >= BYTES_MAX ||
      nowMs - this.#begunMs >= MS_MAX
    );
  }

  /** Has a lane moved whose position in the topic is old? A restart would look at all the versions since again. */
  hasOldPositions(nowMs: number): boolean {
    return this.lanes.some(
      ({ lane, position }) =>
        nowMs - lane.storedMs >= POSITION_MS_MAX && (lane.stored === null || isBehind(lane.stored, position)),
    );
  }

  /** It is in the topics, or there was nothing to send. */
  apply(nowMs: number): void {
    for (const { lane, position } of this.lanes) {
      lane.position = position;
      if (!this.begun) continue;
      lane.stored = position;
      lane.storedMs = nowMs;
    }
  }

  finish(): void {
    this.#finish();
  }
}

const RECORDS_MAX = 20_000;
const BYTES_MAX = 16 * 2 ** 20;
/** Of the broker's 15 s. */
const MS_MAX = 4_000;
const POSITION_MS_MAX = 30_000;
