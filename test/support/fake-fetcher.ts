import type { Silence } from '#src/kafka/fetch-types.js';
import type { Fetcher, LaneStatus } from '#src/kafka/fetcher.js';
import { RecordType } from '#src/ring/layout.js';
import type { RingWriter } from '#src/ring/writer.js';

export interface FakeLane {
  incarnation: number;
  position: bigint;
  endOffset: bigint | null;
  /** Set by the test; data ends it. */
  silence: Silence | null;
}

/** A fetcher whose broker is the test: what `deliver` is given goes into the lane's ring, as fetched from its position. */
export class FakeFetcher {
  readonly lanes = new Map<number, FakeLane>();
  /** Each call in a line: `add 3 from 17`, `remove 3`, `seek 3 to 20`. */
  readonly calls: string[] = [];
  readonly #ringOf: (partition: number) => RingWriter;

  constructor(ringOf: (partition: number) => RingWriter) {
    this.#ringOf = ringOf;
  }

  /** In the place of the real one. */
  get asFetcher(): Fetcher {
    return this as unknown as Fetcher;
  }

  addLane(start: { partition: number; incarnation: number; offset: bigint; endOffset?: bigint }): void {
    const { partition, incarnation, offset, endOffset = null } = start;
    if (this.lanes.has(partition)) throw new Error(`lane ${partition} is fetched already`);
    this.calls.push(`add ${partition} from ${offset}`);
    this.lanes.set(partition, { incarnation, position: offset, endOffset, silence: null });
  }

  removeLane(partition: number, incarnation: number): void {
    if (this.lanes.get(partition)?.incarnation !== incarnation) return;
    this.calls.push(`remove ${partition}`);
    this.lanes.delete(partition);
  }

  seekLane(partition: number, incarnation: number, offset: bigint): void {
    const lane = this.lanes.get(partition);
    if (lane?.incarnation !== incarnation) return;
    this.calls.push(`seek ${partition} to ${offset}`);
    lane.position = offset;
    const header = { type: RecordType.seek, partition, incarnation, offset, aux: 0n };
    this.#ringOf(partition).command(header, new Uint8Array(0));
  }

  laneStatus(partition: number): LaneStatus | undefined {
    const lane = this.lanes.get(partition);
    if (lane === undefined) return undefined;
    return {
      incarnation: lane.incarnation,
      position: lane.position,
      readableEnd: null,
      logStartOffset: null,
      atEnd: false,
      atEndSinceMonotonicMs: null,
      silence: lane.silence,
      leader: 1,
      blockedByRing: false,
      waitsFor: null,
      halted: null,
    };
  }

  /** Puts batches that reach to `nextOffset` into the lane's ring. False: no room, or the lane is not fetched. */
  deliver(partition: number, bytes: Uint8Array, nextOffset: bigint): boolean {
    const lane = this.lanes.get(partition);
    if (lane === undefined) return false;
    const ring = this.#ringOf(partition);
    const claim = ring.tryClaim(bytes.byteLength);
    if (claim === null) return false;
    claim.bytes.set(bytes);
    const { incarnation, position: offset } = lane;
    ring.commit({ type: RecordType.data, partition, incarnation, offset, aux: nextOffset }, bytes.byteLength);
    lane.position = nextOffset;
    lane.silence = null;
    return true;
  }
}
