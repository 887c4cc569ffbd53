/**
 * One query, from a request that has been received to the bytes of its answer.
 *
 * An INSERT's data goes to chDB by a file (`FROM INFILE`), never through a string: chDB's own way for data behind a
 * statement takes text formats only. Its INSERT … FROM INFILE squashes and deduplicates as a server's INSERT with data does.
 */
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { receiveFile, receiveStatement } from './clickhouse-front-body.js';
import { type ChdbConnection, quoteText } from './clickhouse-front-connections.js';
import { ServerFault } from './clickhouse-front-fault.js';
import type { FrontRequest } from './clickhouse-front-request.js';
import { type InsertStatement, type Statement, scanStatement } from './clickhouse-front-statement.js';

/** What is to be run. */
export interface FrontQuery {
  readonly sql: string;
  /** What the answer is in, by the statement or by default. */
  readonly format: string;
  readonly isInsert: boolean;
  /** The file with the data, to be removed after the query. */
  readonly path: string | null;
}

/** Figures of X-ClickHouse-Summary: decimal text, as a server sends them. */
export type QuerySummary = Readonly<Record<string, string>>;

export interface FrontAnswer {
  readonly bytes: Uint8Array;
  readonly summary: QuerySummary;
}

/** How much of a body is looked at for an INSERT's data. */
const HEAD_BYTES = 1024 * 1024;

/** Receives the body and works out what to run. `path` is where data may be put; the caller removes `path` of the answer. */
export async function receiveQuery(
  message: IncomingMessage,
  request: FrontRequest,
  path: string,
): Promise<FrontQuery> {
  const own = Buffer.from(request.query, 'utf8');
  const ownStatement = scanStatement(own.toString('latin1'));
  const { insert } = ownStatement;
  if (insert !== null && own.subarray(insert.dataAt).toString('latin1').trim() === '') {
    await receiveFile(message, path);
    return insertQuery(own, insert, request, path, request.bodyCompression);
  }
  const body = await receiveStatement(message, request.bodyCompression);
  const isSplit = own.length > 0 && body.length > 0;
  const all = isSplit ? Buffer.concat([own, Buffer.from('\n'), body]) : own.length > 0 ? own : body;
  const statement = scanBytes(all);
  if (statement.isSeveral) {
    throw new ServerFault(62, 'SYNTAX_ERROR', 'Syntax error: Multi-statements are not allowed.');
  }
  if (statement.insert !== null && !statement.insert.isValues) {
    await writeFile(path, all.subarray(statement.insert.dataAt), { flag: 'wx', mode: 0o600 });
    return insertQuery(all, statement.insert, request, path, 'none');
  }
  const format = statement.format ?? request.defaultFormat ?? 'TabSeparated';
  return { sql: all.toString('utf8'), format, isInsert: statement.insert !== null, path: null };
}

/** Runs it. Throws what chDB throws. */
export async function runQuery(connection: ChdbConnection, query: FrontQuery): Promise<FrontAnswer> {
  if (query.isInsert && query.sql === '')
    return { bytes: new Uint8Array(), summary: summaryOf(0, 0, 0, true) };
  if (query.sql.trim() === '') throw new ServerFault(62, 'SYNTAX_ERROR', 'Syntax error: Empty query.');
  const result = await connection.queryAsync(query.sql, { format: query.format });
  return {
    bytes: result.bytes(),
    summary: summaryOf(result.rowsRead, result.bytesRead, result.elapsed, query.isInsert),
  };
}

function scanBytes(bytes: Buffer): Statement {
  const head = scanStatement(bytes.toString('latin1', 0, HEAD_BYTES));
  return head.insert !== null || bytes.length <= HEAD_BYTES ? head : scanStatement(bytes.toString('latin1'));
}

function insertQuery(
  statement: Buffer,
  insert: InsertStatement,
  request: FrontRequest,
  path: string,
  compression: string,
): FrontQuery {
  const start = statement.subarray(0, insert.clauseAt).toString('utf8');
  const tail = Buffer.from(insert.tail, 'latin1').toString('utf8');
  const sql = `${start} FROM INFILE ${quoteText(path)} COMPRESSION ${quoteText(compression)} ${tail}`;
  return { sql, format: insertFormat(request), isInsert: true, path };
}

function insertFormat(request: FrontRequest): string {
  return request.defaultFormat ?? 'TabSeparated';
}

function summaryOf(rows: number, bytes: number, seconds: number, isInsert: boolean): QuerySummary {
  const figures = {
    read_rows: rows,
    read_bytes: bytes,
    written_rows: isInsert ? rows : 0,
    written_bytes: isInsert ? bytes : 0,
    total_rows_to_read: 0,
    result_rows: isInsert ? rows : 0,
    result_bytes: isInsert ? bytes : 0,
    elapsed_ns: Math.round(seconds * 1e9),
  };
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, String(figure)]));
}
