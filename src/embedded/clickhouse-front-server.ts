/**
 * ClickHouse's HTTP interface over chDB, as far as @clickhouse/client and curl use it.
 *
 * Invariants
 * - One query at a time, in the order in which their requests had been received whole. A request that has been received
 *   whole is run, even if nobody waits for its answer any more: a server would have begun with it.
 * - An answer is there whole before its first byte is sent, so that an error always has its status.
 */
import { timingSafeEqual } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { messageOf } from '../errors.js';
import type { Random } from '../random.js';
import type { Connections } from './clickhouse-front-connections.js';
import { faultOf, ServerFault } from './clickhouse-front-fault.js';
import { type FrontAnswer, type FrontQuery, receiveQuery, runQuery } from './clickhouse-front-query.js';
import {
  type Credentials,
  credentialsOf,
  type FrontRequest,
  readRequest,
} from './clickhouse-front-request.js';

export interface FrontServerOptions {
  readonly connections: Connections;
  /** Who may come in. */
  readonly credentials: Credentials;
  /** Where data of inserts lies while they are run. */
  readonly bodyFolder: string;
  /** ClickHouse's version, as errors have it. */
  readonly version: string;
  readonly random: Random;
}

/** A client that takes longer than this to send its request is cut off. */
const RECEIVE_TIMEOUT_MS = 300_000;
const KEEP_ALIVE_MS = 30_000;
/** Statements travel in the address: a server takes 1 MiB too (http_max_uri_size). */
const HEADER_BYTES_MAX = 1024 * 1024;
/** As http_zlib_compression_level. */
const GZIP_LEVEL = 3;
const DISPLAY_NAME = 'headrace-embedded';

const CONTENT_TYPES: readonly [RegExp, string][] = [
  [
    /^(JSON|JSONStrings|JSONCompact|JSONCompactStrings|JSONColumnsWithMetadata)$/i,
    'application/json; charset=UTF-8',
  ],
  [/^JSON.*EachRow/i, 'application/x-ndjson; charset=UTF-8'],
  [/^(TabSeparated|TSV)/i, 'text/tab-separated-values; charset=UTF-8'],
  [/^CSV/i, 'text/csv; charset=UTF-8'],
  [/^(Parquet|Arrow|ArrowStream|Native|RowBinary|ORC|Avro)/i, 'application/octet-stream'],
];

export class FrontServer {
  readonly #options: FrontServerOptions;
  readonly #server: Server;
  #turn: Promise<unknown> = Promise.resolve();
  #received = 0;

  constructor(options: FrontServerOptions) {
    this.#options = options;
    const limits = { maxHeaderSize: HEADER_BYTES_MAX, requestTimeout: RECEIVE_TIMEOUT_MS };
    this.#server = createServer({ ...limits, keepAliveTimeout: KEEP_ALIVE_MS }, (message, response) => {
      void this.#handle(message, response);
    });
  }

  /** Listens on loopback; the port that it has got. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return (this.#server.address() as { port: number }).port;
  }

  /** Takes no more requests and waits for what is under way. */
  async close(): Promise<void> {
    this.#server.close();
    await this.#turn;
    this.#server.closeAllConnections();
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    // who does not wait for an answer is not an error of ours
    response.on('error', () => {});
    message.on('error', () => {});
    let request: FrontRequest | null = null;
    try {
      const address = new URL(message.url ?? '/', 'http://127.0.0.1');
      if (address.pathname === '/ping' || address.pathname === '/replicas_status')
        return ok(message, response);
      if (address.pathname !== '/') return notFound(message, response, address.pathname);
      this.#authenticate(credentialsOf(address, message.headers));
      request = readRequest(message.method ?? 'GET', address, message.headers);
      if (request.isReadOnly && request.query === '') return ok(message, response);
      this.#setHeaders(response, request);
      const path = join(this.#options.bodyFolder, `body-${++this.#received}`);
      const query = await receiveQuery(message, request, path);
      const answer = await this.#inTurn(request, query);
      await this.#answer(response, request, query, answer);
    } catch (error) {
      this.#refuse(message, response, error);
    }
  }

  /** Runs the query when those before it are done. */
  #inTurn(request: FrontRequest, query: FrontQuery): Promise<FrontAnswer> {
    const answer = this.#turn
      .then(() => this.#options.connections.with(request, (connection) => runQuery(connection, query)))
      .finally(() => (query.path === null ? undefined : rm(query.path, { force: true })));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  #authenticate(given: Credentials): void {
    const { user, password } = this.#options.credentials;
    const isKnown = isSame(given.user, user);
    if (isSame(given.password, password) && isKnown) return;
    throw new ServerFault(
      516,
      'AUTHENTICATION_FAILED',
      `${given.user}: Authentication failed: password is incorrect, or there is no user with such name.`,
    );
  }

  #setHeaders(response: ServerResponse, request: FrontRequest): void {
    const { random } = this.#options;
    const id =
      request.queryId ?? [random.id63(), random.id63()].map((n) => n.toString(16).padStart(16, '0')).join('');
    response.setHeader('X-ClickHouse-Query-Id', id.replace(/[^\x21-\x7e]/g, '?'));
    response.setHeader('X-ClickHouse-Server-Display-Name', DISPLAY_NAME);
    response.setHeader('X-ClickHouse-Timezone', 'UTC');
  }

  async #answer(
    response: ServerResponse,
    request: FrontRequest,
    { format }: FrontQuery,
    { bytes, summary }: FrontAnswer,
  ): Promise<void> {
    const type = CONTENT_TYPES.find(([pattern]) => pattern.test(format))?.[1];
    response.setHeader('Content-Type', type ?? 'text/plain; charset=UTF-8');
    response.setHeader('X-ClickHouse-Format', format);
    response.setHeader('X-ClickHouse-Summary', JSON.stringify(summary));
    if (!request.isGzipWanted || bytes.length === 0) {
      response.end(bytes);
      return;
    }
    response.setHeader('Content-Encoding', 'gzip');
    response.end(await promisify(gzip)(bytes, { level: GZIP_LEVEL }));
  }

  #refuse(message: IncomingMessage, response: ServerResponse, error: unknown): void {
    const fault = faultOf(error);
    if (!message.complete) {
      // the rest of the body is not wanted, so the connection can't be used again
      response.setHeader('Connection', 'close');
      message.resume();
    }
    if (response.headersSent) {
      response.destroy(new Error(messageOf(error)));
      return;
    }
    response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
    response.setHeader('X-ClickHouse-Exception-Code', String(fault.number));
    response.writeHead(fault.status);
    response.end(fault.text(this.#options.version));
  }
}

function ok(message: IncomingMessage, response: ServerResponse): void {
  message.resume();
  response.setHeader('Content-Type', 'text/html; charset=UTF-8');
  response.end('Ok.\n');
}

function notFound(message: IncomingMessage, response: ServerResponse, path: string): void {
  message.resume();
  response.writeHead(404, { 'Content-Type': 'text/plain; charset=UTF-8' });
  response.end(`There is no handle ${path}\n\nUse / or /ping for health checks.\n`);
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
