import type { Marks } from '../model/marks.js';
import type { ClosedBy, CompiledModel, DeadLetter, DeadLetterReason, Row } from '../model/types.js';
import { DueQueue } from './due-queue.js';
import { parseEvent } from './event.js';
import type { LaneState, SessionEvent } from './lane-state.js';
import type { KafkaRecord } from './record-batches.js';
import {
  absorb,
  estimateBytes,
  forgetContent,
  insertEvent,
  newSession,
  reviveSession,
  type Session,
  sessionState,
  splitAfter,
} from './session.js';
import { computeRow, sameContent } from './session-row.js';
import { Timeline } from './timeline.js';

export type { LaneState } from './lane-state.js';

/**
 * The sessions of one lane: events in, rows and dead letters out. This is what the words of a model mean; everything
 * faster is compared with it.
 *
 * Invariants
 * - After each event, and after each mark that moves the watermark, all that the watermark has passed is closed: the state
 *   behind an offset does not depend on batches, fetches or cuts.
 * - No clock, no size, no order of arrival beyond the log's decides a row.
 * - Σ sign over a session's rows is right after each call.
 *
 *   open ──watermark > end event, or last + gap──▶ closed ──watermark > last + gap + lateness──▶ forgotten
 */
export interface LaneSink {
  /** Rows of one watermark move come in order of (closing time, key). The row is the receiver's to fill in. */
  row(row: Row): void;
  deadLetter(letter: DeadLetter): void;
}

export class ReferenceLane {
  readonly #model: CompiledModel;
  readonly #sink: LaneSink;
  readonly #timelines = new Map<string, Timeline>();
  readonly #due = new DueQueue();
  readonly #sessionIdColumn: number;
  #watermarkMs: number | null;
  #openSessions = 0;
  #sessionBytes = 0;
  #clamped = 0;

  constructor(model: CompiledModel, sink: LaneSink, state?: LaneState) {
    this.#model = model;
    this.#sink = sink;
    this.#sessionIdColumn = model.columns.findIndex((column) => column.op.op === 'session_id');
    this.#watermarkMs = state?.watermarkMs ?? null;
    for (const { key, endMarkersMs, sessions } of state?.keys ?? []) {
      const timeline = this.#timelineOf(key);
      for (const marker of endMarkersMs) this.#addEndMarker(timeline, marker);
      for (const session of sessions) this.#add(timeline, reviveSession(key, session));
    }
  }

  /** Greatest event time accepted − allowed_disorder, or further by a mark. Null before the first event. */
  get watermarkMs(): number | null {
    return this.#watermarkMs;
  }

  get openSessions(): number {
    return this.#openSessions;
  }

  /** Estimate of the memory that open and closed sessions take. Grows with their content. */
  get sessionBytes(): number {
    return this.#sessionBytes;
  }

  /** Values that did not fit their column, in the rows so far. */
  get clamped(): number {
    return this.#clamped;
  }

  /** Takes the next record of the log. */
  accept(record: KafkaRecord): void {
    if (record.tooLarge) {
      const bytes = (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0);
      this.#refuse(record, 'too_large', `${bytes} bytes of key and value`);
      return;
    }
    const parsed = parseEvent(this.#model, record.value, record.timestampMs);
    if (!parsed.ok) {
      this.#refuse(record, parsed.reason, parsed.detail);
      return;
    }
    const { timeMs, values } = parsed;
    const key = values[this.#model.keyField] as string;
    const accepted = this.#isEndEvent(values)
      ? this.#acceptEnd(key, timeMs)
      : this.#acceptEvent(key, { timeMs, offset: record.offset, values });
    if (!accepted) {
      this.#refuse(record, 'late', `${this.#watermarkMs! - timeMs} ms behind the watermark`);
      return;
    }
    this.#moveWatermark(timeMs - this.#model.allowedDisorderMs);
  }

  /** Applies what a cut decided, in the ledger's order: watermark, eviction, early, end of input. */
  applyMarks(marks: Marks): void {
    if (marks.idleWatermarkMs !== undefined) this.#moveWatermark(marks.idleWatermarkMs);
    if (marks.evictBeforeMs !== undefined) this.#evictBefore(marks.evictBeforeMs);
    if (marks.early) this.#emitOpen('early', (session) => session.changed);
    if (marks.endOfInput) this.#emitOpen('end_of_input', () => true);
  }

  /** The state as plain data that later events do not reach. */
  snapshot(): LaneState {
    const keys = [...this.#timelines.values()].map(({ key, endMarkersMs, sessions }) => ({
      key,
      endMarkersMs: [...endMarkersMs],
      sessions: sessions.map(sessionState),
    }));
    return { watermarkMs: this.#watermarkMs, keys };
  }

  /** False: late. */
  #acceptEvent(key: string, event: SessionEvent): boolean {
    const { gapMs } = this.#model;
    const known = this.#timelines.get(key);
    const { before, after } = known?.touching(event.timeMs, gapMs) ?? { before: undefined, after: undefined };
    const merged = after ?? before;
    if (this.#isLate(Math.max(event.timeMs, merged === undefined ? event.timeMs : merged.lastMs)))
      return false;
    if (this.#changesClosed(before) || this.#changesClosed(after)) return false;

    const timeline = known ?? this.#timelineOf(key);
    const session = before ?? after ?? newSession(key);
    if (before !== undefined) this.#remove(timeline, before);
    if (after !== undefined) this.#remove(timeline, after);
    if (before !== undefined && after !== undefined) {
      absorb(before, after);
      after.gone = true;
    }
    insertEvent(session, event);
    session.endMs = timeline.endAfter(session.lastMs, gapMs);
    this.#add(timeline, session);
    return true;
  }

  /** An end event: belongs to no session, ends the one it follows, splits the one it lies in. False: late. */
  #acceptEnd(key: string, endMs: number): boolean {
    const { gapMs } = this.#model;
    const known = this.#timelines.get(key);
    const session = known?.sessionUpTo(endMs);
    const reaches =
      session !== undefined &&
      endMs - session.lastMs <= gapMs &&
      (session.endMs === null || endMs < session.endMs);
    if (reaches ? this.#changesClosed(session) : this.#isLate(endMs)) return false;

    const timeline = known ?? this.#timelineOf(key);
    this.#addEndMarker(timeline, endMs);
    if (!reaches) return true;
    this.#remove(timeline, session);
    if (endMs < session.lastMs) {
      const later = splitAfter(session, endMs);
      later.endMs = timeline.endAfter(later.lastMs, gapMs);
      this.#add(timeline, later);
    }
    session.endMs = endMs;
    this.#add(timeline, session);
    return true;
  }

  #isEndEvent(values: readonly (string | number | null)[]): boolean {
    const { endEvent } = this.#model;
    return endEvent?.oneOf.includes(values[endEvent.field] as string) ?? false;
  }

  #isLate(lastEventMs: number): boolean {
    const { gapMs, allowedLatenessMs } = this.#model;
    return this.#watermarkMs !== null && lastEventMs + gapMs + allowedLatenessMs < this.#watermarkMs;
  }

  /**
   * The one place where revisions by late events will come in: until then, an event in time for a session that was
   * closed is refused like a late one.
   */
  #changesClosed(session: Session | undefined): boolean {
    return session?.closed ?? false;
  }

  #moveWatermark(watermarkMs: number): void {
    this.#watermarkMs = Math.max(this.#watermarkMs ?? watermarkMs, watermarkMs);
    for (;;) {
      const entry = this.#due.tryPopBefore(this.#watermarkMs);
      if (entry === null) return;
      if (entry.session === null) this.#forgetEndMarker(entry.key, entry.dueMs);
      else if (!entry.session.gone && entry.session.queuedMs === entry.dueMs) {
        this.#meetDue(entry.session, entry.dueMs);
      }
    }
  }

  #meetDue(session: Session, dueMs: number): void {
    session.queuedMs = Number.POSITIVE_INFINITY;
    // events that came since have moved it on
    if (this.#dueMs(session) > dueMs) this.#enqueue(session);
    else if (session.closed) this.#forget(session);
    else this.#close(session);
  }

  #dueMs(session: Session): number {
    const { gapMs, allowedLatenessMs } = this.#model;
    if (session.closed) return session.lastMs + gapMs + allowedLatenessMs;
    return session.endMs ?? session.lastMs + gapMs;
  }

  #close(session: Session): void {
    session.closed = true;
    this.#openSessions--;
    this.#emit(session, session.endMs === null ? 'gap' : 'end_event');
    this.#sessionBytes -= session.bytes;
    forgetContent(session);
    this.#sessionBytes += session.bytes;
    this.#enqueue(session);
  }

  #forget(session: Session): void {
    const timeline = this.#timelineOf(session.key);
    this.#remove(timeline, session);
    session.gone = true;
    const { endMs } = session;
    // a marker that the watermark has not reached stays for what may come before it
    if (endMs !== null && endMs < this.#watermarkMs!) timeline.removeEndMarker(endMs);
    this.#dropIfEmpty(timeline);
  }

  #forgetEndMarker(key: string, markerMs: number): void {
    const timeline = this.#timelines.get(key);
    if (timeline === undefined || timeline.endsSession(markerMs)) return;
    timeline.removeEndMarker(markerMs);
    this.#dropIfEmpty(timeline);
  }

  /** −old for each row that stands, +new; nothing when the row would be the one that stands. */
  #emit(session: Session, closedBy: ClosedBy): void {
    const [oldest] = session.standing;
    const { row, clamped } = computeRow(this.#model, session.events, {
      key: session.key,
      sessionId: oldest === undefined ? null : (oldest.row[this.#sessionIdColumn] as string),
      closedBy,
      revision: session.nextRevision,
    });
    session.changed = false;
    if (session.standing.length === 1 && sameContent(this.#model, row, oldest!.row)) return;
    for (const standing of session.standing) {
      this.#sink.row(standing.row.with(this.#model.columnIndex.sign, -1));
    }
    this.#sink.row([...row]);
    this.#clamped += clamped;
    session.standing = [{ row, identityStartMs: oldest?.identityStartMs ?? session.firstMs }];
    session.nextRevision++;
    this.#sessionBytes -= session.bytes;
    session.bytes = estimateBytes(session);
    this.#sessionBytes += session.bytes;
  }

  /** All open sessions that a mark lets out, in order of (start, key). */
  #emitOpen(closedBy: ClosedBy, wanted: (session: Session) => boolean): void {
    for (const session of this.#sessionsInOrder()) {
      if (!session.closed && wanted(session)) this.#emit(session, closedBy);
    }
  }

  #evictBefore(timeMs: number): void {
    for (const session of this.#sessionsInOrder()) {
      if (session.lastMs >= timeMs) continue;
      if (!session.closed) this.#emit(session, 'memory');
      this.#forget(session);
    }
  }

  #sessionsInOrder(): Session[] {
    const sessions = [...this.#timelines.values()].flatMap((timeline) => timeline.sessions);
    return sessions.sort((a, b) => a.firstMs - b.firstMs || (a.key < b.key ? -1 : 1));
  }

  #timelineOf(key: string): Timeline {
    let timeline = this.#timelines.get(key);
    if (timeline === undefined) {
      timeline = new Timeline(key);
      this.#timelines.set(key, timeline);
    }
    return timeline;
  }

  #dropIfEmpty(timeline: Timeline): void {
    if (timeline.isEmpty) this.#timelines.delete(timeline.key);
  }

  #addEndMarker(timeline: Timeline, markerMs: number): void {
    if (timeline.addEndMarker(markerMs)) {
      this.#due.push({ dueMs: markerMs, key: timeline.key, session: null });
    }
  }

  #add(timeline: Timeline, session: Session): void {
    timeline.addSession(session);
    this.#sessionBytes += session.bytes;
    if (!session.closed) this.#openSessions++;
    this.#enqueue(session);
  }

  #remove(timeline: Timeline, session: Session): void {
    timeline.removeSession(session);
    this.#sessionBytes -= session.bytes;
    if (!session.closed) this.#openSessions--;
  }

  /** One entry a session is enough as long as it only moves on: the entry is put off when its time comes. */
  #enqueue(session: Session): void {
    const dueMs = this.#dueMs(session);
    if (dueMs >= session.queuedMs) return;
    session.queuedMs = dueMs;
    this.#due.push({ dueMs, key: session.key, session });
  }

  #refuse(record: KafkaRecord, reason: DeadLetterReason, detail: string): void {
    this.#sink.deadLetter({
      reason,
      detail,
      offset: record.offset,
      timestampMs: record.timestampMs,
      // the record's bytes are valid only during the call; slice() of a Buffer would not copy
      key: record.key === null ? null : new Uint8Array(record.key),
      value: record.value === null ? null : new Uint8Array(record.value),
    });
  }
}
