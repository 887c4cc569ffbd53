import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DeltaRsTable, readDeltaRs } from './delta-rs.js';
import type { OracleRow } from './oracle.js';

/** The sessions table as delta-rs reads it, folded, and held against the oracle's sessions. */

export type TableRow = Record<string, unknown>;

/** What commitInfo says of a lane in a cut. */
export interface LaneEntry {
  version: number;
  cutId: string;
  partition: number;
  from: number;
  to: number;
  rows: number;
  deadLetters: number;
  parent: number;
}

export interface SpineTable {
  path: string;
  delta: DeltaRsTable;
  rows: TableRow[];
  /** Rows with sign 1 that no row with sign −1 took back. */
  standing: TableRow[];
  /** By app id, as the log's files name them. */
  lanes: LaneEntry[];
  appIds: string[];
  /** Data files that lie in the table's folders, whether the log names them or not. */
  parquetFiles: string[];
  deadLetterFiles: string[];
}

/** `--lake` is the table, or the folder that holds it. */
export async function tablePath(lake: string): Promise<string> {
  if (existsSync(join(lake, '_delta_log'))) return lake;
  const entries = existsSync(lake) ? await readdir(lake) : [];
  const tables = entries.filter((entry) => existsSync(join(lake, entry, '_delta_log')));
  if (tables.length !== 1) throw new Error(`${tables.length} tables below ${lake}`);
  return join(lake, tables[0]!);
}

/** The newest version in the log, −1 when there is no table yet. */
export async function newestVersion(lake: string): Promise<number> {
  const path = await tablePath(lake).catch(() => null);
  if (path === null) return -1;
  const versions = (await readdir(join(path, '_delta_log')))
    .filter((name) => /^\d{20}\.json$/.test(name))
    .map((name) => Number(name.slice(0, 20)));
  return Math.max(-1, ...versions);
}

/** Events that the ledger has as done, over all lanes. */
export async function committedEvents(lake: string): Promise<number> {
  if ((await newestVersion(lake)) < 0) return 0;
  const ends = new Map<string, number>();
  for (const { txn } of (await logActions(await tablePath(lake))).flat())
    if (txn !== undefined) ends.set(txn.appId, txn.version);
  return [...ends.values()].reduce((sum, end) => sum + end, 0);
}

interface Action {
  txn?: { appId: string; version: number };
}

/** The actions of each version's file. */
async function logActions(table: string): Promise<Action[][]> {
  const log = join(table, '_delta_log');
  const names = (await readdir(log)).filter((name) => /^\d{20}\.json$/.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(log, name), 'utf8')));
  return texts.map((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Action),
  );
}

export async function readSpineTable(lake: string): Promise<SpineTable> {
  const path = await tablePath(lake);
  const actions = (await logActions(path)).flat();
  const appIds = [...new Set(actions.flatMap(({ txn }) => txn?.appId ?? []))].sort();
  const delta = await readDeltaRs(path, { appIds });
  const rows = delta.rows.map(plainRow);
  const below = await readdir(path, { recursive: true });
  return {
    path,
    delta,
    rows,
    standing: standingRows(rows),
    lanes: laneEntries(delta),
    appIds,
    parquetFiles: below.filter((name) => name.endsWith('.parquet')),
    deadLetterFiles: below.filter((name) => name.includes('dead-letters/')),
  };
}

const TIMES = new Set(['session_start', 'session_end', 'created_at']);
const IDS = new Set(['batch_id', 'file_id']);

/** `user events` of the standing rows, sorted. */
export async function sessionsIn(lake: string): Promise<string[]> {
  const { standing } = await readSpineTable(lake);
  return standing.map((row) => `${row.user_id} ${row.total_events}`).sort();
}

/** Times in ms, counts as numbers; ids stay bigint. */
export function plainRow(row: Record<string, unknown>): TableRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (TIMES.has(name)) return [name, (value as number) / 1000];
      if (typeof value === 'bigint' && !IDS.has(name)) return [name, Number(value)];
      return [name, value];
    }),
  );
}

function laneEntries(delta: DeltaRsTable): LaneEntry[] {
  const entries: LaneEntry[] = [];
  for (const info of delta.history.toReversed()) {
    const headrace = info.headrace as { cuts?: { id: string; lanes: LaneEntry[] }[] } | undefined;
    if (headrace?.cuts === undefined) throw new Error(`version ${info.version} has no cuts of ours`);
    for (const cut of headrace.cuts)
      for (const lane of cut.lanes) entries.push({ ...lane, version: Number(info.version), cutId: cut.id });
  }
  return entries;
}

/** What a row says that a later one may take back: all but the columns of its own cut and file. */
const OF_THE_CUT = new Set(['created_at', 'batch_id', 'file_id', 'sign']);

function contentOf(row: TableRow): string {
  return JSON.stringify(Object.entries(row).filter(([name]) => !OF_THE_CUT.has(name)));
}

/**
 * Folds changes: each row with sign −1 takes back one equal row with sign 1. Throws when there is none, when a session
 * stands twice, or when the sums by (session_id, session_start) say otherwise.
 */
export function standingRows(rows: readonly TableRow[]): TableRow[] {
  const open = new Map<string, TableRow[]>();
  for (const row of rows.filter(({ sign }) => sign === 1)) {
    const content = contentOf(row);
    const same = open.get(content);
    if (same === undefined) open.set(content, [row]);
    else same.push(row);
  }
  for (const row of rows.filter(({ sign }) => sign === -1)) {
    if (open.get(contentOf(row))?.pop() === undefined)
      throw new Error(`takes back what was never written: ${contentOf(row)}`);
  }
  const standing = [...open.values()].flat();
  const seen = new Set<string>();
  for (const row of standing) {
    if (seen.has(keyOf(row))) throw new Error(`stands twice: ${contentOf(row)}`);
    seen.add(keyOf(row));
  }
  return standing;
}

function keyOf(row: { session_id?: unknown; session_start?: unknown }): string {
  return `${row.session_id} ${row.session_start}`;
}

/** Columns that the oracle knows nothing of. */
export const OUTSIDE = ['created_at', 'batch_id', 'file_id', 'closed_by', 'revision', 'sign'] as const;

const SHOWN_MAX = 10;

/**
 * The differences between the table's standing rows and the oracle's sessions, row by row and column by column, as
 * sentences: none when they are equal. Columns of either side that the other lacks are differences too.
 */
export function differences(
  standing: readonly TableRow[],
  expected: readonly Omit<OracleRow, 'partition'>[],
): string[] {
  const found: string[] = [];
  const byKey = new Map(standing.map((row) => [keyOf(row), row]));
  for (const session of expected) {
    const key = keyOf(session);
    const row = byKey.get(key);
    byKey.delete(key);
    if (row === undefined) found.push(`missing: ${JSON.stringify(session)}`);
    else found.push(...columnDifferences(key, row, session));
  }
  for (const row of byKey.values()) found.push(`not expected: ${contentOf(row)}`);
  if (found.length <= SHOWN_MAX) return found;
  return [...found.slice(0, SHOWN_MAX), `… and ${found.length - SHOWN_MAX} more`];
}

function columnDifferences(key: string, row: TableRow, session: Omit<OracleRow, 'partition'>): string[] {
  const { partition: _, ...expected } = session as OracleRow;
  const names = new Set([...Object.keys(expected), ...Object.keys(row)]);
  for (const name of OUTSIDE) names.delete(name);
  const found: string[] = [];
  for (const name of names) {
    const is = JSON.stringify(row[name]);
    const should = JSON.stringify((expected as Record<string, unknown>)[name]);
    if (is !== should) found.push(`${key}: ${name} is ${is}, should be ${should}`);
  }
  return found;
}
