import {
  Agent,
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A proxy on loopback between the engine and ClickHouse, or an object store, that goes wrong on demand. Its address stays the same when it refuses
 * connections for a while, and when what is behind it is killed and started again on another port.
 *
 * Faults wait in a list: each request takes the first one that fits it, once; what no fault fits is passed on.
 */

export type ProxyFault =
  /** The request is passed on and answered, and the client sees its connection reset instead of the answer, or this status. */
  | { kind: 'drop-answer'; status?: number }
  /** Answered by the proxy; nothing is passed on. Default: status 500 with an error of ClickHouse's. */
  | { kind: 'answer'; status?: number; body?: string; headers?: Record<string, string> }
  /** Passed on after so long. */
  | { kind: 'delay'; ms: number }
  /** Passed on when `release` of the fault is called. */
  | { kind: 'hold' }
  /** So many bytes of the body are passed on, then both connections are reset. */
  | { kind: 'reset-body'; afterBytes: number }
  /** Half of the answer comes, then the connection is reset. */
  | { kind: 'cut-answer' }
  /** The client sees its connection reset; what it sent is passed on when `release` of the fault is called. */
  | { kind: 'late' }
  /** Passed on without these headers. */
  | { kind: 'strip-headers'; names: readonly string[] };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** `query` of the address: the statement of an insert. Queries and commands have theirs in the body, so '' here. */
  readonly query: string;
  /** The parameters of the address: settings, query_id, database. */
  readonly parameters: URLSearchParams;
}

export interface InjectedFault {
  /** How often it has struck. */
  readonly hits: number;
  /** Resolves when it has struck for the first time; for `drop-answer` and `cut-answer` the server is done by then. */
  readonly struck: Promise<void>;
  /** Resolves when what `late` held back has been answered. */
  readonly settled: Promise<void>;
  /** Lets the requests that `hold` and `late` hold go on, and those that come later too. */
  release(): void;
  /** Takes it back. */
  remove(): void;
}

/** TLS ends at the proxy; it may ask for a certificate of the client's. */
export type ProxyTls = Pick<ServerOptions, 'key' | 'cert' | 'ca' | 'requestCert' | 'rejectUnauthorized'>;

export interface FaultOptions {
  /** How many requests it strikes. Default 1. */
  times?: number;
  /** Which requests. Default: all. */
  when?: (request: SeenRequest) => boolean;
}

export interface HttpFaultProxy {
  /** `http://127.0.0.1:port`; with TLS `https://…` */
  readonly url: string;
  /** All requests so far, whatever became of them. */
  readonly seen: readonly SeenRequest[];
  inject(fault: ProxyFault, options?: FaultOptions): InjectedFault;
  /** Another server behind it. */
  setUpstream(url: string): void;
  /** Connections are refused and those that are open are reset, until `accept`. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  close(): Promise<void>;
}

/** An INSERT with its data in the body, the way the engine sends a file. */
export function isInsert({ query }: SeenRequest): boolean {
  return /^\s*INSERT\b/i.test(query);
}

class Fault implements InjectedFault {
  hits = 0;
  readonly struck: Promise<void>;
  readonly released: Promise<void>;
  readonly settled: Promise<void>;
  readonly fault: ProxyFault;
  readonly #options: FaultOptions;
  readonly #remove: (fault: Fault) => void;
  strike!: () => void;
  release!: () => void;
  settle!: () => void;

  constructor(fault: ProxyFault, options: FaultOptions, remove: (fault: Fault) => void) {
    this.fault = fault;
    this.#options = options;
    this.#remove = remove;
    this.struck = new Promise((done) => {
      this.strike = done;
    });
    this.released = new Promise((done) => {
      this.release = done;
    });
    this.settled = new Promise((done) => {
      this.settle = done;
    });
  }

  /** Whether it is this request's; then one of its times is used up. */
  takes(request: SeenRequest): boolean {
    if (this.hits >= (this.#options.times ?? 1) || this.#options.when?.(request) === false) return false;
    this.hits++;
    return true;
  }

  remove(): void {
    this.#remove(this);
    this.release();
  }
}

class FaultProxy implements HttpFaultProxy {
  url = '';
  readonly seen: SeenRequest[] = [];
  readonly #tls: ProxyTls | null;
  #upstream: string;
  #server: Server | null = null;
  #faults: Fault[] = [];
  readonly #agent = new Agent({ keepAlive: true });

  constructor(upstream: string, tls: ProxyTls | null) {
    this.#upstream = upstream;
    this.#tls = tls;
  }

  setUpstream(url: string): void {
    this.#upstream = url;
  }

  inject(fault: ProxyFault, options: FaultOptions = {}): InjectedFault {
    const injected = new Fault(fault, options, (gone) => {
      this.#faults = this.#faults.filter((one) => one !== gone);
    });
    this.#faults.push(injected);
    return injected;
  }

  async accept(): Promise<void> {
    if (this.#server !== null) return;
    const limits = { maxHeaderSize: 1024 * 1024 };
    const handle = (message: IncomingMessage, response: ServerResponse) => {
      void this.#handle(message, response);
    };
    const server =
      this.#tls === null
        ? createServer(limits, handle)
        : createTlsServer({ ...limits, ...this.#tls }, handle);
    this.#server = server;
    const port = this.url === '' ? 0 : Number(new URL(this.url).port);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    this.url = `http${this.#tls === null ? '' : 's'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  }

  async close(): Promise<void> {
    for (const fault of this.#faults) fault.release();
    await this.refuse();
    this.#agent.destroy();
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(message.url ?? '/', this.url);
    const request: SeenRequest = {
      method: message.method ?? 'GET',
      path: pathname,
      query: searchParams.get('query') ?? '',
      parameters: searchParams,
    };
    this.seen.push(request);
    message.on('error', () => {});
    response.on('error', () => {});
    const injected = this.#faults.find((fault) => fault.takes(request)) ?? null;
    const fault = injected?.fault ?? null;
    if (fault?.kind === 'answer') {
      message.resume();
      await new Promise((done) => message.once('close', done));
      const body = fault.body ?? 'Code: 1001. DB::Exception: an injected fault. (STD_EXCEPTION)\n';
      response.writeHead(fault.status ?? 500, { 'X-ClickHouse-Exception-Code': '1001', ...fault.headers });
      response.end(body);
      injected!.strike();
      return;
    }
    if (fault?.kind === 'delay' || fault?.kind === 'hold') injected!.strike();
    if (fault?.kind === 'delay') await sleep(fault.ms);
    if (fault?.kind === 'hold') await injected!.released;
    if (fault?.kind === 'late') await this.#passLate(message, response, injected!);
    else this.#pass(message, response, injected);
  }

  async #passLate(message: IncomingMessage, response: ServerResponse, injected: Fault): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
    reset(response);
    injected.strike();
    await injected.released;
    const upstream = this.#request(message, message.headers);
    const answered = new Promise((done) => upstream.once('response', done).once('error', done));
    upstream.end(Buffer.concat(chunks));
    ((await answered) as IncomingMessage).resume?.();
    injected.settle();
  }

  #request(message: IncomingMessage, headers: IncomingMessage['headers']): ClientRequest {
    return httpRequest(new URL(message.url ?? '/', this.#upstream), {
      method: message.method ?? 'GET',
      headers,
      agent: this.#agent,
    });
  }

  #pass(message: IncomingMessage, response: ServerResponse, injected: Fault | null): void {
    const fault = injected?.fault ?? null;
    const stripped = fault?.kind === 'strip-headers' ? fault.names : [];
    const kept = Object.entries(message.headers).filter(([name]) => !stripped.includes(name));
    const upstream = this.#request(message, Object.fromEntries(kept));
    // a server that is gone looks to the client like one that resets the connection
    upstream.on('error', () => reset(response));
    response.once('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
    upstream.once('response', (answer) => {
      if (fault?.kind === 'drop-answer' || fault?.kind === 'cut-answer') {
        void breakAnswer(answer, response, fault)
          .catch(() => reset(response))
          .then(() => injected!.strike());
      } else {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }
    });
    if (fault?.kind === 'reset-body') resetInBody(message, upstream, response, fault.afterBytes, injected!);
    else message.pipe(upstream);
  }
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

async function breakAnswer(
  answer: IncomingMessage,
  response: ServerResponse,
  fault: Extract<ProxyFault, { kind: 'drop-answer' | 'cut-answer' }>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  if (fault.kind === 'drop-answer') {
    if (fault.status === undefined) return reset(response);
    response.writeHead(fault.status).end();
    return;
  }
  const body = Buffer.concat(chunks);
  response.writeHead(answer.statusCode ?? 502, {
    ...answer.headers,
    'content-length': String(body.length + 1),
  });
  await new Promise((done) => response.write(body.subarray(0, body.length >> 1), done));
  reset(response);
}

function resetInBody(
  message: IncomingMessage,
  upstream: ClientRequest,
  response: ServerResponse,
  afterBytes: number,
  injected: Fault,
): void {
  let left = afterBytes;
  message.on('data', (chunk: Buffer) => {
    if (left <= 0) return;
    const part = chunk.subarray(0, left);
    left -= part.length;
    upstream.write(part, () => {
      if (left > 0) return;
      upstream.destroy();
      reset(response);
      injected.strike();
    });
  });
  message.once('end', () => {
    // the body was shorter: break it off all the same
    if (left <= 0) return;
    upstream.destroy();
    reset(response);
    injected.strike();
  });
}

/** Starts it before `upstream`, the address of a server that is spoken to without TLS. */
export async function startHttpFaultProxy(
  upstream: string,
  tls: ProxyTls | null = null,
): Promise<HttpFaultProxy> {
  const proxy = new FaultProxy(upstream, tls);
  await proxy.accept();
  return proxy;
}
