import type { Clock } from '../../clock.js';
import type { LedgerFile } from '../ledger-files.js';
import type { Doubtful, FollowerSchedule } from './schedule.js';
import type { StandstillWatch } from './standstill.js';
import { Supply } from './supply.js';
import type { FollowerTables } from './tables.js';

/**
 * Intent rows and done rows, those of several files in one statement: while files are under way, what is written for them waits
 * until there is more of it, or until somebody waits for it.
 */
export interface BookkeepingOptions {
  tables: FollowerTables;
  schedule: FollowerSchedule;
  standstill: StandstillWatch;
  clock: Clock;
  /** The server's clock, never later than it says when the call is over. */
  serverMs(): number;
  workerOf(file: LedgerFile): number | undefined;
  /** Workers that have an insert under way. */
  busy(): Iterable<number>;
  /** There is a done row for it. */
  foundDone(path: string): void;
  /** There is one that we have written. */
  recorded(path: string): void;
}

/** While inserts are under way, rows that nobody waits for are written this seldom, … */
const ROWS_MS = 250;
/** … or when there are so many. */
const ROWS_MAX = 16;

export class Bookkeeping {
  readonly #options: BookkeepingOptions;
  readonly #supply: Supply;
  #recordedMs = Number.NEGATIVE_INFINITY;
  #seenMs = Number.NEGATIVE_INFINITY;

  constructor(options: BookkeepingOptions) {
    this.#options = options;
    this.#supply = new Supply(options.clock);
  }

  /** A worker's insert has ended well. */
  landed(worker: number): void {
    this.#supply.landed(worker);
  }

  /** How long until there is something to do, as things stand; null: nothing. */
  get dueMs(): number | null {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#toPrepare().length + this.toSettle().due.length > 0) return 0;
    const { schedule } = this.#options;
    const waits = [
      this.#waitMs(schedule.toRecord().length, this.#recordedMs, nowMs, schedule.isRecordAwaited),
      this.#waitMs(schedule.toSee().length, this.#seenMs, nowMs, false),
    ].filter((ms) => ms !== null);
    return waits.length === 0 ? null : Math.min(...waits);
  }

  /** Done rows for what is in. `now`: however few there are. */
  async record(now = false): Promise<void> {
    const { schedule, tables, clock, serverMs } = this.#options;
    const files = schedule.toRecord();
    const nowMs = clock.monotonicMs();
    const waitMs = this.#waitMs(files.length, this.#recordedMs, nowMs, now || schedule.isRecordAwaited);
    if (waitMs !== 0) return;
    await tables.recordDone(files, serverMs());
    this.#recordedMs = clock.monotonicMs();
    // what is noted first is looked for with the others of this time
    if (schedule.toSee().length === 0) this.#seenMs = this.#recordedMs;
    schedule.noted(files.map(({ path }) => path));
  }

  /**
   * Intent rows for what is to be tried next, unless somebody has been at it; and are the done rows there that were written? False:
   * some are not. Their intents were gone, as behind a restored backup, so that they went in says nothing of what ClickHouse holds now.
   */
  async look(now = false): Promise<boolean> {
    const { schedule, tables, standstill, clock, serverMs } = this.#options;
    const askedMs = clock.monotonicMs();
    const wanted = this.#toPrepare();
    const noted = schedule.toSee();
    const waitMs = this.#waitMs(noted.length, this.#seenMs, askedMs, now);
    if (wanted.length === 0 && waitMs !== 0) return true;
    const intentAtMs = serverMs();
    const states = await tables.states([...wanted, ...noted].map(({ path }) => path));
    const answeredMs = clock.monotonicMs();
    this.#seenMs = answeredMs;
    if (!this.#see(noted, states)) return false;
    for (const { path } of wanted) {
      const state = states.get(path);
      if (state?.done === true) this.#options.foundDone(path);
      else if (state !== undefined) schedule.foundIntent(path, state.atMs, state.attempt);
    }
    const fresh = schedule.foundNothing(wanted.filter(({ path }) => !states.has(path)));
    await tables.writeStates('intent', fresh, intentAtMs);
    if (standstill.since(askedMs)) return true;
    const paths = fresh.map(({ path }) => path);
    schedule.prepared(paths, intentAtMs, answeredMs);
    return true;
  }

  /** Files in doubt that could be begun when they are settled, and behind them those whose turn comes while that holds. */
  toSettle(): { due: Doubtful[]; behind: Doubtful[] } {
    const { schedule, clock, workerOf } = this.#options;
    const nowMs = clock.monotonicMs();
    const due = this.#startable(schedule.toSettle(nowMs), ({ file }) => file);
    if (due.length === 0) return { due, behind: [] };
    const paths = new Set(due.map(({ file }) => file.path));
    const behind = schedule.toSettleAhead(nowMs).filter(({ file }) => !paths.has(file.path));
    return { due, behind: this.#supply.next(behind, ({ file }) => workerOf(file)) };
  }

  #see(noted: readonly LedgerFile[], states: ReadonlyMap<string, { done: boolean }>): boolean {
    const there = noted.filter(({ path }) => states.get(path)?.done === true).map(({ path }) => path);
    this.#options.schedule.recorded(there);
    for (const path of there) this.#options.recorded(path);
    return there.length === noted.length;
  }

  /** What is due, and when a worker's supply runs low, what comes behind. */
  #toPrepare(): LedgerFile[] {
    const { schedule, clock, workerOf } = this.#options;
    const nowMs = clock.monotonicMs();
    const due = this.#startable(schedule.toPrepare(nowMs), (file) => file);
    const behind = this.#supply.refill(
      schedule.toPrepareAhead(nowMs),
      workerOf,
      schedule.ready.map((file) => workerOf(file)),
    );
    return [...new Set([...due, ...behind])];
  }

  /** What is learnt of a file holds for seconds: no more is looked at than can be begun, one for each worker that is free. */
  #startable<T>(due: readonly T[], fileOf: (each: T) => LedgerFile): T[] {
    const workers = new Set<number | undefined>([undefined, ...this.#options.busy()]);
    return due.filter((each) => {
      const worker = this.#options.workerOf(fileOf(each));
      return !workers.has(worker) && workers.add(worker);
    });
  }

  #waitMs(count: number, lastMs: number, nowMs: number, isAwaited: boolean): number | null {
    if (count === 0) return null;
    const isQuiet = [...this.#options.busy()].length === 0;
    if (isAwaited || isQuiet || count >= ROWS_MAX) return 0;
    return Math.max(0, lastMs + ROWS_MS - nowMs);
  }
}
