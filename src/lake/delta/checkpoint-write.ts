import { HeadraceError } from '../../errors.js';
import type { ObjectStore } from '../store/store.js';
import { checkpointPath, tellLastCheckpoint } from './checkpoint.js';
import { encodeCheckpoint } from './checkpoint-encode.js';
import { readRows } from './checkpoint-read.js';
import { CHECKPOINT_KINDS, type CheckpointRow, rowText } from './checkpoint-rows.js';
import { sumOf, writeSeal } from './checkpoint-seal.js';
import { readRowsAgain } from './checkpoint-second-reader.js';
import { CheckpointState } from './checkpoint-state.js';
import { DeltaLog, type OpenOptions } from './log.js';

/**
 * Writes a checkpoint of the newest version, from the newest checkpoint before it and the versions since: what that costs goes by the
 * table's files, never by the length of its log. Apart from the engine's commits, and best in a thread of its own.
 *
 * It gets its name only when two readers that share no code have found in its bytes what was put in, and is pointed to
 * (`_last_checkpoint`) only when the store has given those very bytes back.
 */
export interface CheckpointOptions {
  nowMs: number;
  /** Told of all that the checkpoint stands for, as when a log is opened. */
  follow?: Pick<OpenOptions, 'onCheckpoint' | 'onVersion' | 'onDamaged'>;
  /** What is sealed with it, once all has been told. `files`: the paths that it names, in its order. */
  note?(files: readonly string[]): unknown;
}

export interface WrittenCheckpoint {
  version: number;
  files: number;
  sizeBytes: number;
}

/**
 * Null: the newest version has one already.
 * @throws HeadraceError LAKE_LOG_CORRUPT, LAKE_NOT_OURS, LAKE_IO; INVARIANT when a reader finds something else in it: nothing is
 *   published then
 */
export async function writeCheckpoint(
  store: ObjectStore,
  { nowMs, follow = {}, note = () => null }: CheckpointOptions,
): Promise<WrittenCheckpoint | null> {
  const state = new CheckpointState();
  let begun = -1;
  const log = await DeltaLog.open(store, {
    fromCheckpoint: true,
    tellFiles: true,
    ...(follow.onDamaged === undefined ? {} : { onDamaged: follow.onDamaged }),
    onCheckpoint: async (start) => {
      state.clear();
      state.take(start.actions);
      begun = start.version;
      await follow.onCheckpoint?.(start);
    },
    onVersion: async (version) => {
      state.take(version.actions);
      await follow.onVersion?.(version);
    },
  });
  if (log === null || log.version === begun) return null;
  const { version } = log;
  const rows = state.rows(nowMs);
  const bytes = encodeCheckpoint(rows);
  await checkRows(version, rows, bytes);
  await publish(store, version, bytes);
  const sizeBytes = bytes.byteLength;
  const seal = { format: 1, table: log.metaData.id, version, sizeBytes, sha256: sumOf(bytes) } as const;
  await writeSeal(store, { ...seal, note: note(state.paths(nowMs)) });
  await tellLastCheckpoint(store, {
    version,
    size: rows.length,
    sizeInBytes: sizeBytes,
    numOfAddFiles: state.files,
  });
  return { version, files: state.files, sizeBytes };
}

/** Throws HeadraceError INVARIANT naming the reader and the first row in which it finds something else. */
export async function checkRows(
  version: number,
  rows: readonly CheckpointRow[],
  bytes: Uint8Array,
): Promise<void> {
  const expected = rows.map(rowText);
  const readers = [
    ['parquet-wasm', () => readRows(bytes, CHECKPOINT_KINDS)],
    ['hyparquet', () => readRowsAgain(bytes)],
  ] as const;
  for (const [reader, read] of readers) {
    let found: string[];
    try {
      found = (await read()).map(rowText);
    } catch (cause) {
      throw differs(version, reader, 'it cannot read it', cause);
    }
    const at = expected.findIndex((text, index) => found[index] !== text);
    if (at < 0 && found.length === expected.length) continue;
    const what = at < 0 ? `${found.length} rows, not ${expected.length}` : `row ${at} differs`;
    throw differs(version, reader, what);
  }
}

/** What stands there already is another's of the same version, and says the same, or a torn one. */
async function publish(store: ObjectStore, version: number, bytes: Uint8Array): Promise<void> {
  const path = checkpointPath(version);
  await store.put(path, bytes);
  const there = await store.get(path);
  if (there !== null && Buffer.compare(there, bytes) === 0) return;
  throw new HeadraceError('LAKE_IO', 'a checkpoint is not there as it was written', {
    where: { table: store.url, version, path },
    remedy:
      'it is not pointed to, and the log is read without it; look after the storage if this comes again',
  });
}

function differs(version: number, reader: string, what: string, cause?: unknown): HeadraceError {
  return new HeadraceError(
    'INVARIANT',
    `a checkpoint was not published: ${reader} reads something else: ${what}`,
    {
      where: { version },
      remedy: 'the table goes on without it; please report this with the table’s log',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
