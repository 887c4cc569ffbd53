import type { LedgerFile } from '../ledger-files.js';
import { OtherLanes } from './others.js';

/**
 * What is inserted when: facts in, decisions out, no I/O. The ledger's versions are walked by one cursor; of each, the files
 * with a lane that is held wait here until they are in ClickHouse.
 *
 *   new ──intent row──▶ ready ──▶ trying ──full answer──▶ in ──done row──▶ done
 *    │                    ▲          │ no answer, or a refusal
 *    └─ intent found ─▶ doubt ◀──────┘
 *
 * - A file is due when all earlier files that share a lane with it are done, whoever holds that lane (others.ts): the files of a
 *   lane go in the ledger's order, and where the rows of one are asked for, no later one has cancelled them.
 * - An intent row is there before the first try, so whoever comes after a crash knows which files are in doubt.
 * - A lane's position is the version up to which each of its files is *done*: never ahead of the rows that say so.
 * - At most `openMax` files wait here: the cursor stops, the backlog stays in the ledger.
 */

type State = 'new' | 'ready' | 'trying' | 'doubt' | 'in' | 'done';

interface Entry {
  file: LedgerFile;
  state: State;
  /** Written before ClickHouse was set back: without a done row its rows are asked for. */
  ask: boolean;
  /** Of its token. */
  attempt: number;
  /** It was perhaps tried before. */
  isRepeat: boolean;
  /** ready: until when what was learnt before holds, monotonic ms. */
  readyUntilMs: number;
  /** When its intent was written, ms of the server's clock; null in doubt: it can't be told, so the rows are asked for. */
  intentAtMs: number | null;
  /** Not tried again before, monotonic ms. */
  notBeforeMs: number;
}

export interface Doubtful {
  file: LedgerFile;
  attempt: number;
  intentAtMs: number | null;
}

export interface ScheduleOptions {
  openMax?: number;
}

const OPEN_MAX = 400;
/**
 * What was learnt from ClickHouse holds for so long after its answer: another engine may be at the same file, and ClickHouse may
 * be started anew, which takes longer.
 */
export const READY_MS_MAX = 3_000;

export class FollowerSchedule {
  readonly #openMax: number;
  /** Position of each held lane. */
  readonly #positions = new Map<number, number>();
  /** In the ledger's order. */
  #entries: Entry[] = [];
  readonly #byPath = new Map<string, Entry>();
  readonly #others = new OtherLanes();
  #cursor = 0;
  /** Versions up to here were written before ClickHouse was set back: whether their files are in has to be asked. */
  #askUntil = -1;
  #skipped = 0;

  constructor(options: ScheduleOptions = {}) {
    this.#openMax = options.openMax ?? OPEN_MAX;
  }

  /** The version to be handed in next. */
  get cursor(): number {
    return this.#cursor;
  }

  get lanes(): ReadonlySet<number> {
    return new Set(this.#positions.keys());
  }

  /** Files that were passed over because no cut of ours brought them. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Files that wait here and are not in yet, and their rows. */
  get open(): { files: number; rows: number } {
    const open = this.#entries.filter(isOpen);
    return { files: open.length, rows: open.reduce((rows, { file }) => rows + file.rows, 0) };
  }

  /** Is every file of the held lanes up to `version` done? */
  isDone(version: number): boolean {
    return (
      this.#positions.size === 0 ||
      (this.#cursor > version && this.#entries.every(({ state }) => state === 'done'))
    );
  }

  /** This lane is held from now on; all its files up to `position` are in. */
  hold(partition: number, position: number): void {
    const first = this.#positions.size === 0;
    this.#positions.set(partition, position);
    if (first) this.#walkFrom(position + 1);
    else if (position + 1 < this.#cursor) this.#rewind(position + 1);
  }

  /** These lanes are not ours any more. What is under way goes on to its end. */
  drop(partitions: Iterable<number>): void {
    const lanes = new Set([...partitions].filter((partition) => this.#positions.delete(partition)));
    const stays = (entry: Entry) =>
      this.#isHeld(entry.file) || entry.state === 'trying' || entry.state === 'in';
    const open = this.#entries.filter(({ state }) => state !== 'done').map(({ file }) => file);
    this.#others.drop(lanes, open, (file) => !this.#isHeld(file));
    this.#keep(stays);
  }

  /**
   * ClickHouse was set back, and nothing is under way: what was known is void. Each lane's position is what its rows tell,
   * and files up to `newest` without a done row are asked for.
   */
  restart(positions: ReadonlyMap<number, number>, newest: number): void {
    this.#keep(() => false);
    for (const [partition, position] of positions) {
      if (this.#positions.has(partition)) this.#positions.set(partition, position);
    }
    this.#askUntil = newest;
    this.#others.clear();
    this.#walkFrom(Math.min(...this.#positions.values()) + 1);
  }

  /** Should the next version be read, now that the ledger has `newest`? */
  wantsVersion(newest: number): boolean {
    return this.#positions.size > 0 && this.#cursor <= newest && this.open.files < this.#openMax;
  }

  addVersion(version: number, files: readonly LedgerFile[], skipped = 0): void {
    if (version !== this.#cursor) return;
    this.#cursor = version + 1;
    this.#skipped += skipped;
    let sorted = true;
    for (const file of files) {
      if (!this.#isHeld(file)) this.#others.pass(file);
      if (!this.#isMissing(file) || this.#byPath.has(file.path)) continue;
      this.#others.meet(
        file,
        file.lanes.filter((lane) => !this.#positions.has(lane)),
      );
      const entry: Entry = {
        file,
        state: 'new',
        ask: version <= this.#askUntil,
        attempt: 0,
        isRepeat: false,
        readyUntilMs: 0,
        intentAtMs: null,
        notBeforeMs: 0,
      };
      sorted &&= this.#entries.length === 0 || inOrder(this.#entries.at(-1)!, entry);
      this.#entries.push(entry);
      this.#byPath.set(file.path, entry);
    }
    if (!sorted) this.#entries.sort((a, b) => (inOrder(a, b) ? -1 : 1));
    this.#advance();
  }

  /** Due files that need an intent row. Their state in headrace_files is looked up first. */
  toPrepare(nowMs: number): LedgerFile[] {
    return this.#dueIn('new', nowMs);
  }

  /**
   * The files had no row, and their intent rows are written. `intentAtMs`: before they were looked up, by the server's clock;
   * `nowMs`: when that was answered.
   */
  prepared(paths: Iterable<string>, intentAtMs: number, nowMs: number): void {
    for (const entry of this.#of(paths)) {
      if (entry.state !== 'new') continue;
      entry.state = 'ready';
      entry.intentAtMs = intentAtMs;
      entry.readyUntilMs = nowMs + READY_MS_MAX;
    }
  }

  /** headrace_files has a done row for it. */
  foundDone(path: string): void {
    for (const entry of this.#of([path])) if (entry.state !== 'trying') entry.state = 'done';
    this.#advance();
  }

  /** headrace_files has an intent row for it and no done row; for a file in doubt: one that is newer than what was known. */
  foundIntent(path: string, intentAtMs: number, attempt = 0): void {
    for (const entry of this.#of([path])) {
      if (entry.state !== 'new' && (entry.state !== 'doubt' || entry.attempt === attempt)) continue;
      entry.state = 'doubt';
      entry.attempt = attempt;
      entry.intentAtMs = entry.ask ? null : intentAtMs;
    }
  }

  /** headrace_files has no row for these. Those that it may have forgotten are in doubt; returns the others. */
  foundNothing(files: readonly LedgerFile[]): LedgerFile[] {
    return files.filter(({ path }) => {
      const entry = this.#byPath.get(path);
      if (entry === undefined || entry.state !== 'new' || !entry.ask) return true;
      entry.state = 'doubt';
      return false;
    });
  }

  /** Due files in doubt: it is to be decided whether they are sent, or asked for first. */
  toSettle(nowMs: number): Doubtful[] {
    const due = new Set(this.#dueIn('doubt', nowMs));
    return this.#entries
      .filter(({ file }) => due.has(file))
      .map(({ file, attempt, intentAtMs }) => ({ file, attempt, intentAtMs }));
  }

  /**
   * What a doubt came to. `send`: the token still tells a repetition, or the rows are not there. `present`: they are. The
   * answer came at `nowMs`.
   */
  settled(path: string, outcome: 'send' | 'present', nowMs: number): void {
    for (const entry of this.#of([path])) {
      if (entry.state !== 'doubt') continue;
      entry.state = outcome === 'send' ? 'ready' : 'in';
      entry.isRepeat = true;
      entry.readyUntilMs = nowMs + READY_MS_MAX;
    }
  }

  /** Its rows are not there, and it begins anew under another token, of which this intent row tells. */
  begunAnew(path: string, attempt: number, intentAtMs: number, nowMs: number): void {
    for (const entry of this.#of([path])) {
      if (entry.state !== 'doubt') continue;
      entry.attempt = attempt;
      entry.intentAtMs = intentAtMs;
    }
    this.settled(path, 'send', nowMs);
  }

  /** Due files with an intent row. */
  toInsert(nowMs: number): (LedgerFile & { attempt: number })[] {
    const due = new Set(this.#dueIn('ready', nowMs));
    return this.#entries
      .filter(({ file }) => due.has(file))
      .map(({ file, attempt }) => ({ ...file, attempt }));
  }

  trying(path: string): void {
    for (const entry of this.#of([path])) entry.state = 'trying';
  }

  succeeded(path: string): void {
    for (const entry of this.#of([path])) entry.state = 'in';
  }

  /** No full answer came: it may be in or not. */
  failed(path: string, notBeforeMs: number): void {
    for (const entry of this.#of([path])) {
      entry.state = 'doubt';
      entry.notBeforeMs = notBeforeMs;
      if (!this.#isHeld(entry.file)) this.#keep((each) => each !== entry);
    }
  }

  /** The line to ClickHouse broke: what comes up again may have been set back, so files without a done row are in doubt. */
  lineBroke(): void {
    for (const entry of this.#entries) if (entry.state === 'in') entry.state = 'doubt';
    this.#keep((entry) => this.#isHeld(entry.file) || entry.state === 'trying');
  }

  /** Could not be settled, or prepared: not before then again. */
  postponed(path: string, notBeforeMs: number): void {
    for (const entry of this.#of([path])) entry.notBeforeMs = notBeforeMs;
  }

  /** Files that are in and have no done row yet. */
  toRecord(): LedgerFile[] {
    return this.#entries.filter(({ state }) => state === 'in').map(({ file }) => file);
  }

  /** The files' done rows are written. */
  recorded(paths: Iterable<string>): void {
    for (const entry of this.#of(paths)) if (entry.state === 'in') entry.state = 'done';
    this.#advance();
  }

  /** By partition. */
  positions(): ReadonlyMap<number, number> {
    return this.#positions;
  }

  /** The soonest time at which a file that waits after a failure may be tried again, or null. */
  nextRetryMs(nowMs: number): number | null {
    const times = this.#entries.map(({ notBeforeMs }) => notBeforeMs).filter((ms) => ms > nowMs);
    return times.length === 0 ? null : Math.min(...times);
  }

  #of(paths: Iterable<string>): Entry[] {
    return [...paths].flatMap((path) => this.#byPath.get(path) ?? []);
  }

  /** Lanes of others that files of ours wait for, which are next otherwise. */
  awaited(): number[] {
    return [...new Set(this.#next().flatMap(({ file }) => this.#awaitedBy(file)))];
  }

  /** Up to which version ClickHouse has lanes of others. */
  othersAt(positions: ReadonlyMap<number, number>): void {
    this.#others.at(positions);
  }

  #awaitedBy(file: LedgerFile): number[] {
    return this.#others.awaitedBy(file, (lane) => this.#positions.has(lane));
  }

  #due(): Entry[] {
    return this.#next().filter(({ file }) => this.#awaitedBy(file).length === 0);
  }

  /** Files all of whose lanes have nothing before them here that is not done. */
  #next(): Entry[] {
    const blocked = new Set<number>();
    const due: Entry[] = [];
    for (const entry of this.#entries) {
      // after a step back, what lies between is not here yet
      if (entry.file.version >= this.#cursor) break;
      if (entry.state === 'done') continue;
      const { lanes } = entry.file;
      if (!lanes.some((lane) => blocked.has(lane)) && this.#isHeld(entry.file)) due.push(entry);
      for (const lane of lanes) blocked.add(lane);
    }
    return due;
  }

  #dueIn(state: State, nowMs: number): LedgerFile[] {
    for (const entry of this.#entries) {
      if (entry.state !== 'ready' || nowMs <= entry.readyUntilMs) continue;
      // it waited too long for its turn
      entry.state = entry.isRepeat ? 'doubt' : 'new';
    }
    return this.#due()
      .filter((entry) => entry.state === state && entry.notBeforeMs <= nowMs)
      .map(({ file }) => file);
  }

  #isHeld({ lanes }: LedgerFile): boolean {
    return lanes.some((lane) => this.#positions.has(lane));
  }

  /** Has it a held lane that does not have it for sure? */
  #isMissing({ lanes, version }: LedgerFile): boolean {
    return lanes.some((lane) => (this.#positions.get(lane) ?? version) < version);
  }

  /** Back to an earlier version; what has a history of its own stays, the rest is read again. */
  #rewind(version: number): void {
    this.#walkFrom(version);
    this.#keep(({ file, state }) => file.version < version || (state !== 'new' && state !== 'ready'));
  }

  #walkFrom(version: number): void {
    this.#cursor = version;
    this.#others.walkFrom(version);
  }

  #keep(predicate: (entry: Entry) => boolean): void {
    this.#entries = this.#entries.filter((entry) => {
      if (predicate(entry)) return true;
      this.#byPath.delete(entry.file.path);
      this.#others.forget(entry.file.path);
      return false;
    });
  }

  /** Moves the positions up to where something is still to come, and forgets the done files that lie below. */
  #advance(): void {
    const limits = new Map<number, number>();
    for (const { file, state } of this.#entries) {
      if (state === 'done') continue;
      for (const lane of file.lanes) if (!limits.has(lane)) limits.set(lane, file.version - 1);
    }
    for (const [partition, position] of this.#positions) {
      const limit = Math.min(limits.get(partition) ?? Number.POSITIVE_INFINITY, this.#cursor - 1);
      if (limit > position) this.#positions.set(partition, limit);
    }
    this.#keep(
      ({ file, state }) => state !== 'done' || file.version >= this.#cursor || this.#isMissing(file),
    );
  }
}

function isOpen({ state }: Entry): boolean {
  return state !== 'in' && state !== 'done';
}

function inOrder(a: Entry, b: Entry): boolean {
  const before = a.file.version - b.file.version;
  return before < 0 || (before === 0 && a.file.index < b.file.index);
}
