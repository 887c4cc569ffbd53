import { HeadraceError, messageOf } from '../../errors.js';
import type { ObjectStore } from '../store/store.js';
import type { Action } from './actions.js';
import type { CheckpointFiles } from './checkpoint.js';
import { CHECKPOINT_KINDS, type CheckpointKind } from './checkpoint-rows.js';
import { readSeal, sumOf } from './checkpoint-seal.js';
import { decodeAction } from './decode.js';
import { parseSchema } from './schema.js';

export interface OpenedCheckpoint {
  version: number;
  actions: Action[];
  /** Of its seal; null: it is another tool's. */
  note: unknown;
}

const FILE_KINDS: ReadonlySet<CheckpointKind> = new Set(['add', 'remove']);

/**
 * The actions that a checkpoint holds; those of files only if they are wanted: there may be a million. `strict`: one of ours that is
 * not as it was sealed is damaged; else it is taken for another tool's.
 *
 * @throws HeadraceError LAKE_LOG_CORRUPT, LAKE_NOT_OURS, LAKE_IO
 */
export async function openCheckpoint(
  store: ObjectStore,
  { version, paths }: CheckpointFiles,
  { withFiles, strict }: { withFiles: boolean; strict: boolean },
): Promise<OpenedCheckpoint> {
  const seal = paths.length === 1 ? await readSeal(store, version) : null;
  const kinds = CHECKPOINT_KINDS.filter((kind) => withFiles || !FILE_KINDS.has(kind));
  const actions: Action[] = [];
  let { note = null } = seal ?? {};
  for (const path of paths) {
    const bytes = await store.get(path);
    if (bytes === null) throw unreadable(version, path, 'it is not there');
    if (seal !== null && (seal.sizeBytes !== bytes.byteLength || seal.sha256 !== sumOf(bytes))) {
      if (strict) throw unreadable(version, path, 'its bytes are not those that were written');
      note = null;
    }
    // heavy packages, needed once if ever
    const { readRows } = await import('./checkpoint-read.js');
    try {
      for (const { kind, value } of readRows(bytes, kinds))
        actions.push(decodeAction(kind, value, { version, path }));
    } catch (error) {
      if (error instanceof HeadraceError) throw error;
      throw unreadable(version, path, messageOf(error), error);
    }
  }
  check(version, paths[0]!, actions);
  return { version, actions, note };
}

function check(version: number, path: string, actions: readonly Action[]): void {
  for (const needed of ['protocol', 'metaData']) {
    if (!actions.some((action) => needed in action)) throw unreadable(version, path, `it has no ${needed}`);
  }
  for (const action of actions) {
    if ('metaData' in action) parseSchema(action.metaData.schemaString, { version, path });
  }
}

function unreadable(version: number, path: string, why: string, cause?: unknown): HeadraceError {
  return new HeadraceError(
    'LAKE_LOG_CORRUPT',
    `the table's log starts from a checkpoint (version ${version}) that can't be read: ${why}`,
    {
      where: { version, path },
      remedy:
        'let the tool that wrote it write a new one, or bring the older log files back; nothing was written',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
