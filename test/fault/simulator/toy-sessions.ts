import type { Marks } from '#src/model/marks.js';

/**
 * Sessions small enough for thousands of runs, with all that exactly once depends on: their rows are a function of the events
 * and the marks, reach over cuts, are taken back and replaced by late events, and say why they were let out.
 */
export interface ToyEvent {
  key: number;
  timeMs: number;
}

/** A row of the table. */
export interface ToyRow {
  session: string;
  revision: number;
  sign: 1 | -1;
  checksum: number;
}

interface ToySession {
  id: string;
  key: number;
  startMs: number;
  lastMs: number;
  /** Over its events. */
  sum: number;
  open: boolean;
  /** Something happened since the row that stands was let out. */
  changed: boolean;
  standing: { revision: number; checksum: number } | null;
}

export interface ToyState {
  watermarkMs: number | null;
  sessions: ToySession[];
}

export const GAP_MS = 4_000;
const DISORDER_MS = 1_000;
const LATENESS_MS = 8_000;

export class ToyLane {
  readonly #partition: number;
  readonly state: ToyState;
  readonly #salt: number;
  #rows: ToyRow[] = [];
  #letters: number[] = [];

  /** `salt`: another one is another model. */
  constructor(partition: number, state: ToyState = { watermarkMs: null, sessions: [] }, salt = 0) {
    this.#partition = partition;
    this.state = state;
    this.#salt = salt;
  }

  get openSessions(): number {
    return this.state.sessions.filter(({ open }) => open).length;
  }

  /** What was let out since the last time: rows, and the offsets of dead letters. */
  take(): { rows: ToyRow[]; letters: number[] } {
    const taken = { rows: this.#rows, letters: this.#letters };
    this.#rows = [];
    this.#letters = [];
    return taken;
  }

  event(offset: number, { key, timeMs }: ToyEvent): void {
    const { watermarkMs, sessions } = this.state;
    const session = sessions.find((each) => each.key === key);
    if (watermarkMs !== null && timeMs + GAP_MS + LATENESS_MS < watermarkMs) this.#letters.push(offset);
    else if (session === undefined) this.#begin(offset, key, timeMs);
    else if (timeMs > session.lastMs + GAP_MS) {
      this.#close(session, 'gap');
      this.#forget(session);
      this.#begin(offset, key, timeMs);
    } else if (timeMs < session.startMs - GAP_MS) this.#letters.push(offset);
    else this.#extend(session, offset, timeMs);
    this.#watermark(timeMs - DISORDER_MS);
  }

  marks({ idleWatermarkMs, evictBeforeMs, early }: Marks): void {
    if (idleWatermarkMs !== undefined) this.#watermark(idleWatermarkMs);
    if (evictBeforeMs !== undefined) {
      for (const session of this.state.sessions.filter(({ lastMs }) => lastMs < evictBeforeMs)) {
        this.#close(session, 'memory');
        this.#forget(session);
      }
    }
    if (early === true) {
      for (const session of this.state.sessions) if (session.open) this.#letOut(session, 'early');
    }
  }

  #begin(offset: number, key: number, timeMs: number): void {
    this.state.sessions.push({
      id: `${this.#partition}/${key}/${offset}`,
      key,
      startMs: timeMs,
      lastMs: timeMs,
      sum: mixed(17 + this.#salt, offset),
      open: true,
      changed: true,
      standing: null,
    });
  }

  #extend(session: ToySession, offset: number, timeMs: number): void {
    session.startMs = Math.min(session.startMs, timeMs);
    session.lastMs = Math.max(session.lastMs, timeMs);
    session.sum = mixed(session.sum, offset);
    session.changed = true;
    if (!session.open) this.#letOut(session, 'late');
  }

  #watermark(ms: number): void {
    const { state } = this;
    if (state.watermarkMs !== null && ms <= state.watermarkMs) return;
    state.watermarkMs = ms;
    for (const session of [...state.sessions]) {
      if (session.lastMs + GAP_MS >= ms) continue;
      this.#close(session, 'gap');
      if (session.lastMs + GAP_MS + LATENESS_MS < ms) this.#forget(session);
    }
  }

  #close(session: ToySession, reason: string): void {
    if (!session.open) return;
    session.open = false;
    this.#letOut(session, reason);
  }

  #letOut(session: ToySession, reason: string): void {
    if (!session.changed) return;
    session.changed = false;
    const { id, sum, standing } = session;
    const revision = (standing?.revision ?? 0) + 1;
    const checksum = mixed(mixed(sum, revision), reason.charCodeAt(0));
    if (standing !== null) this.#rows.push({ session: id, ...standing, sign: -1 });
    this.#rows.push({ session: id, revision, checksum, sign: 1 });
    session.standing = { revision, checksum };
  }

  #forget(session: ToySession): void {
    this.state.sessions = this.state.sessions.filter((each) => each !== session);
  }
}

/** What tells a row from every other. */
export function lineOf({ session, revision, sign, checksum }: ToyRow): string {
  return `${session} r${revision} ${sign > 0 ? '+' : '-'} ${checksum.toString(16)}`;
}

/** Sum over rows, as the ledger keeps one of each cut. */
export function sumOf(rows: readonly ToyRow[]): number {
  let sum = 0;
  for (const { revision, sign, checksum } of rows) sum += mixed(mixed(checksum, revision), sign);
  return sum % 2 ** 32;
}

function mixed(a: number, b: number): number {
  let z = Math.imul(a ^ Math.imul(b + 1, 0x9e3779b9), 0x85ebca6b);
  z ^= z >>> 15;
  return Math.imul(z, 0xc2b2ae35) >>> 0;
}
