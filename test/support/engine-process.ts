import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * The built engine as its own process, its output in two files. Whatever the process of the test comes to, its engines
 * are ended with it.
 */

export interface EngineOptions {
  brokers: string;
  topic: string;
  group: string;
  lake: string;
  /** Prefix of the files with what it prints: `<log>.out` and `<log>.err`. */
  log: string;
  untilEnd?: boolean;
  model?: string;
  /** More of the command line. */
  flags?: readonly string[];
  /** What its environment has beside ours. */
  env?: Readonly<Record<string, string>>;
}

/** What a bounded run with --json prints at its end. */
export interface RunResult {
  events: number;
  rows: number;
  deadLetters: number;
  lanes: number;
  haltedLanes: number;
  seconds: number;
  eventsPerSecond: number;
  cpuSeconds: { main: number; workers: number[]; others: number; total: number };
  cpuUsPerEvent: number;
  peakRssBytes: number;
}

export interface EngineExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

const ENGINE = fileURLToPath(new URL('../../dist/engine.js', import.meta.url));
const POLL_MS = 25;
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #exit: Promise<EngineExit>;
  #ended: EngineExit | null = null;

  constructor(options: EngineOptions) {
    this.#log = options.log;
    const out = openSync(`${options.log}.out`, 'w');
    const err = openSync(`${options.log}.err`, 'w');
    this.#child = spawn(process.execPath, [ENGINE, ...commandLine(options)], {
      stdio: ['ignore', out, err],
      env: { ...process.env, ...options.env },
    });
    closeSync(out);
    closeSync(err);
    alive.add(this.#child);
    this.#exit = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code, signal) => {
        alive.delete(this.#child);
        this.#ended = { code, signal };
        resolve(this.#ended);
      });
    });
  }

  /** How it ended, or null while it runs. */
  get ended(): EngineExit | null {
    return this.#ended;
  }

  /** All it has said so far, both streams. */
  get output(): string {
    return readFileSync(`${this.#log}.out`, 'utf8') + readFileSync(`${this.#log}.err`, 'utf8');
  }

  /** The last lines it said, for the message of a failure. */
  tail(lines = 40): string {
    return this.output.trimEnd().split('\n').slice(-lines).join('\n');
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for its end; one that does not come in time is made to come, and is a failure. */
  async exit(withinMs: number): Promise<EngineExit> {
    const late = sleep(withinMs, null, { ref: false });
    const exit = await Promise.race([this.#exit, late]);
    if (exit !== null) return exit;
    this.signal('SIGKILL');
    throw new Error(`the engine did not end within ${withinMs} ms:\n${this.tail()}`);
  }

  /** Waits for a good end and gives what a bounded run reports. */
  async result(withinMs: number): Promise<RunResult> {
    const exit = await this.exit(withinMs);
    if (exit.code !== 0) throw new Error(`the engine ended with ${JSON.stringify(exit)}:\n${this.tail()}`);
    const last = readFileSync(`${this.#log}.out`, 'utf8').trimEnd().split('\n').at(-1) ?? '';
    return JSON.parse(last) as RunResult;
  }

  /** An orderly stop: SIGTERM, and exit code 0. */
  async stop(withinMs: number): Promise<void> {
    this.signal('SIGTERM');
    const exit = await this.exit(withinMs);
    if (exit.code !== 0) throw new Error(`stopping gave ${JSON.stringify(exit)}:\n${this.tail()}`);
  }

  /** Ends it however it stands: for the end of a test. */
  async kill(): Promise<void> {
    if (this.#ended === null) this.signal('SIGKILL');
    await this.#exit;
  }

  /** Waits until something holds, which must happen while the engine runs. */
  async until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await holds())) {
      if (this.#ended !== null)
        throw new Error(`ended (${JSON.stringify(this.#ended)}) before ${what}:\n${this.tail()}`);
      if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}\n${this.tail()}`);
      await sleep(POLL_MS);
    }
  }

  /** Waits until it has said something. */
  async untilSays(pattern: RegExp, withinMs?: number): Promise<void> {
    await this.until(`it said ${pattern}`, () => pattern.test(this.output), withinMs);
  }
}

function commandLine(options: EngineOptions): string[] {
  const { brokers, topic, group, lake, untilEnd = false, model = 'clickstream', flags = [] } = options;
  const named = { brokers, topic, group, model, lake };
  const words = Object.entries(named).flatMap(([name, value]) => [`--${name}`, value]);
  return ['run', ...words, '--json', ...(untilEnd ? ['--until-end'] : []), ...flags];
}
