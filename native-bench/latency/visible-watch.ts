import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, systemClock } from '#src/clock.js';
import type { ClickHouseSide } from '../clickhouse-side.js';

/**
 * When rows can be seen in ClickHouse. The rows of a file appear together, so one small question is enough: which files are
 * there? A row counts as visible when the first answer that has its file is in our hands: up to `pollMs` and a question late.
 */
export class VisibleWatch {
  /** By file_id, in decimal; ms since 1970. */
  readonly seenMs = new Map<string, number>();
  /** Answers so far, and the time that was spent on them. */
  polls = 0;
  pollingMs = 0;
  rows = 0;
  readonly #side: ClickHouseSide;
  readonly #database: string;
  readonly #pollMs: number;
  readonly #clock: Clock;
  #stopping = false;
  #running: Promise<void> | null = null;

  constructor(side: ClickHouseSide, database: string, pollMs: number, clock: Clock = systemClock) {
    this.#side = side;
    this.#database = database;
    this.#pollMs = pollMs;
    this.#clock = clock;
  }

  start(): void {
    this.#running = this.#run();
    this.#running.catch(() => undefined); // `stop` throws it
  }

  /** Throws what a question failed with. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const sql = `SELECT toString(file_id) AS file, toFloat64(count()) AS rows FROM ${this.#database}.session_metrics GROUP BY file_id`;
    while (!this.#stopping) {
      const askedMs = performance.now();
      const files = await this.#side.query<{ file: string; rows: number }>(sql);
      const nowMs = this.#clock.nowMs();
      for (const { file } of files) if (!this.seenMs.has(file)) this.seenMs.set(file, nowMs);
      this.rows = files.reduce((sum, { rows }) => sum + rows, 0);
      const tookMs = performance.now() - askedMs;
      this.polls++;
      this.pollingMs += tookMs;
      // never more than half of the time: the embedded one answers one question at a time, and the engine has some too
      await sleep(Math.max(this.#pollMs - tookMs, tookMs));
    }
  }
}
