import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../../errors.js';
import { failed, type Outcome } from '../../http/outcome.js';
import type { PageRequest } from './requests.js';

/**
 * A process that looks things up for the page: begun by the first who asks, ended when nobody has asked for a while. A log of ten
 * thousand versions, or a file of dead letters, may cost seconds of CPU; the engine's event loop and heap have no part in it, and what
 * takes too long is ended. One request at a time, few wait.
 */
export interface PageProcessOptions {
  /** How many may wait or be under way. */
  requestsMax: number;
  /** What is said to those beyond. */
  busy: string;
  /** For tests; else the built one. */
  path?: string;
}

const HEAP_MB = 512;
const IDLE_MS = 60_000;
/** From the sources (tests) the child is the built one too: Node can't run TypeScript by itself. */
const CHILD_PATH = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../../dist/commands/page/child.js' : './child.js',
    import.meta.url,
  ),
);

export class PageProcess {
  readonly #options: PageProcessOptions;
  #child: ChildProcess | null = null;
  #requests = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | null = null;

  constructor(options: PageProcessOptions) {
    this.#options = options;
  }

  /** Never rejects. `T`: what the request's kind is answered with. */
  async ask<T>(request: PageRequest, withinMs: number): Promise<Outcome<T>> {
    const { requestsMax, busy } = this.#options;
    if (this.#requests >= requestsMax) return failed(409, busy, 'ask again when that is done');
    this.#requests++;
    const mine = this.#turn.then(() => this.#exchange<T>(request, withinMs));
    this.#turn = mine;
    const outcome = await mine;
    this.#requests--;
    if (this.#requests === 0) this.#endWhenIdle();
    return outcome;
  }

  /** Ends it, whatever is under way. */
  close(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #exchange<T>(request: PageRequest, withinMs: number): Promise<Outcome<T>> {
    const child = this.#running();
    return new Promise((resolve) => {
      const finish = (outcome: Outcome<T>) => {
        clearTimeout(timer);
        child.removeAllListeners('message');
        child.removeAllListeners('exit');
        child.removeAllListeners('error');
        // what is left of it must not end the engine
        child.on('error', () => undefined);
        resolve(outcome);
      };
      const gone = (how: string) => {
        if (this.#child === child) this.#child = null;
        finish(failed(503, `the process that looks for the page ended: ${how}`));
      };
      const timer = setTimeout(() => {
        this.close();
        finish(failed(503, `it took longer than ${withinMs / 1_000} s and was given up`));
      }, withinMs);
      child.once('message', (outcome) => finish(outcome as Outcome<T>));
      child.once('exit', (code, signal) => gone(signal ?? `exit code ${code}`));
      child.once('error', (error) => gone(messageOf(error)));
      // a child that is gone is reported by its exit
      child.send(request, () => undefined);
    });
  }

  #running(): ChildProcess {
    if (this.#idle !== null) clearTimeout(this.#idle);
    if (this.#child !== null && isThere(this.#child)) return this.#child;
    const { NODE_OPTIONS: _, ...environment } = process.env;
    this.#child = fork(this.#options.path ?? CHILD_PATH, [], {
      env: environment,
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // an engine that is done does not wait for it
    this.#child.unref();
    this.#child.channel?.unref();
    return this.#child;
  }

  #endWhenIdle(): void {
    this.#idle = setTimeout(() => this.close(), IDLE_MS);
    this.#idle.unref();
  }
}

/** What panels need of one. */
export type Helper = Pick<PageProcess, 'ask' | 'close'>;

function isThere({ connected, exitCode, signalCode }: ChildProcess): boolean {
  return connected && exitCode === null && signalCode === null;
}
