import type { HeadraceError } from '../errors.js';

export interface FetchLimits {
  /** What one lane asks for at a time. */
  partitionFetchBytes: number;
  /** What all requests that are under way may ask for. */
  fetchBytesInFlight: number;
  /** The cap that the cluster was made with. */
  responseBytesMax: number;
  /** How long a broker may wait for data. */
  maxWaitMs: number;
  minBytes: number;
}

export type FetchEvent =
  /** The lane is not fetched any more; others go on. */
  | { type: 'lane-halted'; partition: number; incarnation: number; error: HeadraceError }
  /** The log lacks the offsets from `from` up to `to`, which was accepted: the lane goes on at `to`. */
  | { type: 'lane-skipped'; partition: number; incarnation: number; from: bigint; to: bigint }
  /** All there is has been handed over, for now or (with an end offset) for good. Once each time the end is reached. */
  | { type: 'lane-at-end'; partition: number; incarnation: number }
  /** The topic was deleted and made again; every lane is halted, one event each behind this one. */
  | { type: 'topic-changed'; topic: string; topicId: string; newTopicId: string };

/** What is known of a partition that brings nothing. By clock.monotonicMs. */
export interface Silence {
  /** When the first request was made that the partition's end answered, behind the last record. */
  fromMs: number;
  /** When the last one was. */
  untilMs: number;
}

/**
 * What a lane stands for that others must bring: records, since it has read all there are or nobody knows of any; a broker that
 * answers; or room in the ring of its worker.
 */
export type LaneWait = 'records' | 'broker' | 'room';

export interface LaneStatus {
  incarnation: number;
  position: bigint;
  /** Behind the last event that can be read now: the last stable offset, or read uncommitted the high watermark. */
  readableEnd: bigint | null;
  logStartOffset: bigint | null;
  /** A fetch was answered and the position has reached the readable end; or it has reached the end offset. */
  atEnd: boolean;
  /** By clock.monotonicMs. */
  atEndSinceMonotonicMs: number | null;
  /** The partition holds nothing behind the position, by answers of brokers; null: it does, or none has said so since. */
  silence: Silence | null;
  /** Node id of the leader, or null while there is none. */
  leader: number | null;
  blockedByRing: boolean;
  waitsFor: LaneWait | null;
  halted: HeadraceError | null;
}
