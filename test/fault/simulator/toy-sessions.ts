import type { Marks } from '#src/model/marks.js';

/**
 * Sessions small enough for thousands of runs, with all that exactly once depends on: their rows are a function of the events
 * and the marks, reach over cuts, and say why they were let out; late events revise them, open them again and make one of two,
 * and what is too late or too far ahead is a dead letter.
 */
export interface ToyEvent {
  key: number;
  timeMs: number;
  /** Its record's. */
  timestampMs: number;
}

/** A row of the table. */
export interface ToyRow {
  session: string;
  revision: number;
  sign: 1 | -1;
  checksum: number;
}

export interface ToyLetter {
  offset: number;
  reason: 'late' | 'future';
}

interface ToySession {
  id: string;
  key: number;
  startMs: number;
  lastMs: number;
  /** Over its events, whatever their order. */
  sum: number;
  open: boolean;
  /** Events came since its last row. */
  changed: boolean;
  nextRevision: number;
  /** Several after a merge that has not been let out yet, the earliest session's first. */
  standing: { session: string; revision: number; checksum: number }[];
}

export interface ToyState {
  watermarkMs: number | null;
  sessions: ToySession[];
}

export const GAP_MS = 4_000;
const DISORDER_MS = 1_000;
const LATENESS_MS = 8_000;
export const FUTURE_MS = 20_000;

export class ToyLane {
  readonly #partition: number;
  readonly state: ToyState;
  readonly #salt: number;
  #rows: ToyRow[] = [];
  #letters: ToyLetter[] = [];

  /** `salt`: another one is another model. */
  constructor(partition: number, state: ToyState = { watermarkMs: null, sessions: [] }, salt = 0) {
    this.#partition = partition;
    this.state = state;
    this.#salt = salt;
  }

  get openSessions(): number {
    return this.state.sessions.filter(({ open }) => open).length;
  }

  /** What was let out since the last time. */
  take(): { rows: ToyRow[]; letters: ToyLetter[] } {
    const taken = { rows: this.#rows, letters: this.#letters };
    this.#rows = [];
    this.#letters = [];
    return taken;
  }

  event(offset: number, { key, timeMs, timestampMs }: ToyEvent): void {
    if (timeMs > timestampMs + FUTURE_MS) {
      this.#letters.push({ offset, reason: 'future' });
      return;
    }
    const around = this.state.sessions
      .filter((each) => each.key === key && each.startMs - GAP_MS <= timeMs && timeMs <= each.lastMs + GAP_MS)
      .sort((a, b) => a.startMs - b.startMs);
    const lastMs = Math.max(timeMs, ...around.map((each) => each.lastMs));
    const { watermarkMs } = this.state;
    if (watermarkMs !== null && lastMs + GAP_MS + LATENESS_MS < watermarkMs) {
      this.#letters.push({ offset, reason: 'late' });
      return;
    }
    const session = around[0] ?? this.#begin(offset, key, timeMs);
    for (const other of around.slice(1)) this.#absorb(session, other);
    this.#extend(session, offset, timeMs);
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
      for (const session of this.state.sessions) {
        if (session.open && session.changed) this.#letOut(session, 'early');
      }
    }
  }

  #begin(offset: number, key: number, timeMs: number): ToySession {
    const session: ToySession = {
      id: `${this.#partition}/${key}/${offset}`,
      key,
      startMs: timeMs,
      lastMs: timeMs,
      sum: 0,
      open: true,
      changed: true,
      nextRevision: 1,
      standing: [],
    };
    this.state.sessions.push(session);
    return session;
  }

  /** A later session's events, rows and revisions become an earlier one's. */
  #absorb(session: ToySession, later: ToySession): void {
    session.lastMs = Math.max(session.lastMs, later.lastMs);
    session.sum = (session.sum + later.sum) >>> 0;
    session.nextRevision = Math.max(session.nextRevision, later.nextRevision);
    session.standing.push(...later.standing);
    this.#forget(later);
  }

  /** It closes again, at once where the watermark has passed it. */
  #extend(session: ToySession, offset: number, timeMs: number): void {
    session.startMs = Math.min(session.startMs, timeMs);
    session.lastMs = Math.max(session.lastMs, timeMs);
    session.sum = (session.sum + mixed(17 + this.#salt, offset)) >>> 0;
    session.changed = true;
    session.open = true;
    const { watermarkMs } = this.state;
    if (watermarkMs !== null && session.lastMs + GAP_MS < watermarkMs) this.#close(session, 'gap');
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

  /** −old for each row that stands, +new; nothing when the row would be the one that stands. */
  #letOut(session: ToySession, reason: string): void {
    session.changed = false;
    const { standing, nextRevision: revision } = session;
    const checksum = mixed(session.sum, reason.charCodeAt(0));
    if (standing.length === 1 && standing[0]!.checksum === checksum) return;
    for (const row of standing) this.#rows.push({ ...row, sign: -1 });
    const row = { session: standing[0]?.session ?? session.id, revision, checksum };
    this.#rows.push({ ...row, sign: 1 });
    session.standing = [row];
    session.nextRevision++;
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
