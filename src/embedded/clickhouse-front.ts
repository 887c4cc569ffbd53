/**
 * An embedded ClickHouse for the demo, tests and benchmarks: chDB (the engine as a library) in a process of its own, behind
 * ClickHouse's HTTP interface on loopback, so that whoever uses it talks to it as to a server.
 *
 * What it is not
 * - It runs one query at a time, and nothing can interrupt one but its own max_execution_time.
 * - One user, no TLS, no native protocol, no queries in several parts, no external tables.
 * - Its user can't make others: `system.users` and `system.grants` are closed (ACCESS_DENIED), `CHECK GRANT` answers.
 * - There is no query_log and no part_log.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeadraceError, messageOf } from '../errors.js';
import { parseThreadStat } from '../telemetry/cpu.js';
import { peerVersion } from '../version.js';

export interface ClickHouseFrontOptions {
  /** Where its data lies, and stays. Without one it has a folder of its own that goes with it. One front a folder. */
  folder?: string;
  /** Default: one that is free. */
  port?: number;
  /** The one user. Default `default`, without a password. */
  user?: string;
  password?: string;
  /** Settings of every query, as the profile of a user has them: `{ readonly: 2 }`. A request's own come after them. */
  settings?: Readonly<Record<string, string | number>>;
}

export interface ClickHouseFront {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process has ended, with how it went: an exit code, a signal, what it said last. */
  readonly ended: Promise<string>;
  /** CPU that the process has taken so far: user and system, all threads, with what chDB does in the background. */
  cpuSeconds(): number;
  /** Waits for the query under way, then ends the process. */
  stop(): Promise<void>;
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>;
}

/** From parent to child, once. The password goes this way and not by the command line. */
export interface FrontStart {
  folder: string;
  /** The folder goes when the process ends. */
  isTemporary: boolean;
  port: number;
  user: string;
  password: string;
  settings: Record<string, string>;
}

/** From child to parent, once. */
export type FrontReply = { kind: 'ready'; port: number } | { kind: 'unavailable'; message: string };

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const STDERR_BYTES_MAX = 4_096;

/** From the sources (tests) the child is the built one too: Node can't run TypeScript by itself. */
const CHILD_PATH = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts')
      ? '../../dist/embedded/clickhouse-front-child.js'
      : './clickhouse-front-child.js',
    import.meta.url,
  ),
);

/** Starts it and waits until it answers. Throws CHDB_UNAVAILABLE when chDB is not installed or can't start. */
export async function startClickHouseFront(options: ClickHouseFrontOptions = {}): Promise<ClickHouseFront> {
  const isOwn = options.folder === undefined;
  const folder = isOwn
    ? await mkdtemp(join(tmpdir(), 'headrace-clickhouse-'))
    : await makeFolder(resolve(options.folder!));
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const child = fork(CHILD_PATH, [], {
    cwd: folder,
    env: { ...environment, TZ: 'UTC' },
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const front = new FrontProcess(child, isOwn ? folder : null);
  const settings = Object.entries(options.settings ?? {}).map(([name, value]) => [name, String(value)]);
  const reply = await front.start({
    folder,
    isTemporary: isOwn,
    port: options.port ?? 0,
    user: options.user ?? 'default',
    password: options.password ?? '',
    settings: Object.fromEntries(settings),
  });
  if (reply.kind === 'ready') {
    front.url = `http://127.0.0.1:${reply.port}`;
    return front;
  }
  await front.kill();
  throw new HeadraceError('CHDB_UNAVAILABLE', `the embedded ClickHouse can't start: ${reply.message}`, {
    where: { folder },
    remedy: remedyFor(reply.message),
  });
}

async function makeFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await realpath(folder);
  } catch (error) {
    throw new HeadraceError(
      'CHDB_UNAVAILABLE',
      `the embedded ClickHouse has no folder: ${messageOf(error)}`,
      {
        where: { folder },
        remedy: 'Give a folder that can be made and written.',
      },
    );
  }
}

class FrontProcess implements ClickHouseFront {
  url = '';
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #ownFolder: string | null;
  #stderr = '';
  #cpuSeconds = 0;

  constructor(child: ChildProcess, ownFolder: string | null) {
    this.#child = child;
    this.#ownFolder = ownFolder;
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_BYTES_MAX);
    });
    this.ended = new Promise((done) => {
      const ended = (how: string) => done(this.#stderr === '' ? how : `${how}: ${this.#stderr.trim()}`);
      child.once('error', (error) => ended(messageOf(error)));
      child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  start(message: FrontStart): Promise<FrontReply> {
    return new Promise((done) => {
      const unavailable = (why: string) => done({ kind: 'unavailable', message: why });
      const timer = setTimeout(
        () => unavailable(`no answer within ${START_TIMEOUT_MS} ms`),
        START_TIMEOUT_MS,
      );
      this.#child.once('message', (reply) => {
        clearTimeout(timer);
        done(reply as FrontReply);
      });
      void this.ended.then((how) => {
        clearTimeout(timer);
        unavailable(`its process ended (${how})`);
      });
      // a child that is gone is reported by `ended`
      this.#child.send(message, () => {});
    });
  }

  cpuSeconds(): number {
    this.#cpuSeconds = cpuSecondsOf(this.pid) ?? this.#cpuSeconds;
    return this.#cpuSeconds;
  }

  async stop(): Promise<void> {
    this.cpuSeconds();
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#gone();
    clearTimeout(timer);
  }

  async kill(): Promise<void> {
    this.cpuSeconds();
    this.#child.kill('SIGKILL');
    await this.#gone();
  }

  async #gone(): Promise<void> {
    await this.ended;
    if (this.#ownFolder !== null) await rm(this.#ownFolder, { recursive: true, force: true });
  }
}

/** CPU of a process of ours, or null when it is gone. */
function cpuSecondsOf(pid: number): number | null {
  try {
    if (process.platform === 'linux') {
      const stat = parseThreadStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      return stat === null ? null : stat.userSeconds + stat.systemSeconds;
    }
    // [[days-]hours:]minutes:seconds
    const text = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [days, time] = text.includes('-') ? text.split('-') : ['0', text];
    return time!.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
  } catch {
    return null;
  }
}

function remedyFor(message: string): string {
  if (/Cannot find package 'chdb'|no native binding/.test(message)) {
    return `The demo needs chDB (543 MB, Linux with glibc or macOS), which engines do without: npm install chdb@${peerVersion('chdb')} beside headrace; npm ci in a checkout installs it.`;
  }
  if (message.includes('clickhouse-front-child.js')) return 'Build first: npm run build.';
  if (message.includes('EADDRINUSE')) return 'Give another port.';
  return 'See the message above.';
}
