import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * The independent oracle: raw records in a file, SQL of its own over them in chDB, sessions out. It shares no line with
 * the engine; oracle-naive.ts is what it is itself compared with.
 */

/** What the sessions of all models have. */
export interface OracleRow {
  partition: number;
  session_id: string;
  session_start: number;
  total_events: number;
}

/** A finished session of clickstream as the oracle has it: the model's columns, times in ms since 1970. */
export interface OracleSession extends OracleRow {
  user_id: string;
  session_end: number;
  session_duration_sec: number;
  page_views: number;
  clicks: number;
  add_to_carts: number;
  purchases: number;
  searches: number;
  entry_page: string | null;
  exit_page: string | null;
  unique_pages: number;
  pages: string[];
  referrer: string | null;
  user_agent: string | null;
  ip_address: string | null;
  country: string | null;
  city: string | null;
  latitude: number | null;
  longitude: number | null;
  device_type: string | null;
  os: string | null;
  browser: string | null;
  source_session_ids: number;
  product_ids: string[];
  categories: string[];
  session_date: string;
}

export interface RawRecord {
  partition: number;
  offset: number;
  key: Uint8Array;
  value: Uint8Array;
}

/** Writes records as ClickHouse's RowBinary: the bytes of Kafka, no text form in between. */
export class RawRecordFile {
  readonly #out: WriteStream;
  #records = 0;

  constructor(readonly path: string) {
    this.#out = createWriteStream(path);
  }

  get records(): number {
    return this.#records;
  }

  async write(records: readonly RawRecord[]): Promise<void> {
    if (records.length === 0) return;
    this.#records += records.length;
    const flowing = this.#out.write(Buffer.concat(records.flatMap(rowBinary)));
    if (!flowing) await once(this.#out, 'drain');
  }

  async close(): Promise<void> {
    this.#out.end();
    await once(this.#out, 'close');
  }
}

function rowBinary(record: RawRecord): Uint8Array[] {
  const fixed = Buffer.alloc(12);
  fixed.writeUInt32LE(record.partition, 0);
  fixed.writeBigUInt64LE(BigInt(record.offset), 4);
  return [fixed, varint(record.key.byteLength), record.key, varint(record.value.byteLength), record.value];
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

const QUERY_SCRIPT = fileURLToPath(new URL('./oracle-query.mjs', import.meta.url));
let queries = 0;

/** Runs SQL in chDB and gives its rows; files it names lie below `folder`. */
export async function queryChdb<Row>(folder: string, sql: string): Promise<Row[]> {
  queries += 1;
  const sqlFile = join(folder, `oracle-query-${queries}.sql`);
  const resultFile = join(folder, `oracle-query-${queries}.jsonl`);
  await writeFile(sqlFile, sql);
  await promisify(execFile)(process.execPath, [QUERY_SCRIPT, sqlFile, resultFile], { cwd: folder });
  const text = await readFile(resultFile, 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Row);
}

/**
 * The sessions of the records in `rawFile` (below `folder`). `before` leaves out what lies at or beyond an offset, by
 * partition: the sessions as they were when the log ended there.
 */
export function sessionsBySql(
  folder: string,
  rawFile: string,
  before?: readonly number[],
): Promise<OracleSession[]> {
  return rowsBySql<OracleSession>('oracle-clickstream.sql', folder, rawFile, before);
}

/** The same by the SQL of any model, a file beside this one. */
export async function rowsBySql<Row>(
  sqlFile: string,
  folder: string,
  rawFile: string,
  before?: readonly number[],
): Promise<Row[]> {
  const sql = await readFile(new URL(sqlFile, import.meta.url), 'utf8');
  const filter =
    before === undefined ? '1' : `offset < arrayElement([${before.join(', ')}], toInt32(partition) + 1)`;
  return queryChdb<Row>(folder, sql.replaceAll('{raw_file}', rawFile).replaceAll('{record_filter}', filter));
}

/** Milliseconds of an ISO time, for the naive oracles: no zone is UTC, digits after the third are cut. */
export function instantOf(text: string): number {
  const [, local, fraction = '', zone = 'Z'] = /^([-\dT:]{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?$/.exec(text)!;
  return Date.parse(`${local}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`);
}

/**
 * The sessions of a log whose first part was emitted by a run that ended there: a session keeps the id of the first row
 * that was emitted of it, also when an earlier event reaches it afterwards; of several that became one, the earliest's.
 */
export function keepingFirstIds(
  sessions: readonly OracleSession[],
  emittedBefore: readonly OracleSession[],
): OracleSession[] {
  const keyOf = (session: OracleSession) => `${session.partition} ${session.user_id}`;
  const earlier = new Map<string, OracleSession[]>();
  for (const session of emittedBefore) {
    const list = earlier.get(keyOf(session));
    if (list === undefined) earlier.set(keyOf(session), [session]);
    else list.push(session);
  }
  return sessions.map((session) => {
    const parts = (earlier.get(keyOf(session)) ?? []).filter(
      (part) => part.session_start >= session.session_start && part.session_end <= session.session_end,
    );
    if (parts.length === 0) return session;
    const first = parts.reduce((a, b) => (a.session_start <= b.session_start ? a : b));
    return { ...session, session_id: first.session_id };
  });
}
