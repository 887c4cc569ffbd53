import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reaper } from './kafka-cluster/reaper.js';

/** The built engine as a process, its output in two files. It ends when we end in whatever way. */
export class EngineChild {
  readonly #child: ChildProcess;
  readonly #out: string;
  readonly #err: string;
  readonly #ended: Promise<true>;

  /** `engine`: path of engine.js; `folder`: for its output. */
  constructor(engine: string, args: readonly string[], folder: string, reaper: Reaper) {
    this.#out = join(folder, 'engine.out');
    this.#err = join(folder, 'engine.err');
    const files = [openSync(this.#out, 'w'), openSync(this.#err, 'w')] as const;
    this.#child = spawn(process.execPath, [engine, ...args], { stdio: ['ignore', ...files] });
    for (const file of files) closeSync(file);
    const { pid } = this.#child;
    if (pid !== undefined) reaper.started(pid);
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', () => {
        if (pid !== undefined) reaper.ended(pid);
        resolve(true);
      });
    });
    // whoever waits for it hears of it; until then a failure to start is no unhandled one
    this.#ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  endsWithin(ms: number): Promise<boolean> {
    // a process that has ended is not waited for any longer: the timer alone keeps nobody
    return Promise.race([this.#ended, sleep(ms, false, { ref: false })]);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** An orderly stop. Throws Error when it does not end well. */
  async stop(withinMs: number): Promise<void> {
    this.#child.kill('SIGTERM');
    if (!(await this.endsWithin(withinMs))) {
      this.kill();
      throw new Error(`the engine did not stop within ${withinMs / 1_000} s:\n${this.tail()}`);
    }
    this.expectGoodEnd();
  }

  tail(lines = 30): string {
    const output = readFileSync(this.#out, 'utf8') + readFileSync(this.#err, 'utf8');
    return output.trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Throws Error when it ended otherwise, or not yet. */
  expectGoodEnd(): void {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== 0) throw new Error(`the engine ended with ${exitCode ?? signalCode}:\n${this.tail()}`);
  }

  /** What a bounded run with --json prints at its end. Throws Error when it did not end well. */
  lastLine<T>(): T {
    this.expectGoodEnd();
    return JSON.parse(readFileSync(this.#out, 'utf8').trimEnd().split('\n').at(-1) ?? '') as T;
  }
}
