/**
 * Reads a Delta table with delta-rs: a reader that nobody here wrote, and so a judge of what we write.
 *
 * Values arrive as: 64-bit integers bigint · timestamps whole microseconds since 1970 (number, exact until year 2255) ·
 * dates `YYYY-MM-DD` · decimals string · bytes base64 · lists arrays · structs objects · null null.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';

const SCRIPT = fileURLToPath(new URL('read_delta.py', import.meta.url));

export interface DeltaRsOptions {
  /** Reads this version instead of the newest. */
  version?: number;
  /** Whose `txn` versions to answer. */
  appIds?: readonly string[];
  /** Of the object store, as delta-rs names them. */
  storageOptions?: Readonly<Record<string, string>>;
}

export interface DeltaRsTable {
  version: number;
  columns: string[];
  rows: Record<string, unknown>[];
  /** By appId; null: the table has none of it. */
  txns: Record<string, number | null>;
  /** `commitInfo` of each version, newest first. */
  history: Record<string, unknown>[];
  /** Paths of the version's data files. */
  files: string[];
  partitionColumns: string[];
}

type ColumnType =
  | { kind: 'int64' | 'float' | 'timestamp' | 'plain' }
  | { kind: 'list'; of: ColumnType }
  | { kind: 'struct'; fields: Record<string, ColumnType> };

type Header = Omit<DeltaRsTable, 'rows' | 'columns'> & { columns: { name: string; type: ColumnType }[] };

/** Reads a whole table. Throws with delta-rs's own message when it refuses the table. */
export async function readDeltaRs(path: string, options: DeltaRsOptions = {}): Promise<DeltaRsTable> {
  const python = deltaRsPython();
  if (!existsSync(python)) throw new Error(`there is no ${python}: npm run setup -- --tests`);
  const child = spawn(python, [SCRIPT, JSON.stringify({ path, ...options })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // rejections are met below, after the lines
  ended.catch(() => undefined);
  const rows: Record<string, unknown>[] = [];
  let header: Header | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (header === undefined) header = JSON.parse(line) as Header;
    else rows.push(toRow(header, JSON.parse(line) as unknown[]));
  }
  const code = await ended;
  if (code !== 0 || header === undefined)
    throw new Error(`delta-rs could not read ${path}: ${complaint.trim()}`);
  return { ...header, columns: header.columns.map(({ name }) => name), rows };
}

function toRow(header: Header, values: unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [i, { name, type }] of header.columns.entries()) row[name] = decode(type, values[i]);
  return row;
}

function decode(type: ColumnType, value: unknown): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case 'int64':
      return BigInt(value as string);
    case 'float':
      return toFloat(value as number | string);
    case 'list':
      return (value as unknown[]).map((element) => decode(type.of, element));
    case 'struct':
      return Object.fromEntries(
        Object.entries(value as object).map(([name, field]) => [name, decode(type.fields[name]!, field)]),
      );
    default:
      return value;
  }
}

/** What JSON has no number for leaves Python by name. */
function toFloat(value: number | string): number {
  if (typeof value === 'number') return value;
  return { inf: Infinity, '-inf': -Infinity }[value] ?? Number.NaN;
}
