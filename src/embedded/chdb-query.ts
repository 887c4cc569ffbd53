/**
 * SQL by chDB (the ClickHouse engine as a library) in a child process of its own.
 *
 * Invariants
 * - One query at a time in a session; further ones wait their turn.
 * - A query that takes longer than its time, or a child that dies, ends the session; nothing of it is left running, and
 *   chDB's own files are removed.
 *
 * chDB reads files only below its working folder: give `deltaLakeLocal`, `file` and the like absolute paths below
 * `folder` as the session states it (symbolic links resolved).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeadraceError, messageOf } from '../errors.js';
import { peerVersion } from '../version.js';

/** From parent to child: one query. */
export interface ChdbRequest {
  sql: string;
  format: string;
}

/** From child to parent; `ready` or `unavailable` comes first, then one answer a query. */
export type ChdbReply =
  | { kind: 'ready' }
  | { kind: 'unavailable'; message: string }
  | { kind: 'result'; text: string }
  | { kind: 'failed'; message: string };

/** A row as JSONEachRow gives it: 64-bit numbers are decimal strings, all others numbers; times are UTC text. */
export type ChdbRow = Record<string, unknown>;

export interface ChdbOptions {
  /** How long one query, or the start, may take. Default 120,000. */
  timeoutMs?: number;
}

export interface ChdbSession {
  /** The child's working folder, symbolic links resolved. */
  readonly folder: string;
  /** The child's process id. */
  readonly pid: number;
  /** Rows of a query. Throws CHDB_QUERY with ClickHouse's words. */
  query<T = ChdbRow>(sql: string): Promise<T[]>;
  /** The answer in one of ClickHouse's text formats. */
  text(sql: string, format: string): Promise<string>;
  /** Ends the child and waits until it is gone. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 120_000;
const CLOSE_TIMEOUT_MS = 5_000;
const STDERR_BYTES_MAX = 4_096;

/** From the sources (tests) the child is the built one too: Node can't run TypeScript by itself. */
const CHILD_PATH = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../dist/embedded/chdb-child.js' : './chdb-child.js',
    import.meta.url,
  ),
);

/** Runs one query over the files below `folder`, in a process that is gone when this resolves. */
export async function querySql<T = ChdbRow>(
  folder: string,
  sql: string,
  options: ChdbOptions = {},
): Promise<T[]> {
  const session = await openChdb(folder, options);
  try {
    return await session.query<T>(sql);
  } finally {
    await session.close();
  }
}

/**
 * Starts a child that answers queries over the files below `folder` until it is closed. Tables made in it last as long
 * as the session. Throws CHDB_UNAVAILABLE when chDB is not installed or can't start.
 */
export async function openChdb(folder: string, options: ChdbOptions = {}): Promise<ChdbSession> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const realFolder = await realpath(folder).catch((error: unknown) => {
    throw unavailable(folder, messageOf(error), 'Give a folder that exists.');
  });
  const dataFolder = await mkdtemp(join(tmpdir(), 'headrace-chdb-'));
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const child = new Child(
    fork(CHILD_PATH, [dataFolder], {
      cwd: realFolder,
      env: { ...environment, TZ: 'UTC' },
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    }),
  );
  const close = async () => {
    await child.end();
    await rm(dataFolder, { recursive: true, force: true });
  };
  const first = await child.reply(timeoutMs).catch((error: unknown) => error as HeadraceError);
  if (first instanceof Error || first.kind !== 'ready') {
    await close();
    const message = 'message' in first ? first.message : `unexpected answer ${first.kind}`;
    throw unavailable(realFolder, message, remedyFor(message));
  }

  let turn: Promise<unknown> = Promise.resolve();
  const text = (sql: string, format: string): Promise<string> => {
    const answer = turn.then(() => ask(child, { sql, format }, timeoutMs));
    turn = answer.catch(() => undefined);
    return answer;
  };
  return {
    folder: realFolder,
    pid: child.pid,
    text,
    query: async <T>(sql: string) => {
      const lines = await text(sql, 'JSONEachRow');
      return lines
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as T);
    },
    close,
  };
}

async function ask(child: Child, request: ChdbRequest, timeoutMs: number): Promise<string> {
  child.send(request);
  const reply = await child.reply(timeoutMs);
  if (reply.kind === 'result') return reply.text;
  const message = reply.kind === 'failed' ? reply.message : `unexpected answer ${reply.kind}`;
  throw new HeadraceError('CHDB_QUERY', message, { where: { sql: request.sql } });
}

/** The child process, one answer at a time. */
class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  #gone: string | null = null;
  #stderr = '';
  #waiting: { resolve: (reply: ChdbReply) => void; reject: (error: Error) => void } | null = null;

  constructor(child: ChildProcess) {
    this.#process = child;
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_BYTES_MAX);
    });
    child.on('message', (message) => {
      this.#waiting?.resolve(message as ChdbReply);
      this.#waiting = null;
    });
    // not 'close': Node 20 does not emit it when the parent was the one to disconnect
    const stderrClosed = new Promise((resolve) => child.stderr!.once('close', resolve));
    this.#exited = new Promise((resolve) => {
      const gone = (how: string) => {
        this.#gone = `chDB's process ended (${how})${this.#stderr === '' ? '' : `: ${this.#stderr.trim()}`}`;
        this.#waiting?.reject(new HeadraceError('CHDB_QUERY', this.#gone));
        this.#waiting = null;
        resolve();
      };
      child.once('error', (error) => gone(messageOf(error)));
      child.once('exit', (code, signal) => {
        void stderrClosed.then(() => gone(signal ?? `exit code ${code}`));
      });
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  send(request: ChdbRequest): void {
    // a child that is gone is reported by `reply`
    if (this.#gone === null && this.#process.connected) this.#process.send(request, () => {});
  }

  /** The next answer. After `timeoutMs` the child is killed. */
  async reply(timeoutMs: number): Promise<ChdbReply> {
    if (this.#gone !== null) throw new HeadraceError('CHDB_QUERY', this.#gone);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#process.kill('SIGKILL');
    }, timeoutMs);
    try {
      return await new Promise<ChdbReply>((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    } catch (error) {
      if (!late) throw error;
      throw new HeadraceError('CHDB_QUERY', `chDB gave no answer within ${timeoutMs} ms and was stopped`);
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    if (this.#gone === null && this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}

function unavailable(folder: string, message: string, remedy: string): HeadraceError {
  return new HeadraceError('CHDB_UNAVAILABLE', `chDB can't run: ${message}`, { where: { folder }, remedy });
}

function remedyFor(message: string): string {
  if (/Cannot find package 'chdb'|no native binding/.test(message)) {
    return `The demo needs chDB (543 MB, Linux with glibc or macOS), which engines do without: npm install chdb@${peerVersion('chdb')} beside headrace; npm ci in a checkout installs it.`;
  }
  return message.includes('chdb-child.js') ? 'Build first: npm run build.' : 'See the message above.';
}
