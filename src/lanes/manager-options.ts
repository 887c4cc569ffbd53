import type { Clock } from '../clock.js';
import type { OffsetsFollower } from '../followers/offsets.js';
import type { Fetcher } from '../kafka/fetcher.js';
import type { Ledger } from '../ledger/ledger.js';
import type { EvictionOrder } from '../ledger/types.js';
import type { MainMessage } from '../pool/messages.js';
import type { RingWriter } from '../ring/writer.js';
import type { Log } from '../telemetry/log.js';
import type { LaneFollower } from './lane-follower.js';
import type { SnapshotJanitor } from './snapshot-janitor.js';

/** What the manager of the lanes works with, and by which rules. */
export interface LaneManagerOptions {
  ledger: Ledger;
  rings: readonly RingWriter[];
  /** Tells a worker something that must not wait behind its ring's data. */
  post(worker: number, message: MainMessage): void;
  fetcher: Fetcher;
  offsets: OffsetsFollower;
  /** Null: none. */
  follower: LaneFollower | null;
  janitor: SnapshotJanitor;
  clock: Clock;
  log: Log;
  topic: string;
  snapshotIntervalMs: number;
  /** How workers make room when their session memory fills. */
  eviction: EvictionOrder;
  /** The model's: a lane silent for so long has its watermark moved. */
  idleTimeoutMs: number;
  /** The model's emit.early: open sessions that changed are let out so often; null or left out: never. */
  earlyEveryMs?: number | null;
  /** Offsets to start from, for lanes that the ledger does not know: these, and those that must begin with them. */
  startOffsets(partitions: number[]): Promise<ReadonlyMap<number, bigint>>;
  /** Bounded run: where the input of each lane ends; null: it does not. */
  endOffsets: ReadonlyMap<number, bigint> | null;
  /** The broker that leads a partition, for messages. */
  leaderOf(partition: number): string | undefined;
  /** The last of the lanes that were on their way back is live: they have something to commit. */
  onRecovered?(): void;
  onFatal(error: unknown): void;
}
