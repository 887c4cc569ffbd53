import { parentPort, workerData } from 'node:worker_threads';
import type { LakeConfig } from '../config/types.js';
import { HeadraceError, messageOf, type PlainError } from '../errors.js';
import { openStore } from '../lake/store/open-store.js';
import { type CheckpointRequest, type CheckpointResult, checkpointLedger } from './checkpoint-job.js';

/** One checkpoint in a thread of its own: a table of many files costs seconds, and the commits go on meanwhile. */
export interface CheckpointTask extends CheckpointRequest {
  /** Of the table. */
  place: LakeConfig;
}

export type CheckpointReply =
  | { kind: 'damaged'; error: PlainError }
  | { kind: 'done'; result: CheckpointResult }
  | { kind: 'failed'; error: PlainError };

async function run({ place, ...request }: CheckpointTask): Promise<CheckpointReply> {
  try {
    const store = await openStore(place);
    const onDamaged = (error: HeadraceError) => reply({ kind: 'damaged', error: error.toPlain() });
    return { kind: 'done', result: await checkpointLedger(store, request, onDamaged) };
  } catch (error) {
    const typed =
      error instanceof HeadraceError
        ? error
        : new HeadraceError('INVARIANT', `a checkpoint failed: ${messageOf(error)}`);
    return { kind: 'failed', error: typed.toPlain() };
  }
}

function reply(message: CheckpointReply): void {
  parentPort!.postMessage(message);
}

reply(await run(workerData as CheckpointTask));
