import { setImmediate } from 'node:timers/promises';
import { type RowProbe, tokenOf } from '#src/clickhouse/file.js';
import { HeadraceError } from '#src/errors.js';
import type { ServerFacts } from '#src/followers/clickhouse/doubt.js';
import type { FileInserter, InsertOutcome } from '#src/followers/clickhouse/file-inserter.js';
import type {
  FileState,
  FollowerTables,
  PositionRow,
  StoredPosition,
} from '#src/followers/clickhouse/tables.js';
import type { LedgerFile } from '#src/followers/ledger-files.js';
import type { Random } from '#src/random.js';
import type { HurriedClock } from './fake-time.js';

/**
 * ClickHouse as far as exactly once goes: files that are in so and so often, tokens of the last inserts, the follower's two
 * tables. Everything may fail before or after it is done, and an insert may land after its answer was lost.
 */
interface Content {
  /** By path: how often the file's rows are in. */
  files: Map<string, number>;
  states: Map<string, FileState>;
  positions: Map<string, StoredPosition>;
}

export class ModelClickHouse {
  #content: Content = { files: new Map(), states: new Map(), positions: new Map() };
  #backup: Content | null = null;
  /** Newest last; at most `window`. */
  #tokens: string[] = [];
  #startedMs: number;
  /** What a server has not begun when it ends never lands. */
  #run = 0;
  #restores = 0;
  #awayUntilMs = 0;
  /** Files without a row left that carries their id: merges took them. */
  readonly #vanished = new Set<string>();
  /** What went against the ledger's order, by the files' index in `order`. */
  readonly disorder: string[] = [];
  /** How often a call goes wrong, 0 to 1. */
  faults = 0;
  readonly window: number;
  readonly #clock: HurriedClock;
  readonly #random: Random;
  readonly #before: (path: string) => string[];

  /** `before`: the files that must be in before one is. */
  constructor(options: {
    clock: HurriedClock;
    random: Random;
    window: number;
    before(path: string): string[];
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.window = options.window;
    this.#before = options.before;
    this.#startedMs = options.clock.nowMs() - 3_600_000;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#content.files;
  }

  /** The tokens may be gone with a crash; it is away for a while. */
  restart(): void {
    this.#run++;
    this.#awayUntilMs = this.#clock.nowMs() + 3_000;
    this.#startedMs = this.#clock.nowMs();
    if (this.#random.below(2) === 0) this.#tokens = [];
  }

  backup(): void {
    this.#backup = structuredClone(this.#content);
  }

  /** Into a server that is started for it. False: there is no backup. */
  restore(): boolean {
    if (this.#backup === null) return false;
    this.#run++;
    this.#restores++;
    this.#awayUntilMs = this.#clock.nowMs() + 3_000;
    this.#startedMs = this.#clock.nowMs();
    this.#content = structuredClone(this.#backup);
    this.#tokens = [];
    for (const path of this.#vanished) if (!this.#content.files.has(path)) this.#vanished.delete(path);
    return true;
  }

  /** Merges take all rows with the id of some files away. */
  merge(): void {
    for (const path of this.#content.files.keys()) if (this.#random.below(4) === 0) this.#vanished.add(path);
  }

  /** As somebody wrote it before. */
  hasPosition(appId: string, position: StoredPosition): void {
    this.#content.positions.set(appId, position);
  }

  has(path: string): boolean {
    return this.#content.files.has(path);
  }

  /** What one engine's connection can do. */
  tables(): FollowerTables {
    const clock = this.#clock;
    const nowMs = () => clock.nowMs();
    return {
      serverNowMs: () => this.#call(() => nowMs()),
      facts: (intentAtMs) => this.#call(() => this.#facts(intentAtMs)),
      positions: (appIds) => this.#call(() => this.#pick(this.#content.positions, appIds)),
      writePositions: (rows) => this.#call(() => this.#writePositions(rows)),
      states: (paths) => this.#call(() => this.#pick(this.#content.states, paths)),
      writeStates: (state, files, atMs) => this.#call(() => this.#writeStates(state, files, atMs)),
      recordDone: (files, atMs) => this.#call(() => this.#recordDone(files, atMs)),
      present: (files) => this.#call(() => this.#present(files)),
      signOf: (probe) => this.#call(() => this.#signOf(probe)),
      views: async () => [],
    };
  }

  inserter(): FileInserter {
    return {
      insert: (_worker, file, signal) => this.#insert(file.path, tokenOf(file), signal),
      // the first row of a file: every other file begins with one that takes back
      probe: async (_worker, file) => probeOf(file.path),
      forget: () => {},
    };
  }

  #facts(intentAtMs: number): ServerFacts {
    const nowMs = this.#clock.nowMs();
    const since = [...this.#content.states.values()].filter(({ atMs }) => atMs >= intentAtMs);
    return {
      nowMs,
      uptimeSeconds: Math.floor((nowMs - this.#startedMs) / 1_000),
      insertsSince: since.length,
    };
  }

  #writePositions(rows: readonly PositionRow[]): void {
    for (const { appId, version, seq } of rows) {
      const there = this.#content.positions.get(appId);
      if (there === undefined || there.seq <= seq) this.#content.positions.set(appId, { version, seq });
    }
  }

  #writeStates(
    state: 'intent' | 'done',
    files: readonly (LedgerFile & { attempt?: number })[],
    atMs: number,
  ): void {
    for (const { path, attempt = 0 } of files) {
      const done = state === 'done';
      if (done || this.#content.states.get(path)?.done !== true)
        this.#content.states.set(path, { done, atMs, attempt });
    }
  }

  #recordDone(files: readonly LedgerFile[], atMs: number): Set<string> {
    const begun = files.filter(({ path }) => this.#content.states.has(path));
    this.#writeStates('done', begun, atMs);
    return new Set(begun.map(({ path }) => path));
  }

  #pick<V>(all: ReadonlyMap<string, V>, keys: readonly string[]): Map<string, V> {
    return new Map(keys.flatMap((key) => (all.has(key) ? [[key, all.get(key)!] as const] : [])));
  }

  #present(files: readonly Pick<LedgerFile, 'fileId'>[]): Set<string> {
    const there = [...this.#content.files.keys()].filter((path) => !this.#vanished.has(path));
    const ids = new Set(there.map(fileIdOf));
    return new Set(files.map(({ fileId }) => fileId).filter((id) => ids.has(id)));
  }

  #signOf({ sessionId, sign }: RowProbe): number {
    const isIn = this.#content.files.has(sessionId);
    return sign > 0 ? Number(isIn) : Number(!isIn);
  }

  /** Lost answers, refusals, and inserts that land after nobody waits for them any more. */
  async #insert(path: string, token: string, signal: AbortSignal): Promise<InsertOutcome> {
    await setImmediate();
    if (this.#isAway) return { error: failure(this.#random), unknown: true };
    const lot = this.#random.float();
    if (lot >= this.faults) this.#land(path, token);
    else if (lot >= this.faults / 2) {
      if (this.#random.below(2) === 0) this.#land(path, token);
      else void this.#landLate(path, token);
    }
    if (lot >= this.faults && !signal.aborted) return { error: null, unknown: false };
    return { error: failure(this.#random), unknown: true };
  }

  async #landLate(path: string, token: string): Promise<void> {
    const run = this.#run;
    const restores = this.#restores;
    for (let turns = this.#random.below(20); turns > 0; turns--) await setImmediate();
    if (run === this.#run) this.#land(path, token);
    // it was killed between noting the token and storing the rows; what it noted is not in a backup from before
    else if (this.#random.below(2) === 0 && restores === this.#restores) this.#tokens.push(token);
  }

  #land(path: string, token: string): void {
    if (this.#tokens.includes(token)) return;
    this.#tokens = [...this.#tokens, token].slice(-this.window);
    const { files } = this.#content;
    const missing = this.#before(path).filter((earlier) => !files.has(earlier));
    if (missing.length > 0) this.disorder.push(`${path} before ${missing}`);
    files.set(path, (files.get(path) ?? 0) + 1);
    this.#vanished.delete(path);
  }

  get #isAway(): boolean {
    return this.#clock.nowMs() < this.#awayUntilMs;
  }

  async #call<T>(work: () => T): Promise<T> {
    await setImmediate();
    if (this.#isAway || this.#random.float() < this.faults / 4) throw failure(this.#random);
    const result = work();
    await setImmediate();
    if (this.#random.float() < this.faults / 4) throw failure(this.#random);
    return result;
  }
}

function probeOf(path: string): RowProbe {
  return {
    sessionId: path,
    sessionStartMs: 0,
    revision: 0,
    sign: BigInt(fileIdOf(path)) % 2n === 0n ? 1 : -1,
  };
}

function fileIdOf(path: string): string {
  return /-(\d+)\.parquet$/.exec(path)![1]!;
}

function failure(random: Random): HeadraceError {
  const code = random.below(3) === 0 ? 'CLICKHOUSE_REFUSED' : 'CLICKHOUSE_UNREACHABLE';
  return new HeadraceError(code, 'as the dice fell');
}
