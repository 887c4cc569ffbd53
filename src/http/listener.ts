import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { HeadraceError } from '../errors.js';
import { type GuardOptions, refusalOf } from './request-guard.js';
import { SECURITY_HEADERS } from './security-headers.js';

/**
 * An HTTP server that can be left alone: a few known paths, hardly any of which change something, everything bounded. It shares the
 * main thread with the engine, so what an answer costs is bounded too, by who makes it (src/commands/run/service.ts).
 */

/** Headers of a browser take 2 KiB. */
const HEADER_BYTES_MAX = 8_192;
const HEADERS_MAX = 64;
/** A whole request must be there by then: whoever sends it byte by byte is cut off. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
const CHECK_MS = 1_000;
/** Whoever does not take an answer of this age is cut off; streams have limits of their own. */
const ANSWER_TIMEOUT_MS = 15_000;
/** How far the next free port is looked for. */
const PORTS_TRIED = 100;

export interface Answer {
  status: number;
  type: string;
  body: string | Buffer;
  headers?: Record<string, string>;
}

/** Answers a path, and what stands behind its `?`; a stream takes the response over and gives null. */
export type Route = (
  response: ServerResponse,
  query: URLSearchParams,
) => Promise<Answer | null> | Answer | null;

export interface ListenerOptions {
  host: string;
  /** Where to begin, and whether the next free one will do. */
  port: number;
  mayMove: boolean;
  connectionsMax: number;
  guard: GuardOptions;
  routes: ReadonlyMap<string, Route>;
  /** Paths that change something. */
  changes?: ReadonlyMap<string, Route>;
  onError(error: unknown): void;
}

export class HttpListener {
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** Throws HTTP_LISTEN where it can't. */
  static async open(options: ListenerOptions): Promise<HttpListener> {
    const server = makeServer(options);
    const port = await bind(server, options);
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    return new HttpListener(server, `http://${host}:${port}`);
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

function makeServer(options: ListenerOptions): Server {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
      requireHostHeader: false,
    },
    (request, response) => void answer(options, request, response).catch(options.onError),
  );
  server.maxHeadersCount = HEADERS_MAX;
  server.maxConnections = options.connectionsMax;
  // a request that asks first whether it may send its body
  server.on('checkContinue', (request, response) => {
    void answer(options, request, response).catch(options.onError);
  });
  server.on('clientError', (_, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  return server;
}

async function bind(server: Server, { host, port, mayMove }: ListenerOptions): Promise<number> {
  for (let tried = 0; ; tried++) {
    const failure = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      const onError = (error: NodeJS.ErrnoException) => resolve(error);
      server.once('error', onError);
      server.listen({ host, port: port + tried, exclusive: true }, () => {
        server.removeListener('error', onError);
        resolve(null);
      });
    });
    if (failure === null) return (server.address() as { port: number }).port;
    if (mayMove && failure.code === 'EADDRINUSE' && tried < PORTS_TRIED) continue;
    throw new HeadraceError('HTTP_LISTEN', `nothing can listen there: ${failure.code ?? failure.message}`, {
      where: { host, port: port + tried },
      remedy: 'set http.listen (--http) to another host:port, or to off',
    });
  }
}

async function answer(
  options: ListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => undefined);
  const [path, query] = partsOf(request.url ?? '');
  const method = request.method ?? '';
  const change = options.changes?.get(path);
  const { headers } = request;
  const refusal = refusalOf({ method, path, headers, changes: change !== undefined }, options.guard);
  if (refusal !== null) {
    // what follows on this connection may be the body that nobody reads
    const more = { ...refusal.headers, connection: 'close' };
    send(response, method, { status: refusal.status, type: TEXT, body: `${refusal.text}\n`, headers: more });
    return;
  }
  const route = change ?? options.routes.get(path);
  if (route === undefined) {
    send(response, method, { status: 404, type: TEXT, body: 'there is nothing here\n' });
    return;
  }
  try {
    const made = await route(response, new URLSearchParams(query));
    if (made !== null) send(response, method, made);
  } catch (error) {
    options.onError(error);
    if (!response.headersSent)
      send(response, method, { status: 500, type: TEXT, body: 'it failed; the log has more\n' });
    else response.destroy();
  }
}

function partsOf(url: string): [path: string, query: string] {
  const at = url.indexOf('?');
  return at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
}

export const TEXT = 'text/plain; charset=utf-8';
export const JSON_TYPE = 'application/json; charset=utf-8';

function send(response: ServerResponse, method: string, made: Answer): void {
  const body = Buffer.from(made.body as string);
  response.setTimeout(ANSWER_TIMEOUT_MS, () => response.destroy());
  response.writeHead(made.status, {
    ...SECURITY_HEADERS,
    'content-type': made.type,
    'content-length': body.byteLength,
    ...made.headers,
  });
  response.end(method === 'HEAD' ? undefined : body);
}
