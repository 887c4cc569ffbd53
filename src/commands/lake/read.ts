import { promises as fs } from 'node:fs';
import { systemClock } from '../../clock.js';
import { HeadraceError, messageOf } from '../../errors.js';
import { type CellColumn, columnsOf } from '../../lake/reading/cell.js';
import { isOfChanges, SIGN } from '../../lake/reading/changes.js';
import { readPlainRows } from '../../lake/reading/plain-rows.js';
import type { TableAt } from '../../lake/reading/table-at.js';
import { readRows, type WantedRows } from '../../lake/reading/table-rows.js';
import { columnNamed, parseWhere } from '../../lake/reading/where.js';
import { formatWhole } from '../../telemetry/progress.js';
import { stdoutTakesMore } from '../stdout-pace.js';
import type { AtFlags } from './lake-flags.js';
import { type Lake, type LakeName, openLake, parseAt, tableAt } from './open-lake.js';
import { type RowFormat, rowOutput } from './row-output.js';

export interface LakeReadOptions extends AtFlags {
  /** The table, or the folder that holds it. */
  lake: LakeName;
  format: RowFormat;
  /** A file; without it stdout. */
  output?: string;
  /** Names with commas; without them all. */
  columns?: string;
  where: readonly string[];
  /** Null: all rows. */
  limit: number | null;
  /** Rows as they are in the files, with their sign, instead of each session's newest revision. */
  changes: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
}

/** Rows are of persons: for the user and the group, as the umask leaves it. */
const ROWS_FILE_MODE = 0o660;
/** Of a table for people. */
const SHOWN_ROWS = 50;

/**
 * `headrace lake read`: rows of the table at a version or time. Resolves to 0. Throws HeadraceError USAGE, LAKE_FILE_BROKEN and
 * what opening the table throws.
 */
export async function lakeRead(options: LakeReadOptions): Promise<number> {
  const { format, output, stdout, stderr } = options;
  if (format === 'parquet' && output === undefined) {
    throw new HeadraceError('USAGE', 'Parquet is written to a file: name it with --output');
  }
  const at = parseAt(options, systemClock.nowMs());
  const lake = await openLake(options.lake);
  const table = await tableAt(lake, at);
  const columns = columnsWanted(table, options);
  const counted = { rows: 0, more: false };
  const limit = options.limit ?? (format === 'table' ? SHOWN_ROWS : null);
  const blocks = limited(blocksOf(lake, table, columns, options), limit, counted);
  const chunks = rowOutput(format, columns, blocks);
  if (output === undefined) await toStdout(chunks, stdout);
  else await toFile(chunks, output);
  if (output !== undefined)
    stderr(`${formatWhole(counted.rows)} rows of version ${table.version} in ${output}\n`);
  else if (counted.more && format === 'table') {
    stderr(`These are the first ${formatWhole(counted.rows)} rows; --limit shows more\n`);
  }
  return 0;
}

function columnsWanted(table: TableAt, { columns, changes }: LakeReadOptions): CellColumn[] {
  const all = columnsOf({ ...table.metaData });
  if (columns === undefined) {
    const isPlain = isOfChanges(table.metaData) && !changes;
    return isPlain ? all.filter(({ name }) => name !== SIGN) : all;
  }
  return columns.split(',').map((name) => columnNamed('--columns', name.trim(), all));
}

function blocksOf(
  { store }: Lake,
  { files, metaData }: TableAt,
  columns: readonly CellColumn[],
  { where: texts, changes, stderr }: LakeReadOptions,
): AsyncGenerator<WantedRows> {
  const allColumns = columnsOf({ ...metaData });
  const where = texts.map((text) => parseWhere(text, allColumns));
  const wanted = { files: files.values(), columns, where };
  if (changes || !isOfChanges(metaData)) return readRows(store, wanted);
  const onUnmatched = (rows: number) =>
    stderr(
      `${formatWhole(rows)} rows take back rows that are not in the table (a restore or an expiry took them out); they are left out. --changes shows them\n`,
    );
  return readPlainRows(store, { ...wanted, allColumns, onUnmatched });
}

/** Looks whether there are more rows than wanted, and counts those. */
async function* limited(
  blocks: AsyncGenerator<WantedRows>,
  limit: number | null,
  counted: { rows: number; more: boolean },
): AsyncGenerator<WantedRows> {
  for await (const block of blocks) {
    const room = limit === null ? block.rows.length : limit - counted.rows;
    const rows = block.rows.length <= room ? block.rows : block.rows.slice(0, room);
    counted.more = rows.length < block.rows.length;
    counted.rows += rows.length;
    if (rows.length > 0) yield { ...block, rows };
    if (counted.more) return;
  }
}

/** A reader who is slower than the table holds it up; one who has seen enough, as in `… | head`, ends it. */
async function toStdout(
  chunks: AsyncIterable<string | Uint8Array>,
  stdout: (text: string) => void,
): Promise<void> {
  for await (const chunk of chunks) {
    stdout(chunk as string);
    if (!(await stdoutTakesMore())) return;
  }
}

/** The file has its name when it is whole; one that is there is replaced. */
async function toFile(chunks: AsyncIterable<string | Uint8Array>, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await fs.open(temporary, 'w', ROWS_FILE_MODE).catch((error: unknown) => {
    throw unwritable(path, error);
  });
  try {
    for await (const chunk of chunks) {
      await file.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk).catch((error: unknown) => {
        throw unwritable(path, error);
      });
    }
    await file.close();
    await fs.rename(temporary, path);
  } catch (error) {
    await file.close();
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

function unwritable(path: string, error: unknown): HeadraceError {
  return new HeadraceError('USAGE', `--output can't be written: ${messageOf(error)}`, { where: { path } });
}
