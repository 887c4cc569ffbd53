import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../clock.js';
import { HeadraceError, messageOf } from '../errors.js';

/**
 * The demo's engine: `headrace run` as anybody would start it, in a process of its own, its output in a file.
 *
 * It has its own process group, so that Ctrl-C reaches the demo alone, and an IPC channel, so that it ends when the demo
 * dies. A second signal would end it without sealing: it gets one.
 */

/** From the sources (tests) it is the built one too: Node can't run TypeScript by itself. */
const BUILT = new URL(import.meta.url.endsWith('.ts') ? '../../dist/commands/' : './', import.meta.url);
const ENTRY = fileURLToPath(new URL('../engine.js', BUILT));
const END_WITH_PARENT = new URL('../embedded/end-with-parent.js', BUILT).href;
const TAIL_LINES = 20;
/** Statements of seconds, on a machine that may have other things to do. */
const MIGRATE_TIMEOUT_MS = 180_000;

/** Makes a model's tables as anybody would. Gives the command line and what it did; throws DEMO_FAILED. */
export async function migrate(model: string, clickhouseUrl: string): Promise<string> {
  const args = ['clickhouse', 'migrate', '--model', model, '--clickhouse', clickhouseUrl];
  return await new Promise((resolve, reject) => {
    execFile(process.execPath, [ENTRY, ...args], { timeout: MIGRATE_TIMEOUT_MS }, (error, stdout, stderr) => {
      // the plan says the same before
      const done = stdout.split('\n').filter((line) => line.startsWith('done'));
      if (error === null) resolve([`$ headrace ${args.join(' ')}`, ...done].join('\n'));
      else {
        const why = stderr.trim() === '' ? `no end within ${MIGRATE_TIMEOUT_MS / 1_000} s` : stderr;
        reject(new HeadraceError('DEMO_FAILED', `the tables of ${model} could not be made: ${why}`));
      }
    });
  });
}

export class DemoEngine {
  readonly logPath: string;
  /** How it ended: `exit code 0`, `SIGKILL`, … Never rejects. */
  readonly ended: Promise<string>;
  readonly #process: ChildProcess;
  readonly #clock: Clock;
  #running = true;
  #asked = false;

  private constructor(process: ChildProcess, logPath: string, clock: Clock) {
    this.#process = process;
    this.logPath = logPath;
    this.#clock = clock;
    this.ended = new Promise((resolve) => {
      const end = (how: string) => {
        this.#running = false;
        resolve(how);
      };
      process.once('error', (error) => end(messageOf(error)));
      process.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
    });
  }

  /** `args`: the command line behind `headrace`. */
  static async start(args: readonly string[], logPath: string, clock = systemClock): Promise<DemoEngine> {
    const file = await open(logPath, 'a');
    try {
      const child = spawn(process.execPath, ['--import', END_WITH_PARENT, ENTRY, ...args], {
        stdio: ['ignore', file.fd, file.fd, 'ipc'],
        detached: true,
      });
      return new DemoEngine(child, logPath, clock);
    } finally {
      await file.close();
    }
  }

  /** Asks for the orderly stop and waits; after `timeoutMs` it is killed. Gives how it ended. */
  async stop(timeoutMs: number): Promise<string> {
    if (this.#running && !this.#asked) this.#process.kill('SIGTERM');
    this.#asked = true;
    return await this.#endWithin(timeoutMs);
  }

  /** Waits until it ends by itself; throws DEMO_FAILED, with the end of its log, unless that is with exit code 0. */
  async finish(what: string, timeoutMs: number): Promise<void> {
    const how = await this.#endWithin(timeoutMs);
    if (how !== 'exit code 0') throw await this.failure(what, how);
  }

  async failure(what: string, how: string): Promise<HeadraceError> {
    const text = await readFile(this.logPath, 'utf8').catch(() => '');
    const tail = text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
    return new HeadraceError('DEMO_FAILED', `${what}: ${how}; the end of its log:\n${tail}\n`);
  }

  async #endWithin(timeoutMs: number): Promise<string> {
    const inTime = new AbortController();
    void this.#clock.sleep(timeoutMs, inTime.signal).then(() => {
      if (this.#running && !inTime.signal.aborted) this.#process.kill('SIGKILL');
    });
    const how = await this.ended;
    inTime.abort();
    return how;
  }
}
