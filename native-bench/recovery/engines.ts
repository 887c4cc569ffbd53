import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineChild } from '../engine-child.js';
import type { Reaper } from '../kafka-cluster/reaper.js';
import { type EngineLog, readEngineLog } from './engine-log.js';
import type { LaneCommits } from './lane-commits.js';

/** The engines of one group over one table, each a process of its own. */

export interface EnginesOptions {
  /** Path of engine.js. */
  engine: string;
  bootstrap: string;
  topic: string;
  group: string;
  table: string;
  folder: string;
  flags: readonly string[];
  reaper: Reaper;
}

export interface RunningEngine {
  child: EngineChild;
  log(): EngineLog;
}

const POLL_MS = 10;
const STOP_MS_MAX = 120_000;

export class Engines {
  readonly #options: EnginesOptions;
  #started = 0;
  /** Oldest first. */
  readonly running: RunningEngine[] = [];

  constructor(options: EnginesOptions) {
    this.#options = options;
  }

  start(more: readonly string[]): void {
    const { engine, folder, reaper, flags } = this.#options;
    const own = join(folder, `engine-${++this.#started}`);
    mkdirSync(own);
    const child = new EngineChild(
      engine,
      [...this.#arguments(), '--log-level', 'debug', ...flags, ...more],
      own,
      reaper,
    );
    const log = () => readEngineLog(readFileSync(join(own, 'engine.err'), 'utf8'));
    this.running.push({ child, log });
  }

  /** Looks at the ledger until something holds. Throws Error when it does not in time, or when an engine ends. */
  async until(what: string, commits: LaneCommits, withinMs: number, holds: () => boolean): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      commits.poll();
      if (holds()) return;
      for (const { child } of this.running) {
        if (await child.endsWithin(0)) throw new Error(`an engine ended:\n${child.tail()}`);
      }
      if (performance.now() > deadline) {
        const tails = this.running.map(({ child }) => child.tail(10)).join('\n\n');
        throw new Error(`not within ${withinMs / 1_000} s: ${what}\n${tails}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** Kills the oldest. */
  async kill(): Promise<void> {
    const { child } = this.running.shift()!;
    child.kill();
    if (!(await child.endsWithin(STOP_MS_MAX))) throw new Error('a killed engine goes on');
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.running.splice(0).map(({ child }) => child.stop(STOP_MS_MAX)));
  }

  /** One more engine, alone, that lets all out that is open and ends. */
  async finish(withinMs: number): Promise<void> {
    this.start(['--until-end']);
    const { child } = this.running.pop()!;
    if (!(await child.endsWithin(withinMs)))
      throw new Error(`the last engine does not end:\n${child.tail()}`);
    child.expectGoodEnd();
  }

  #arguments(): string[] {
    const { bootstrap, topic, group, table } = this.#options;
    const source = ['--brokers', bootstrap, '--topic', topic, '--group', group];
    return ['run', ...source, '--model', 'clickstream', '--lake', table];
  }
}
