import { HeadraceError, messageOf } from '../../errors.js';
import type { ObjectStore } from '../store/store.js';
import type { Action } from './actions.js';
import { decodeActions } from './decode.js';
import { checkpointOf } from './path.js';

/**
 * Checkpoints, which other tools write over our log and may clean it behind: what all versions up to one add up to, as Parquet
 * files of one action a row. Classic ones are read, whole or in parts; we write none ourselves.
 *
 *   N.checkpoint.parquet │ N.checkpoint.<part>.<parts>.parquet │ _last_checkpoint: { version, size, parts? }
 */

/** A checkpoint all of whose parts are there. */
export interface CheckpointFiles {
  version: number;
  paths: string[];
}

const LAST_CHECKPOINT = '_delta_log/_last_checkpoint';
const WHOLE = /\.checkpoint\.parquet$/;
const PART = /\.checkpoint\.(\d{10})\.(\d{10})\.parquet$/;

/** The newest checkpoint of a listed log that is there whole, or null. */
export function newestCheckpoint(paths: readonly string[]): CheckpointFiles | null {
  const versions = new Map<number, string[]>();
  for (const path of paths) {
    const version = checkpointOf(path);
    if (version !== null) versions.set(version, [...(versions.get(version) ?? []), path]);
  }
  for (const version of [...versions.keys()].sort((a, b) => b - a)) {
    const files = wholeOf(versions.get(version)!);
    if (files !== null) return { version, paths: files };
  }
  return null;
}

function wholeOf(paths: readonly string[]): string[] | null {
  const whole = paths.find((path) => WHOLE.test(path));
  if (whole !== undefined) return [whole];
  const byCount = new Map<number, Map<number, string>>();
  for (const path of paths) {
    const match = PART.exec(path);
    if (match === null) continue;
    const [part, parts] = [Number(match[1]), Number(match[2])];
    byCount.set(parts, (byCount.get(parts) ?? new Map<number, string>()).set(part, path));
  }
  for (const [parts, found] of byCount) {
    if (found.size === parts) return [...found].sort(([a], [b]) => a - b).map(([, path]) => path);
  }
  return null;
}

/** The version that the newest checkpoint is said to reach to, or −1. Throws HeadraceError LAKE_IO. */
export async function lastCheckpoint(store: ObjectStore): Promise<number> {
  const bytes = await store.get(LAST_CHECKPOINT);
  if (bytes === null) return -1;
  try {
    const { version } = JSON.parse(Buffer.from(bytes).toString()) as { version?: unknown };
    return typeof version === 'number' ? version : -1;
  } catch {
    // a hint that can't be read is none: readers list the log then
    return -1;
  }
}

/** What of a checkpoint is read. Its removes tell of files that a vacuum may still find; they count no more. */
const FIELDS = {
  protocol: ['minReaderVersion', 'minWriterVersion', 'readerFeatures', 'writerFeatures'],
  metaData: [
    'id',
    'name',
    'description',
    'format',
    'schemaString',
    'partitionColumns',
    'configuration',
    'createdTime',
  ],
  txn: ['appId', 'version', 'lastUpdated'],
  add: ['path', 'partitionValues', 'size', 'modificationTime', 'dataChange', 'stats'],
} as const;

/**
 * The actions that a checkpoint holds, its `add`s only if they are wanted: there may be a million.
 * @throws HeadraceError LAKE_LOG_CORRUPT, LAKE_NOT_OURS, LAKE_IO
 */
export async function readCheckpoint(
  store: ObjectStore,
  { version, paths }: CheckpointFiles,
  withFiles: boolean,
): Promise<Action[]> {
  const actions: Action[] = [];
  for (const path of paths) {
    const bytes = await store.get(path);
    if (bytes === null) throw unreadable(version, path, 'it is not there');
    let lines: string[];
    try {
      lines = await linesOf(bytes, withFiles);
    } catch (error) {
      throw unreadable(version, path, messageOf(error), error);
    }
    actions.push(...decodeActions(lines, { version, path }));
  }
  return actions;
}

/** One action a line, as the log's JSON says it. Heavy packages, needed once if ever, are loaded when they are. */
async function linesOf(bytes: Uint8Array, withFiles: boolean): Promise<string[]> {
  const [{ readParquet }, { tableFromIPC }] = await Promise.all([
    import('parquet-wasm'),
    import('apache-arrow'),
  ]);
  const kinds = (Object.keys(FIELDS) as (keyof typeof FIELDS)[]).filter(
    (kind) => withFiles || kind !== 'add',
  );
  const table = tableFromIPC(readParquet(bytes, { columns: kinds }).intoIPCStream());
  const lines: string[] = [];
  for (const kind of kinds) {
    const column = table.getChild(kind);
    for (let row = 0; column !== null && row < table.numRows; row++) {
      const value = column.get(row) as ArrowValue | null;
      if (value !== null) lines.push(lineOf(kind, value));
    }
  }
  return lines;
}

/** Rows of structs, maps and lists. */
interface ArrowValue {
  toJSON(): Record<string, unknown> | unknown[];
}

function lineOf(kind: keyof typeof FIELDS, value: ArrowValue): string {
  const all = value.toJSON() as Record<string, unknown>;
  const fields = FIELDS[kind].flatMap((name) =>
    all[name] == null ? [] : [[name, plain(all[name])] as const],
  );
  return JSON.stringify({ [kind]: Object.fromEntries(fields) }).replaceAll(LARGE_NUMBER, '$1');
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : `${LARGE}${value}${LARGE}`;
  }
  if (typeof value !== 'object' || value === null) return value;
  const json = (value as ArrowValue).toJSON();
  if (Array.isArray(json)) return json.map(plain);
  return Object.fromEntries(Object.entries(json).map(([name, each]) => [name, plain(each)]));
}

/** Numbers beyond 2⁵³ pass JSON.stringify as text between two of these. */
const LARGE = '\u2063';
const LARGE_NUMBER = /"\u2063(-?\d+)\u2063"/g;

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
