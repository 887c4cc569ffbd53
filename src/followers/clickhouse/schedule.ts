import type { LedgerFile } from './ledger-files.js';

/**
 * What is inserted when: facts in, decisions out, no I/O. The ledger's versions are walked by one cursor; of each, the files
 * with a lane that is held wait here until they are in ClickHouse.
 *
 *   new ──intent row──▶ ready ──▶ trying ──full answer──▶ in ──done row──▶ done
 *    │                    ▲          │ no answer, or a refusal
 *    └─ intent found ─▶ doubt ◀──────┘
 *
 * - A file is due when all earlier files that share a lane with it are in: the files of a lane go in the ledger's order.
 * - An intent row is there before the first try, so whoever comes after a crash knows which files are in doubt.
 * - A lane's position is the version up to which each of its files is *done*: never ahead of the rows that say so.
 * - At most `openMax` files wait here: the cursor stops, the backlog stays in the ledger.
 */

type State = 'new' | 'ready' | 'trying' | 'doubt' | 'in' | 'done';

interface Entry {
  file: LedgerFile;
  state: State;
  /** Has somebody else perhaps tried it? Then headrace_files is asked before an intent is written. */
  lookUp: boolean;
  /** Its rows were asked for, or are to be: what headrace_files says of it does not count. */
  asked: boolean;
  /** ready: when it became so, monotonic ms. */
  readyMs: number;
  /** When its intent was written, ms of the server's clock; null in doubt: it can't be told, so the rows are asked for. */
  intentAtMs: number | null;
  /** Not tried again before, monotonic ms. */
  notBeforeMs: number;
}

export interface Doubtful {
  file: LedgerFile;
  intentAtMs: number | null;
}

export interface Preparation {
  file: LedgerFile;
  lookUp: boolean;
}

export interface ScheduleOptions {
  openMax?: number;
  /** Intent rows are written for so many files at once. */
  preparedMax?: number;
}

const OPEN_MAX = 400;
const PREPARED_MAX = 50;
/** An intent that waited longer for its turn is asked after again: another engine may have been quicker. */
const READY_MS_MAX = 60_000;

export class FollowerSchedule {
  readonly #openMax: number;
  readonly #preparedMax: number;
  /** Position of each held lane. */
  readonly #positions = new Map<number, number>();
  /** In the ledger's order. */
  #entries: Entry[] = [];
  readonly #byPath = new Map<string, Entry>();
  #cursor = 0;
  /** Versions up to here were written while another engine may have held a lane that is held now. */
  #lookUpUntil = -1;
  /** Versions up to here were written before ClickHouse was set back: whether their files are in has to be asked. */
  #askUntil = -1;
  #skipped = 0;
  #generation = 0;

  constructor(options: ScheduleOptions = {}) {
    this.#openMax = options.openMax ?? OPEN_MAX;
    this.#preparedMax = options.preparedMax ?? PREPARED_MAX;
  }

  /** The version to be handed in next. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Grows when lanes come and when everything starts over: what was looked up before may not hold any more. */
  get generation(): number {
    return this.#generation;
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

  /** This lane is held from now on; all its files up to `position` are in. `newest`: the ledger's newest version. */
  hold(partition: number, position: number, newest: number): void {
    this.#generation++;
    const first = this.#positions.size === 0;
    this.#positions.set(partition, position);
    this.#lookUpUntil = Math.max(this.#lookUpUntil, newest);
    for (const entry of this.#entries) entry.lookUp = true;
    if (first) this.#cursor = position + 1;
    else if (position + 1 < this.#cursor) this.#rewind(position + 1);
  }

  /** These lanes are not ours any more. What is under way goes on to its end. */
  drop(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#positions.delete(partition);
    this.#keep((entry) => this.#isHeld(entry.file) || entry.state === 'trying' || entry.state === 'in');
  }

  /**
   * ClickHouse was set back, and nothing is under way: what was known is void. Each lane's position is what its rows tell,
   * and whether files up to `newest` are in is asked.
   */
  restart(positions: ReadonlyMap<number, number>, newest: number): void {
    this.#generation++;
    this.#keep(() => false);
    for (const [partition, position] of positions) {
      if (this.#positions.has(partition)) this.#positions.set(partition, position);
    }
    this.#askUntil = newest;
    this.#cursor = Math.min(...this.#positions.values()) + 1;
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
      if (!this.#isMissing(file) || this.#byPath.has(file.path)) continue;
      const ask = version <= this.#askUntil;
      const entry: Entry = {
        file,
        state: ask ? 'doubt' : 'new',
        lookUp: version <= this.#lookUpUntil,
        asked: ask,
        readyMs: 0,
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

  /**
   * Files that need an intent row, when one of them is due: all that come next go with it. Their state in headrace_files
   * is to be looked up first where another engine may have been at them.
   */
  toPrepare(nowMs: number): Preparation[] {
    for (const entry of this.#entries) {
      if (entry.state === 'ready' && nowMs - entry.readyMs > READY_MS_MAX) {
        entry.state = 'new';
        entry.lookUp = true;
      }
    }
    const due = this.#due().filter(({ state, notBeforeMs }) => state === 'new' && notBeforeMs <= nowMs);
    if (due.length === 0) return [];
    const next = this.#entries.filter(isOpen).slice(0, this.#preparedMax);
    return [...new Set([...due, ...next])]
      .filter(({ state }) => state === 'new')
      .slice(0, this.#preparedMax)
      .map(({ file, lookUp, asked }) => ({
        file,
        lookUp: !asked && (lookUp || this.#isShared(file)),
      }));
  }

  /** The files' intent rows are written, at that time of the server's clock. */
  prepared(paths: Iterable<string>, intentAtMs: number, nowMs: number): void {
    for (const entry of this.#of(paths)) {
      if (entry.state !== 'new') continue;
      entry.state = 'ready';
      entry.intentAtMs = intentAtMs;
      entry.readyMs = nowMs;
    }
  }

  /** headrace_files has a done row for it. */
  foundDone(path: string): void {
    for (const entry of this.#of([path])) if (entry.state !== 'trying') entry.state = 'done';
    this.#advance();
  }

  /** headrace_files has an intent row for it and no done row. */
  foundIntent(path: string, intentAtMs: number): void {
    for (const entry of this.#of([path])) {
      if (entry.state !== 'new') continue;
      entry.state = 'doubt';
      entry.intentAtMs = intentAtMs;
    }
  }

  /** Due files in doubt: it is to be decided whether they are sent, or asked for first. */
  toSettle(nowMs: number): Doubtful[] {
    return this.#due()
      .filter(({ state, notBeforeMs }) => state === 'doubt' && notBeforeMs <= nowMs)
      .map(({ file, intentAtMs }) => ({ file, intentAtMs }));
  }

  /**
   * What a doubt came to. `send`: the token still tells a repetition. `present`: its rows are there. `absent`: they are
   * not, so it starts over, with a new intent row.
   */
  settled(path: string, outcome: 'send' | 'present' | 'absent', nowMs: number): void {
    for (const entry of this.#of([path])) {
      if (entry.state !== 'doubt') continue;
      if (outcome === 'send') {
        entry.state = 'ready';
        entry.readyMs = nowMs;
      } else if (outcome === 'present') entry.state = 'in';
      else {
        entry.state = 'new';
        entry.asked = true;
      }
    }
  }

  /** Due files with an intent row. */
  toInsert(nowMs: number): LedgerFile[] {
    return this.#due()
      .filter(({ state, notBeforeMs }) => state === 'ready' && notBeforeMs <= nowMs)
      .map(({ file }) => file);
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

  /** Files all of whose lanes have nothing before them that is still to come. */
  #due(): Entry[] {
    const blocked = new Set<number>();
    const due: Entry[] = [];
    for (const entry of this.#entries) {
      // after a step back, what lies between is not here yet
      if (entry.file.version >= this.#cursor) break;
      if (!isOpen(entry)) continue;
      const { lanes } = entry.file;
      if (!lanes.some((lane) => blocked.has(lane)) && this.#isHeld(entry.file)) due.push(entry);
      for (const lane of lanes) blocked.add(lane);
    }
    return due;
  }

  #isHeld({ lanes }: LedgerFile): boolean {
    return lanes.some((lane) => this.#positions.has(lane));
  }

  /** Has it a lane that another engine may hold? */
  #isShared({ lanes }: LedgerFile): boolean {
    return lanes.some((lane) => !this.#positions.has(lane));
  }

  /** Has it a held lane that does not have it for sure? */
  #isMissing({ lanes, version }: LedgerFile): boolean {
    return lanes.some((lane) => (this.#positions.get(lane) ?? version) < version);
  }

  /** Back to an earlier version; what has a history of its own stays, the rest is read again. */
  #rewind(version: number): void {
    this.#cursor = version;
    this.#keep(({ file, state }) => file.version < version || (state !== 'new' && state !== 'ready'));
  }

  #keep(predicate: (entry: Entry) => boolean): void {
    this.#entries = this.#entries.filter((entry) => {
      if (predicate(entry)) return true;
      this.#byPath.delete(entry.file.path);
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
