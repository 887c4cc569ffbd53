import type { FileState, PositionRow, StoredPosition } from '#src/followers/clickhouse/tables.js';
import type { LedgerFile } from '#src/followers/ledger-files.js';
import type { Random } from '#src/random.js';
import { WALL_MS } from './sim-process.js';
import type { Timeline } from './timeline.js';
import type { ToyRow } from './toy-sessions.js';

interface Content {
  rows: { fileId: string; row: ToyRow }[];
  states: Map<string, FileState>;
  positions: Map<string, StoredPosition>;
}

/**
 * The ClickHouse server as far as exactly once goes: rows with the ids of their files, tokens of the last inserts, and the
 * follower's two tables, all of which a restored backup sets back.
 */
export class SimClickHouse {
  readonly #timeline: Timeline;
  readonly #random: Random;
  #content: Content = { rows: [], states: new Map(), positions: new Map() };
  #backup: Content | null = null;
  /** Tokens of the last inserts, newest last. */
  #tokens: string[] = [];
  #startedMs = -3_600_000;
  #starts = 0;
  /** Inserts of other engines than those that are looked at, at their times. */
  readonly #others: { atMs: number; count: number }[] = [];
  #deafUntilMs = 0;
  #restoringUntilMs = 0;
  /** How often a request goes wrong, 0 to 1. */
  faults = 0.03;
  /** Did merges take rows away? Was it ever set back? */
  merged = false;
  restored = false;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  get nowMs(): number {
    return Math.floor(WALL_MS + SKEW_MS + this.#timeline.ms);
  }

  /** What one run of the server was told dies with it. */
  get starts(): number {
    return this.#starts;
  }

  get isUp(): boolean {
    return this.#timeline.ms >= this.#deafUntilMs;
  }

  get rows(): readonly ToyRow[] {
    return this.#content.rows.map(({ row }) => row);
  }

  /** It is not there for so long. */
  down(ms: number): void {
    this.#deafUntilMs = Math.max(this.#deafUntilMs, this.#timeline.ms + ms);
  }

  /** Nothing goes wrong any more; a backup that is being brought back takes its time. */
  heal(): void {
    this.#deafUntilMs = Math.min(this.#deafUntilMs, this.#restoringUntilMs);
    this.faults = 0;
  }

  /** It stops and is started anew; the tokens may be gone. */
  restart(): void {
    this.down(1_000);
    this.#starts++;
    this.#startedMs = this.#timeline.ms + 1_000;
    if (this.#random.below(3) > 0) this.#tokens = [];
  }

  backup(): void {
    this.#backup = copyOf(this.#content);
  }

  get isBackedUp(): boolean {
    return this.#backup !== null;
  }

  /** Stops, and is there again with what the backup has. */
  restore(): void {
    this.restart();
    this.down(RESTORE_MS);
    this.#restoringUntilMs = this.#timeline.ms + RESTORE_MS;
    this.restored = true;
    this.#timeline.after(RESTORE_MS, () => {
      this.#content = copyOf(this.#backup!);
      this.#tokens = [];
    });
  }

  /** So many inserts of others, each with its token. */
  othersInsert(count: number): void {
    this.#others.push({ atMs: this.nowMs, count });
    for (let i = 0; i < count; i++) this.#tokens.push('');
    this.#tokens = this.#tokens.slice(-WINDOW);
  }

  /** Rows that cancel each other go. */
  merge(): void {
    this.merged = true;
    const standing = new Map<string, { fileId: string; row: ToyRow }[]>();
    for (const each of this.#content.rows) {
      const { session, revision, checksum, sign } = each.row;
      const key = `${session}/${revision}/${checksum}`;
      const before = standing.get(key) ?? [];
      const opposite = before.findIndex(({ row }) => row.sign !== sign);
      if (opposite >= 0) before.splice(opposite, 1);
      else before.push(each);
      standing.set(key, before);
    }
    this.#content.rows = [...standing.values()].flat();
  }

  insert(token: string | null, files: readonly { fileId: string; rows: readonly ToyRow[] }[]): void {
    if (token !== null) {
      if (this.#tokens.includes(token)) return;
      this.#tokens.push(token);
      if (this.#tokens.length > WINDOW) this.#tokens.shift();
    }
    for (const { fileId, rows } of files) {
      for (const row of rows) this.#content.rows.push({ fileId, row });
    }
  }

  facts(intentAtMs: number) {
    let insertsSince = 0;
    for (const { atMs } of this.#content.states.values()) if (atMs >= intentAtMs) insertsSince++;
    for (const { atMs, count } of this.#others) if (atMs >= intentAtMs) insertsSince += count;
    const uptimeSeconds = Math.floor((this.#timeline.ms - this.#startedMs) / 1_000);
    return { nowMs: this.nowMs, uptimeSeconds, insertsSince };
  }

  positions(appIds: readonly string[]): Map<string, StoredPosition> {
    return picked(this.#content.positions, appIds);
  }

  writePositions(rows: readonly PositionRow[]): void {
    const { positions } = this.#content;
    for (const { appId, version, seq } of rows) {
      const there = positions.get(appId);
      if (there === undefined || there.seq <= seq) positions.set(appId, { version, seq });
    }
  }

  states(paths: readonly string[]): Map<string, FileState> {
    return picked(this.#content.states, paths);
  }

  writeStates(state: 'intent' | 'done', files: readonly LedgerFile[], atMs: number): void {
    const { states } = this.#content;
    const done = state === 'done';
    for (const { path } of files) {
      if (done || states.get(path)?.done !== true) states.set(path, { done, atMs });
    }
  }

  recordDone(files: readonly LedgerFile[], atMs: number): Set<string> {
    const begun = files.filter(({ path }) => this.#content.states.has(path));
    this.writeStates('done', begun, atMs);
    return new Set(begun.map(({ path }) => path));
  }

  present(fileIds: readonly string[]): Set<string> {
    const wanted = new Set(fileIds);
    return new Set(this.#content.rows.map(({ fileId }) => fileId).filter((id) => wanted.has(id)));
  }

  signOf(session: string, revision: number): number {
    let sum = 0;
    for (const { row } of this.#content.rows) {
      if (row.session === session && row.revision === revision) sum += row.sign;
    }
    return sum;
  }
}

/** Inserts that the server tells repetitions of. */
export const WINDOW = 400;
const RESTORE_MS = 3_000;
/** The server's clock against ours. */
const SKEW_MS = 1_700;

function copyOf({ rows, states, positions }: Content): Content {
  return { rows: [...rows], states: new Map(states), positions: new Map(positions) };
}

function picked<V>(all: ReadonlyMap<string, V>, keys: readonly string[]): Map<string, V> {
  return new Map(keys.flatMap((key) => (all.has(key) ? [[key, all.get(key)!] as const] : [])));
}
