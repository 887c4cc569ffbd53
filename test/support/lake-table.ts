import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Seal } from '#src/columnar/encode.js';
import { encodeRows } from '#src/columnar/encode.js';
import { groupByDate } from '#src/columnar/session-date.js';
import type { Action, CommitInfo } from '#src/lake/delta/actions.js';
import type { DeltaLog } from '#src/lake/delta/log.js';
import { partitionFolder } from '#src/lake/delta/path.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { CompiledModel, Row } from '#src/model/types.js';

/** Folders and commits for tests of the lake. */

export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'headrace-lake-')));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function commitInfo(attempt: string, more: Record<string, unknown> = {}): CommitInfo {
  return {
    timestamp: 1_767_225_600_000,
    operation: 'STREAMING UPDATE',
    operationParameters: { outputMode: 'Append' },
    isBlindAppend: true,
    engineInfo: 'headrace/test',
    headrace: { format: 1, attempt, ...more },
  };
}

/** Writes the rows' files, one a date, and answers their adds. */
export async function writeRows(
  store: ObjectStore,
  model: CompiledModel,
  rows: readonly Row[],
  seal: Seal,
): Promise<Action[]> {
  const adds: Action[] = [];
  for (const [date, dated] of groupByDate(model, rows)) {
    const file = encodeRows(model, dated, seal);
    const path = `${partitionFolder('session_date', date)}/part-${seal.fileId}.parquet`;
    await store.put(path, file.bytes);
    adds.push(addOf(path, { session_date: date }, file));
  }
  return adds;
}

export function addOf(
  path: string,
  partitionValues: Record<string, string | null>,
  file: { bytes: Uint8Array; stats: string },
): Action {
  const { bytes, stats } = file;
  return {
    add: {
      path,
      partitionValues,
      size: bytes.length,
      modificationTime: 1_767_225_600_000,
      dataChange: true,
      stats,
    },
  };
}

/** Puts the next version and wants it to be ours. */
export async function commit(log: DeltaLog, attempt: string, actions: readonly Action[]): Promise<void> {
  const outcome = await log.tryCommit(log.version + 1, [{ commitInfo: commitInfo(attempt) }, ...actions]);
  if (outcome !== 'committed') throw new Error(`version ${log.version + 1}: ${outcome}`);
}
