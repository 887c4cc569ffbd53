import type { Clock } from '../../clock.js';
import { WakeSignal } from '../../kafka/wake-signal.js';
import type { Action } from '../../lake/delta/actions.js';
import type { Random } from '../../random.js';
import type { PlainLog } from '../../telemetry/log.js';
import { refuseAhead } from '../ahead.js';
import { LaneOffsets } from '../lane-offsets.js';
import { filesOfVersion, type LedgerFile } from '../ledger-files.js';
import { concernsFile, FollowerTrouble } from '../trouble.js';
import { withinMs } from '../within-ms.js';
import { BacklogLines, countFiles } from './backlog.js';
import type { FileInserter, InsertOutcome } from './file-inserter.js';
import { Flights } from './flights.js';
import { logBehind, logTooShort } from './log-too-short.js';
import { FollowerPositions } from './positions.js';
import { type Doubtful, FollowerSchedule } from './schedule.js';
import { Settlement } from './settlement.js';
import { StandstillWatch } from './standstill.js';
import type { FollowerTables } from './tables.js';

/**
 * Brings ClickHouse after the ledger: each file that our cuts committed goes in once, in the order of its lanes. What is to be
 * done is decided in schedule.ts; here it is carried out, by one loop beside which the workers' inserts run. Whatever happens
 * to ClickHouse, nobody else waits for it: its backlog is in the lake.
 */
export interface ClickHouseFollowerOptions {
  tables: FollowerTables;
  inserter: FileInserter;
  /** Are the tables fit? Throws HeadraceError CLICKHOUSE_…. Asked at the first contact, and again behind each trouble. */
  check(): Promise<void>;
  /** Null: the log does not have it. */
  readVersion(version: number): Promise<readonly Action[] | null>;
  newestVersion(): number;
  appId(partition: number): string;
  /** The worker that keeps a lane. */
  workerOf(partition: number): number | undefined;
  /** Inserts for which ClickHouse tells a repetition. */
  window: number;
  clock: Clock;
  random: Random;
  log: PlainLog;
  /** Every file of the lane up to this version is in, and in it the lane stands at `offset`. */
  onReached?(partition: number, version: number, offset: bigint): void;
}

/** What this engine has inserted. */
export interface FollowerFigures {
  files: number;
  rows: number;
}

const POSITIONS_MS = 5_000;
/** While nothing moves the positions are only compared. */
const COMPARE_MS = 60_000;
const SET_BACK_MS = 500;
/** Versions read in one turn: between turns come acquired and released lanes. */
const VERSIONS_PER_TURN = 50;
const IDLE_MS = 1_000;
/** What a hand-over waits for the rows that say how far the lanes are. */
const FLUSH_MS = 2_000;

export class ClickHouseFollower {
  readonly #options: ClickHouseFollowerOptions;
  readonly #schedule = new FollowerSchedule();
  readonly #positions: FollowerPositions;
  readonly #settlement: Settlement;
  readonly #trouble: FollowerTrouble;
  readonly #wake: WakeSignal;
  readonly #standstill: StandstillWatch;
  readonly #backlog: BacklogLines;
  readonly #offsets = new LaneOffsets();
  /** Lanes that are ours and whose positions were not read yet. */
  readonly #wanted = new Set<number>();
  /** Lanes that are about to go: nothing of theirs is begun any more. */
  readonly #leaving = new Set<number>();
  readonly #flights = new Flights();
  readonly #figures: FollowerFigures = { files: 0, rows: 0 };
  /** The server's clock less our monotonic one; null: it was not asked since the last trouble. */
  #serverAheadMs: number | null = null;
  #checked = false;
  #positionsMs = Number.NEGATIVE_INFINITY;
  #turnMs = Number.NEGATIVE_INFINITY;
  #hurry = false;
  #closed = false;
  #turns: Promise<unknown> = Promise.resolve();
  readonly #running: Promise<void>;

  constructor(options: ClickHouseFollowerOptions) {
    this.#options = options;
    const { tables, appId, clock, random, log } = options;
    this.#positions = new FollowerPositions({ tables, appId });
    this.#trouble = new FollowerTrouble({ clock, random, log });
    this.#standstill = new StandstillWatch(clock);
    this.#settlement = new Settlement({
      ...options,
      standstill: this.#standstill,
      schedule: this.#schedule,
      trouble: this.#trouble,
      workerOf: (file) => this.#workerOf(file),
      foundDone: (path) => this.#foundDone(path),
    });
    this.#wake = new WakeSignal(clock);
    this.#backlog = new BacklogLines(log, clock);
    this.#running = this.#run();
  }

  get figures(): Readonly<FollowerFigures> {
    return this.#figures;
  }

  /** Up to which version of the ledger each of our lanes is in, and whether nothing gets on. */
  get health(): { positions: ReadonlyMap<number, number>; isInTrouble: boolean } {
    return { positions: this.#schedule.positions(), isInTrouble: this.#trouble.isOn };
  }

  /** Files that are known and not in, and versions of the ledger that were not looked at yet. */
  get behind(): { files: number; versions: number } {
    const versions =
      this.#schedule.lanes.size === 0 ? 0 : this.#options.newestVersion() + 1 - this.#schedule.cursor;
    return { files: this.#schedule.open.files, versions: Math.max(0, versions) };
  }

  /** These lanes are ours, and take part in cuts. */
  acquired(partitions: readonly number[]): void {
    for (const partition of partitions) this.#wanted.add(partition);
    this.#wake.wake();
  }

  /** The ledger's version brought lanes to these offsets. */
  committed(version: number, lanes: readonly { partition: number; to: bigint }[]): void {
    for (const { partition, to } of lanes) this.#offsets.committed(partition, version, to);
    this.#wake.wake();
  }

  /** These lanes go: what is under way is finished within the time or given up, where they stand is written. Never rejects. */
  async released(partitions: readonly number[], timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    for (const partition of partitions) {
      this.#wanted.delete(partition);
      this.#leaving.add(partition);
    }
    await this.#flights.finish(partitions, clock, timeoutMs, FLUSH_MS);
    if (!this.#trouble.isOn) await withinMs(clock, FLUSH_MS, this.#flush());
    this.#drop(partitions);
  }

  /** These lanes are somebody else's already. */
  lost(partitions: readonly number[]): void {
    for (const partition of partitions) this.#leaving.add(partition);
    this.#flights.abandon(partitions, (lane) => this.#isOurs(lane));
    this.#drop(partitions);
  }

  /**
   * Resolves when ClickHouse has all that the ledger has of our lanes, as it stands then: true; or when nothing has moved
   * for so long: false.
   */
  async caughtUp(noProgressMs: number, signal?: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    this.#hurry = true;
    this.#wake.wake();
    let before = '';
    let movedMs = clock.monotonicMs();
    while (!this.#isCaughtUp()) {
      if (signal?.aborted === true || this.#closed || this.#trouble.halted !== null) return false;
      const now = `${this.#figures.files} ${this.#schedule.cursor} ${this.#schedule.open.files} ${this.#wanted.size}`;
      if (now !== before) movedMs = clock.monotonicMs();
      before = now;
      if (clock.monotonicMs() - movedMs >= noProgressMs) return false;
      await clock.sleep(20, signal);
    }
    this.#hurry = false;
    return true;
  }

  /**
   * Finishes what can be finished within the time, and ends. Resolves to the number of files of our lanes that are left for
   * the next start.
   */
  async close(timeoutMs: number): Promise<number> {
    const { clock } = this.#options;
    const tooLate = new AbortController();
    if (!this.#trouble.isOn) await withinMs(clock, timeoutMs, this.caughtUp(timeoutMs, tooLate.signal));
    tooLate.abort();
    const behind = await this.#countBehind();
    await this.released([...this.#schedule.lanes], 0);
    this.#closed = true;
    this.#standstill.close();
    this.#wake.wake();
    await withinMs(clock, FLUSH_MS, this.#running);
    return behind;
  }

  /** Ends at once: what is under way is nobody's any more. */
  abandon(): void {
    this.#closed = true;
    this.#standstill.close();
    this.#wake.wake();
  }

  async #countBehind(): Promise<number> {
    const { newestVersion, readVersion } = this.#options;
    const lanes = new Set([...this.#schedule.lanes, ...this.#wanted]);
    if (lanes.size === 0) return 0;
    const { cursor, open } = this.#schedule;
    return open.files + (await countFiles(lanes, cursor, newestVersion(), readVersion));
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#closed) {
      if (clock.monotonicMs() >= this.#trouble.untilMs) {
        try {
          await this.#exclusive(() => this.#turn());
        } catch (error) {
          this.#failed(error);
        }
      }
      await this.#wake.sleep(this.#waitMs());
    }
  }

  async #turn(): Promise<void> {
    if (this.#isIdle()) return;
    const newest = this.#options.newestVersion();
    await this.#contact();
    await this.#acquire();
    await this.#readLedger(newest);
    const awaited = this.#schedule.awaited();
    if (awaited.length > 0) this.#schedule.othersAt(await this.#positions.ofOthers(awaited));
    await this.#record();
    await this.#prepare();
    await this.#settlement.settle(this.#toSettle());
    this.#insert();
    await this.#writePositions();
    this.#backlog.tell(this.behind, this.#figures.rows);
    if (this.#schedule.open.files === 0) this.#trouble.over(0);
  }

  #isIdle(): boolean {
    return this.#schedule.lanes.size + this.#wanted.size + this.#schedule.toRecord().length === 0;
  }

  #waitMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < this.#trouble.untilMs) return Math.min(this.#trouble.untilMs - nowMs, IDLE_MS);
    const schedule = this.#schedule;
    const more =
      schedule.wantsVersion(this.#options.newestVersion()) ||
      this.#toPrepare().length + this.#toSettle().length + schedule.toRecord().length > 0;
    if (more) return 0;
    const retryMs = schedule.nextRetryMs(nowMs);
    return Math.min(IDLE_MS, retryMs === null ? IDLE_MS : retryMs - nowMs, this.#hurry ? 20 : IDLE_MS);
  }

  async #contact(): Promise<void> {
    const { check, tables, clock } = this.#options;
    // after a standstill all that was known is old news: a backup may have been brought back meanwhile
    if (this.#standstill.since(this.#turnMs)) this.#lineBroke();
    this.#turnMs = clock.monotonicMs();
    if (!this.#checked) {
      await check();
      this.#checked = true;
    }
    if (this.#serverAheadMs !== null) return;
    const aheadMs = (await tables.serverNowMs()) - clock.monotonicMs();
    await this.#compare();
    this.#serverAheadMs = aheadMs;
  }

  /** Was ClickHouse set back? Looked at twice, since a replica that is behind looks the same for a while. */
  async #compare(): Promise<void> {
    const lanes = [...this.#schedule.lanes];
    if (!(await this.#positions.isSetBack(lanes))) return;
    await this.#options.clock.sleep(SET_BACK_MS);
    if (await this.#positions.isSetBack(lanes)) await this.#startOver();
  }

  /** Never later than the server's clock says when the call is over. */
  #serverMs(): number {
    return Math.floor(this.#serverAheadMs! + this.#options.clock.monotonicMs());
  }

  async #acquire(): Promise<void> {
    const partitions = [...this.#wanted];
    if (partitions.length === 0) return;
    const positions = await this.#positions.read(partitions);
    for (const [partition, position] of positions)
      await refuseAhead(partition, position, this.#options, logBehind);
    for (const [partition, position] of positions) {
      if (!this.#wanted.delete(partition)) continue;
      this.#leaving.delete(partition);
      this.#schedule.hold(partition, position);
    }
  }

  async #readLedger(newest: number): Promise<void> {
    const { readVersion } = this.#options;
    for (let read = 0; read < VERSIONS_PER_TURN && this.#schedule.wantsVersion(newest); read++) {
      const version = this.#schedule.cursor;
      const actions = await readVersion(version);
      if (actions === null) throw logTooShort(version);
      const { files, skipped } = filesOfVersion(version, actions);
      this.#schedule.addVersion(version, files, skipped);
    }
    this.#tellPositions();
  }

  async #record(): Promise<void> {
    const files = this.#schedule.toRecord();
    if (files.length === 0) return;
    const recorded = await this.#options.tables.recordDone(files, this.#serverMs());
    this.#schedule.recorded(recorded);
    for (const path of recorded) this.#positions.recorded(path);
    this.#tellPositions();
    if (recorded.size === files.length) return;
    // their intents are gone, as behind a restored backup: that they went in says nothing of what ClickHouse holds now
    this.#schedule.lineBroke();
    await this.#compare();
  }

  #toPrepare(): LedgerFile[] {
    const due = this.#schedule.toPrepare(this.#options.clock.monotonicMs());
    return this.#startable(due, (file) => file);
  }

  #toSettle(): Doubtful[] {
    const due = this.#schedule.toSettle(this.#options.clock.monotonicMs());
    return this.#startable(due, ({ file }) => file);
  }

  /** What is learnt of a file holds for seconds: no more is looked at than can be begun, one for each worker that is free. */
  #startable<T>(due: readonly T[], fileOf: (each: T) => LedgerFile): T[] {
    const workers = new Set<number | undefined>([undefined, ...this.#flights.workers]);
    return due.filter((each) => {
      const worker = this.#workerOf(fileOf(each));
      return !workers.has(worker) && workers.add(worker);
    });
  }

  /** Intent rows for what is to be tried next, unless somebody has been at it. */
  async #prepare(): Promise<void> {
    const { tables, clock } = this.#options;
    const askedMs = clock.monotonicMs();
    const wanted = this.#toPrepare();
    if (wanted.length === 0) return;
    const intentAtMs = this.#serverMs();
    const states = await tables.states(wanted.map(({ path }) => path));
    const answeredMs = clock.monotonicMs();
    for (const [path, { done, atMs, attempt }] of states) {
      if (done) this.#foundDone(path);
      else this.#schedule.foundIntent(path, atMs, attempt);
    }
    const fresh = this.#schedule.foundNothing(wanted.filter(({ path }) => !states.has(path)));
    await tables.writeStates('intent', fresh, intentAtMs);
    if (this.#standstill.since(askedMs)) return;
    const paths = fresh.map(({ path }) => path);
    this.#schedule.prepared(paths, intentAtMs, answeredMs);
  }

  #foundDone(path: string): void {
    this.#schedule.foundDone(path);
    this.#positions.recorded(path);
  }

  #insert(): void {
    const { clock, inserter } = this.#options;
    if (clock.monotonicMs() < this.#trouble.untilMs) return;
    for (const file of this.#schedule.toInsert(clock.monotonicMs())) {
      const worker = this.#workerOf(file);
      if (worker === undefined || this.#flights.has(worker)) continue;
      this.#schedule.trying(file.path);
      this.#flights.start(worker, file, (signal) =>
        inserter.insert(worker, file, signal).then((outcome) => this.#landed(worker, file, outcome, signal)),
      );
    }
  }

  #landed(worker: number, file: LedgerFile, { error, unknown }: InsertOutcome, signal: AbortSignal): void {
    const { clock } = this.#options;
    this.#flights.over(worker);
    if (error === null) {
      this.#schedule.succeeded(file.path);
      this.#figures.files += 1;
      this.#figures.rows += file.rows;
      this.#trouble.took(file.path);
      this.#trouble.over(this.#schedule.open.files);
    } else if (signal.aborted) {
      this.#schedule.failed(file.path, clock.monotonicMs());
    } else {
      // what is wrong may be wrong with the tables: the check says it better, with the statement that mends it
      this.#checked = false;
      const notBeforeMs = concernsFile(error) ? this.#trouble.file(file.path, error, unknown) : 0;
      if (!concernsFile(error)) this.#failed(error);
      this.#schedule.failed(file.path, notBeforeMs);
    }
    this.#wake.wake();
  }

  async #writePositions(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const positions = this.#schedule.positions();
    if (positions.size === 0) return;
    const isMoved = !this.#positions.isWritten(positions);
    const everyMs = isMoved ? (this.#hurry ? 0 : POSITIONS_MS) : COMPARE_MS;
    if (nowMs - this.#positionsMs < everyMs) return;
    this.#positionsMs = nowMs;
    const isOld = () => this.#standstill.since(nowMs);
    const outcome = await this.#positions.write(positions, this.#serverMs(), isOld);
    if (outcome === 'restored') await this.#compare();
  }

  /** ClickHouse holds less than it did: nothing that was known of it counts, each file is asked for. */
  async #startOver(): Promise<void> {
    await this.#flights.abortAll();
    const newest = this.#options.newestVersion();
    const positions = await this.#positions.restart([...this.#schedule.lanes]);
    this.#schedule.restart(positions, newest);
    if (positions.size === 0) return;
    this.#options.log.warn(
      { from_version: this.#schedule.cursor, to_version: newest },
      'ClickHouse was set back, as by a restored backup: its files are asked for one by one, those that are missing go in again; materialized views that were not restored with it have to be rebuilt (`headrace clickhouse rebuild --views --yes`)',
    );
  }

  async #flush(): Promise<void> {
    try {
      await this.#exclusive(async () => {
        if (this.#serverAheadMs === null) return;
        await this.#record();
        this.#positionsMs = Number.NEGATIVE_INFINITY;
        await this.#writePositions();
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#lineBroke();
    this.#trouble.met(error, this.#schedule.open.files);
  }

  #lineBroke(): void {
    this.#serverAheadMs = null;
    this.#checked = false;
    this.#schedule.lineBroke();
  }

  #drop(partitions: readonly number[]): void {
    this.#schedule.drop(partitions);
    for (const partition of partitions) {
      this.#wanted.delete(partition);
      this.#leaving.delete(partition);
      this.#positions.forget(partition);
      this.#offsets.forget(partition);
    }
  }

  #isOurs(lane: number): boolean {
    return this.#schedule.lanes.has(lane) && !this.#leaving.has(lane);
  }

  /** The worker of a lane that stays; the one that wrote the file, when it was us. */
  #workerOf(file: LedgerFile): number | undefined {
    const lane = file.lanes.find((each) => this.#isOurs(each));
    return lane === undefined ? undefined : this.#options.workerOf(lane);
  }

  #isCaughtUp(): boolean {
    const newest = this.#options.newestVersion();
    const { size } = this.#flights;
    if (this.#wanted.size + size > 0 || !this.#schedule.isDone(newest)) return false;
    return this.#positions.isWritten(this.#schedule.positions());
  }

  #tellPositions(): void {
    for (const [partition, version] of this.#schedule.positions()) {
      const offset = this.#offsets.reached(partition, version);
      if (offset !== null) this.#options.onReached?.(partition, version, offset);
    }
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.then(work);
    this.#turns = turn.catch(() => undefined);
    return turn;
  }
}
