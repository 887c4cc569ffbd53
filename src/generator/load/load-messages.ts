import type { MessagePort } from 'node:worker_threads';
import type { ChunkBatch } from './chunk-writer.js';
import type { LoadSpec } from './load-plan.js';
import type { LoadCounts } from './partition-load.js';
import type { ProducerIdentity } from './record-batch.js';

/** What the thread that sends and one that makes batches say to each other. */
export interface LoadTask {
  spec: LoadSpec;
  /** Partitions are this worker's whose number leaves `worker` when divided by `workers`. */
  worker: number;
  workers: number;
  producer: ProducerIdentity;
  port: MessagePort;
}

/** Main → worker: one answer each. */
export type LoadOrder =
  /** `used`: an earlier chunk, which is done with. */
  | { type: 'make'; untilMs: number; recordsMax: number; used?: ArrayBuffer }
  /** The task ends. */
  | { type: 'end' };

/** Worker → main. */
export type LoadAnswer =
  /** Its films and users are there. */
  | { type: 'ready' }
  | {
      type: 'made';
      bytes: ArrayBuffer;
      /** Empty: nothing before the time that was named. */
      batches: ChunkBatch[];
      /** Of all partitions, since the beginning. */
      counts: LoadCounts;
      /** Where event time stands. */
      nowMs: number;
      /** Nothing will come any more. */
      isDone: boolean;
    };
