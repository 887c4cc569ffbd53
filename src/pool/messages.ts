import type { MessagePort } from 'node:worker_threads';
import type { InsertFile, RowProbe } from '../clickhouse/file.js';
import type { ClickHouseTarget } from '../clickhouse/target.js';
import type { LakeConfig, QualityConfig } from '../config/types.js';
import type { SessionEngineName } from '../config/worker-memory.js';
import type { PlainError } from '../errors.js';
import type { StoreRetry } from '../lake/store/store-retries.js';
import type { RecordRequest } from '../ledger/record-pack.js';
import type { EvictionOrder, LaneTally, RecordedCut, SealedReport, SnapshotRef } from '../ledger/types.js';
import type { CompiledModel } from '../model/types.js';

/**
 * What the main thread and a worker say to each other. Commands that must keep their place among the data go through
 * the ring (RecordType); their payloads are here too. Everything else goes over a MessagePort.
 */

/** Ring payload of `assign`: a lane arrives, with all that its recovery needs. */
export interface AssignCommand {
  partition: number;
  incarnation: number;
  /** The lane's id in the ledger. */
  appId: string;
  /** Newest usable snapshot, or null: replay starts at `startOffset`. */
  snapshot: SnapshotRef | null;
  /** Where the lane started (T0). */
  startOffset: bigint;
  /** What the ledger has committed (T): replay up to here has its output off. */
  committedTo: bigint;
  /** Cuts committed after the snapshot's, in order of version; the last one's `to` is `committedTo`. */
  replay: RecordedCut[];
  /** Holds until the first cut. */
  eviction: EvictionOrder;
}

export type { CutCommand } from '../ledger/types.js';

/** Worker → main. */
export type WorkerMessage =
  | { type: 'started'; worker: number; osThreadId: number | null }
  /** The lane's state is there; fetching may start at `nextOffset`. */
  | { type: 'lane-ready'; partition: number; incarnation: number; nextOffset: bigint; openSessions: number }
  /** The lane's snapshot could not be read; the lane waits to be revoked and assigned with another. */
  | {
      type: 'lane-snapshot-unusable';
      partition: number;
      incarnation: number;
      path: string;
      error: PlainError;
    }
  /** The replay has reached the ledger: the lane takes part in cuts from now on. */
  | { type: 'lane-live'; partition: number; incarnation: number }
  | { type: 'lane-revoked'; partition: number; incarnation: number }
  /** A batch did not check out; the lane waits for a `seek` to `offset`. */
  | { type: 'lane-corrupt'; partition: number; incarnation: number; offset: bigint; error: PlainError }
  /** The lane stands still for good; others go on. */
  | { type: 'lane-halted'; partition: number; incarnation: number; error: PlainError }
  | { type: 'sealed'; report: SealedReport }
  /** What its live lanes took since the last one; about once a minute. */
  | { type: 'quality'; lanes: LaneTally[] }
  /** An object store did not do what it was asked; it is asked again. */
  | ({ type: 'store-retry' } & StoreRetry)
  /** Writing a cut's files failed and is being tried again. */
  | { type: 'seal-retry'; cutId: string; worker: number; error: PlainError }
  /**
   * ClickHouse has answered for an `insert`, or will not any more. Null: the file is in. `unknown`: the file may have come
   * in all the same, or may yet.
   */
  | { type: 'inserted'; id: number; error: PlainError | null; unknown: boolean }
  /** The answer to a `probe`; a probe of null: the file's rows cancel each other, nothing tells whether it is in. */
  | { type: 'probed'; id: number; error: PlainError | null; probe: RowProbe | null }
  /** A part of a file as records (src/ledger/record-pack.ts). `more`: of what was asked for, more follows. */
  | {
      type: 'records';
      id: number;
      error: PlainError | null;
      bytes: Uint8Array<ArrayBuffer> | null;
      /** By lane: how many of those that were to be passed over lie in this file. */
      skipped: [partition: number, records: number][];
      more: boolean;
    };

/** Main → worker, beside the ring: what must not wait behind its data. */
export type MainMessage =
  /** These lanes take no more data: they stand where they are, whatever still lies in the ring for them. */
  | { type: 'freeze'; lanes: { partition: number; incarnation: number }[] }
  /** Insert the file into ClickHouse, answered by `inserted` with the same id. One at a time. */
  | { type: 'insert'; id: number; file: InsertFile }
  /** Give an `insert` up: it is answered at once, as one whose outcome is not known. */
  | { type: 'insert-cancel'; id: number }
  /** These files need not be kept in memory any more. */
  | { type: 'insert-forget'; paths: string[] }
  /** Find a row in the file by which ClickHouse can be asked whether it has the file; answered by `probed`. */
  | { type: 'probe'; id: number; file: InsertFile }
  /** Read a part of a file as records for a topic; answered by `records`. */
  | { type: 'read-records'; id: number; request: RecordRequest };

/** What a worker's task is started with. */
export interface WorkerTask {
  worker: number;
  port: MessagePort;
  /** The ring's place in the worker's memory. */
  memory: WebAssembly.Memory;
  ringBaseBytes: number;
  ringCapacityBytes: number;
  counters: SharedArrayBuffer;
  /** Where the table lies. */
  table: LakeConfig;
  topic: string;
  model: CompiledModel;
  engine: SessionEngineName;
  /** See EngineConfig.limits. */
  limits: { sessionMemoryBytes: number; recordBytesMax: number; decompressedBatchBytesMax: number };
  /** Null: files are not inserted, and none is kept for it. */
  clickhouse: ClickHouseTarget | null;
  /** Null: dead letters stop nothing. */
  quality: QualityConfig | null;
}

/** How a worker's task ended. */
export interface WorkerResult {
  worker: number;
  events: number;
}
