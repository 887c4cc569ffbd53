import { setImmediate } from 'node:timers/promises';
import { ClickHouseFollower } from '#src/followers/clickhouse/follower.js';
import { rewrittenInserter } from '#src/followers/rewritten-files.js';
import type { Action } from '#src/lake/delta/actions.js';
import type { CutEntry } from '#src/ledger/types.js';
import { type Random, seededRandom } from '#src/random.js';
import { FakeLog } from './fake-log.js';
import { HurriedClock, until } from './fake-time.js';
import { commitInfo } from './lake-table.js';
import { ModelClickHouse } from './model-clickhouse.js';

/** Two engines, their lanes, a ledger that they write and followers that bring a model of ClickHouse after it. */
const LANES = 4;
const WORKERS = 2;

interface SimEngine {
  name: string;
  follower: ClickHouseFollower;
  lanes: Set<number>;
}

export interface SimOptions {
  seed: number;
  steps: number;
  /** How many inserts ClickHouse recognises. */
  window: number;
  /** Do lanes move? A file of lanes of two engines then goes in when one of them is ready. */
  moves: boolean;
  /** May ClickHouse be set back? What is put back comes behind what came meanwhile. */
  restores: boolean;
  /** Are files erased, whole, before they are in or after? */
  erases?: boolean;
}

export class FollowerSim {
  readonly clock = new HurriedClock();
  readonly clickhouse: ModelClickHouse;
  readonly log = new FakeLog();
  readonly #random: Random;
  readonly #options: SimOptions;
  readonly #versions: Action[][] = [];
  /** Lanes of each file, in the ledger's order. */
  readonly #files = new Map<string, readonly number[]>();
  readonly #engines: SimEngine[] = [];
  readonly #erased = new Set<string>();
  #serial = 0;

  constructor(options: SimOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.clickhouse = new ModelClickHouse({
      clock: this.clock,
      random: this.#random,
      window: options.window,
      before: (path) => this.#before(path),
    });
    this.#engines.push(this.#engine([0, 1, 2]), this.#engine([3]));
  }

  /** Resolves to what is wrong in the end: files that are not in exactly once, and what went against the order. */
  async run(): Promise<string[]> {
    for (let step = 0; step < this.#options.steps; step++) {
      await this.#step();
      for (let turns = this.#random.below(12); turns > 0; turns--) await setImmediate();
    }
    this.clickhouse.faults = 0;
    // a follower compares when it has something to write
    this.#versions.push([]);
    await until('all is in', () =>
      this.#engines.every(({ follower, lanes }) => this.#isAtEnd(follower, lanes)),
    );
    for (const { follower } of this.#engines) {
      if (!(await follower.caughtUp(1e9))) return ['never caught up'];
    }
    for (const { follower } of this.#engines) await follower.close(0);
    const wrong = [...this.#files.keys()].flatMap((path) => {
      const count = this.clickhouse.counts.get(path) ?? 0;
      // what was under way when it was erased may still have landed
      const isRight = this.#erased.has(path) ? count <= 1 : count === 1;
      return isRight ? [] : [`${path} is in ${count} times`];
    });
    const inOrder = !this.#options.restores && !this.#options.moves;
    return inOrder ? [...wrong, ...this.clickhouse.disorder] : wrong;
  }

  #isAtEnd(follower: ClickHouseFollower, lanes: ReadonlySet<number>): boolean {
    const { files, versions } = follower.behind;
    return lanes.size === 0 || files + versions === 0;
  }

  async #step(): Promise<void> {
    if (this.#options.erases === true && this.#random.below(3) === 0) this.#erase();
    const lot = this.#random.below(100);
    if (lot < 50) this.#commit();
    else if (lot < 68) {
      if (this.#options.moves) await (lot < 62 ? this.#moveLane() : this.#stealLane());
    } else if (lot < 76) this.#crash();
    else if (lot < 82) this.clickhouse.restart();
    else if (lot < 88) this.clickhouse.merge();
    else if (lot < 94) this.clickhouse.faults = this.#random.below(3) * 0.3;
    else if (lot < 97) this.clock.advance(this.#random.below(3_600_000));
    else if (this.#options.restores) await this.#setBack();
  }

  #engine(lanes: readonly number[]): SimEngine {
    const name = `engine${++this.#serial}`;
    const { clickhouse, clock, log } = this;
    const follower = new ClickHouseFollower({
      tables: clickhouse.tables(),
      inserter: rewrittenInserter(clickhouse.inserter(), (path) =>
        this.#erased.has(path) ? { now: null, gone: [0] } : undefined,
      ),
      check: async () => {},
      readVersion: async (version) => this.#versions[version] ?? null,
      newestVersion: () => this.#versions.length - 1,
      appId: (partition) => `lane/${partition}`,
      workerOf: (partition) => partition % WORKERS,
      window: clickhouse.window,
      clock,
      random: seededRandom(this.#random.below(2 ** 31)),
      log,
    });
    follower.acquired(lanes);
    return { name, follower, lanes: new Set(lanes) };
  }

  /** A version of one engine's: a file a worker, sometimes two, each with some of its lanes. */
  #commit(): void {
    const engine = this.#engines[this.#random.below(this.#engines.length)]!;
    const files: NonNullable<CutEntry['files']> = [];
    const actions: Action[] = [];
    for (let worker = 0; worker < WORKERS; worker++) {
      const own = [...engine.lanes].filter((lane) => lane % WORKERS === worker);
      for (let count = this.#random.below(3); count > 0; count--) {
        const lanes = own.filter(() => this.#random.below(3) > 0);
        if (lanes.length === 0) continue;
        const path = `session_date=2026-01-01/part-${this.#versions.length}-${worker}-${++this.#serial}.parquet`;
        files.push({ path, rows: 1, lanes });
        this.#files.set(path, lanes);
        const add = { path, partitionValues: {}, size: 1, modificationTime: 1, dataChange: true };
        actions.push({ add });
      }
    }
    const cut: CutEntry = { id: '1', createdAtMs: 1, lanes: [], deadLetterFiles: [], files };
    this.#versions.push([{ commitInfo: commitInfo('attempt', { cuts: [cut] }) }, ...actions]);
    for (const { follower } of this.#engines) follower.committed(this.#versions.length - 1, []);
  }

  /** One of the last files. */
  #erase(): void {
    const path = [...this.#files.keys()].at(-1 - this.#random.below(6));
    if (path !== undefined) this.#erased.add(path);
  }

  #someLane(): { from: SimEngine; to: SimEngine; lane: number } {
    const lane = this.#random.below(LANES);
    const from = this.#engines.find(({ lanes }) => lanes.has(lane))!;
    const to = this.#engines.find((engine) => engine !== from)!;
    from.lanes.delete(lane);
    to.lanes.add(lane);
    return { from, to, lane };
  }

  async #moveLane(): Promise<void> {
    const { from, to, lane } = this.#someLane();
    await from.follower.released([lane], this.#random.below(100));
    to.follower.acquired([lane]);
  }

  /** The first owner learns of it late. */
  async #stealLane(): Promise<void> {
    const { from, to, lane } = this.#someLane();
    to.follower.acquired([lane]);
    const turns = this.#random.below(30);
    void this.#later(turns, () => {
      if (!from.lanes.has(lane)) from.follower.lost([lane]);
    });
  }

  #crash(): void {
    const index = this.#random.below(this.#engines.length);
    const dead = this.#engines[index]!;
    dead.follower.abandon();
    this.#engines[index] = this.#engine([...dead.lanes]);
  }

  /** A backup is made, things go on, and it is brought back. */
  async #setBack(): Promise<void> {
    if (!this.clickhouse.restore()) this.clickhouse.backup();
  }

  async #later(turns: number, work: () => void): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await setImmediate();
    work();
  }

  /** Files with a lane of this one that the ledger has before it. */
  #before(path: string): string[] {
    const lanes = this.#files.get(path)!;
    const earlier: string[] = [];
    for (const [other, theirs] of this.#files) {
      if (other === path) break;
      if (!this.#erased.has(other) && theirs.some((lane) => lanes.includes(lane))) earlier.push(other);
    }
    return earlier;
  }
}
