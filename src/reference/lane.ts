import type { Marks } from '../model/marks.js';
import type { ClosedBy, CompiledModel, DeadLetter, DeadLetterReason, Row } from '../model/types.js';
import { holds } from './condition.js';
import { DueQueue } from './due-queue.js';
import type { FieldValues } from './event.js';
import type { LaneState, SessionEvent } from './lane-state.js';
import type { KafkaRecord } from './record-batches.js';
import {
  estimateBytes,
  insertEvent,
  newSession,
  reviveSession,
  type Session,
  sessionOf,
  sessionState,
  withEvent,
} from './session.js';
import { computeRow, sameContent } from './session-row.js';
import { Timeline } from './timeline.js';
import { itemDetail, type MessageItem, type ParsedItem, parseValue } from './value.js';
import {
  closingOf,
  cutBetween,
  heldUntilMs,
  isEnded,
  latestHeldMs,
  openUntilMs,
  type Segment,
  segmentsOf,
} from './windows.js';

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
 *   open ──watermark > closing point (windows.ts)──▶ closed ──watermark > last + gap + lateness──▶ forgotten
 *     ◀──an event in time for it: its row is revised at once, or when it closes again──┘
 */
export interface LaneSink {
  /** Rows of one watermark move come in order of (closing time, key). The row is the receiver's to fill in. */
  row(row: Row): void;
  deadLetter(letter: DeadLetter): void;
}

export class ReferenceLane {
  readonly #model: CompiledModel;
  readonly #sink: LaneSink;
  readonly #partition: number;
  readonly #timelines = new Map<string, Timeline>();
  readonly #due = new DueQueue();
  readonly #sessionIdColumn: number;
  #watermarkMs: number | null;
  #openSessions = 0;
  #sessionBytes = 0;
  #clamped = 0;
  #filtered = 0;
  #blanked = 0;

  /** `partition`: the lane's number in its topic. */
  constructor(model: CompiledModel, sink: LaneSink, state?: LaneState, partition = 0) {
    this.#model = model;
    this.#partition = partition;
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

  /** Events that the model's filter left out, so far. */
  get filtered(): number {
    return this.#filtered;
  }

  /** Values that were to be addresses and are none, so far. */
  get blanked(): number {
    return this.#blanked;
  }

  /** Takes the next record of the log; how many events it was. */
  accept(record: KafkaRecord): number {
    if (record.tooLarge) {
      const bytes = (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0);
      this.#refuse(record, 'too_large', `${bytes} bytes of key and value`);
      return 1;
    }
    const { value, timestampMs, bytesMax = Number.POSITIVE_INFINITY } = record;
    const place = { partition: this.#partition, offset: record.offset };
    const events = parseValue(this.#model, value, timestampMs, bytesMax, place);
    for (const event of events) this.#acceptParsed(record, event);
    return events.length;
  }

  #acceptParsed(record: KafkaRecord, parsed: ParsedItem): void {
    if (!parsed.ok) {
      this.#refuse(record, parsed.reason, parsed.detail, parsed.item);
      return;
    }
    const { timeMs, values, item } = parsed;
    this.#blanked += parsed.blanked;
    const { filter } = this.#model;
    if (filter !== null && !holds(filter, values)) {
      this.#filtered++;
      this.#moveWatermark(timeMs - this.#model.allowedDisorderMs);
      return;
    }
    const key = values[this.#model.keyField] as string;
    const accepted =
      this.#isEndEvent(values) && !this.#model.windows.endCounted
        ? this.#acceptEnd(key, timeMs, heldUntilMs(this.#model, timeMs, values))
        : this.#acceptEvent(key, this.#eventOf(record.offset, timeMs, values));
    if (!accepted) {
      const detail = `${this.#watermarkMs! - timeMs} ms behind the watermark`;
      this.#refuse(record, 'late', item === undefined ? detail : itemDetail(item.index, detail), item);
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
    const { timeMs } = event;
    const known = this.#timelines.get(key);
    const around = known?.around(timeMs, event.heldMs) ?? [];
    const [session] = around;
    const stays = around.length === 1 && this.#tearsNone(session!, timeMs);
    if (session !== undefined && !stays && (around.length > 1 || session.lastMs >= timeMs)) {
      const events = around.flatMap((each) => each.events);
      return this.#tryArrange(known!, around, withEvent(events, event), known!.endMarkersMs, event);
    }
    // within its session, or behind all that it could belong to: the events that are there need no second look
    const belongs =
      stays ||
      (session !== undefined && cutBetween(this.#model, session, [event], known!.endMarkersMs) === null);
    if (this.#isLate(belongs ? Math.max(session!.heldMs, event.heldMs) : event.heldMs)) return false;
    const timeline = known ?? this.#timelineOf(key);
    const joined = belongs ? session! : newSession(key);
    if (belongs) this.#remove(timeline, joined);
    joined.closed = false;
    insertEvent(joined, event);
    this.#add(timeline, joined);
    this.#meetNeighbours(timeline, timeMs, timeMs);
    return true;
  }

  /** Where times alone decide, an event within a session tears none. */
  #tearsNone({ firstMs, lastMs }: Session, timeMs: number): boolean {
    const { startEvent, endCounted, onChange } = this.#model.windows;
    const timesAlone = startEvent === null && !endCounted && onChange.length === 0;
    return timesAlone && firstMs <= timeMs && timeMs <= lastMs;
  }

  /** An end event that belongs to no session: ends the one it follows, tears the one it lies in. False: late. */
  #acceptEnd(key: string, endMs: number, heldMs: number): boolean {
    const known = this.#timelines.get(key);
    const session = known?.sessionUpTo(endMs);
    if (session === undefined || !this.#reaches(known!, session, endMs)) {
      if (this.#isLate(heldMs)) return false;
      const timeline = known ?? this.#timelineOf(key);
      this.#addEndMarker(timeline, endMs);
      this.#meetNeighbours(timeline, endMs, endMs);
      this.#dropIfEmpty(timeline);
      return true;
    }
    const timeline = known!;
    if (session.closed) return false;
    if (endMs < session.lastMs) {
      const around = timeline.around(endMs, endMs);
      const events = around.flatMap((each) => each.events);
      const markers = [...timeline.endMarkersMs, endMs];
      if (!this.#tryArrange(timeline, around, events, markers, null, endMs)) return false;
    }
    this.#addEndMarker(timeline, endMs);
    this.#meetNeighbours(timeline, endMs, endMs);
    return true;
  }

  /** Does an end event end this session, or tear it? */
  #reaches(timeline: Timeline, session: Session, endMs: number): boolean {
    const marker = timeline.markerFrom(session.lastMs);
    return endMs <= openUntilMs(this.#model, session) && (marker === null || endMs < marker);
  }

  /**
   * Makes the sessions of their events anew, with what has come. False, and nothing is changed: it is late, since its session
   * is long over, or a session would be torn apart that is closed, or by its length, which what is behind the watermark must not.
   */
  #tryArrange(
    timeline: Timeline,
    around: readonly Session[],
    events: readonly SessionEvent[],
    endMarkersMs: readonly number[],
    came: SessionEvent | null,
    timeMs: number = came!.timeMs,
  ): boolean {
    const segments = segmentsOf(this.#model, events, endMarkersMs);
    const own = came && segments.find((segment) => startMs(segment) <= timeMs && lastMs(segment) >= timeMs);
    if (own && this.#isLate(latestHeldMs(own.events))) return false;
    const isBehind = this.#watermarkMs !== null && timeMs < this.#watermarkMs;
    for (const session of around) {
      const cuts = segments.filter(
        (segment) => startMs(segment) > session.firstMs && startMs(segment) <= session.lastMs,
      );
      if (cuts.length > 0 && session.closed) return false;
      if (isBehind && cuts.some(({ cutBy }) => cutBy === 'max_duration')) return false;
    }
    this.#arrange(timeline, around, segments);
    this.#meetNeighbours(timeline, startMs(segments[0]!), lastMs(segments.at(-1)!));
    return true;
  }

  /** Segments hold all events of some sessions that follow each other. Whoever keeps its events is left as it is. */
  #arrange(timeline: Timeline, around: readonly Session[], segments: readonly Segment[]): void {
    const isKept = (session: Session) =>
      segments.some(
        (segment) =>
          startMs(segment) === session.firstMs &&
          lastMs(segment) === session.lastMs &&
          segment.events.length === session.events.length,
      );
    const old = around.filter((session) => !isKept(session));
    for (const session of old) {
      this.#remove(timeline, session);
      session.gone = true;
    }
    for (const segment of segments) {
      const [from, to] = [startMs(segment), lastMs(segment)];
      if (timeline.sessionUpTo(from)?.firstMs === from) continue;
      const parts = old.filter((session) => session.firstMs <= to && session.lastMs >= from);
      const revision = Math.max(0, ...parts.map((session) => session.nextRevision));
      const session = sessionOf(timeline.key, segment.events, revision);
      // a row that stands goes with the event that its session is known by
      session.standing = old
        .flatMap(({ standing }) => standing)
        .filter(({ identityStartMs }) => identityStartMs >= from && identityStartMs <= to);
      session.bytes = estimateBytes(session);
      this.#add(timeline, session);
    }
  }

  /** What sessions end by, from the one before a time to those that begin up to another. */
  #meetNeighbours(timeline: Timeline, fromMs: number, toMs: number): void {
    const { sessions } = timeline;
    const first = timeline.sessionUpTo(fromMs);
    for (let at = Math.max(0, sessions.indexOf(first!) - 1); at < sessions.length; at++) {
      const session = sessions[at]!;
      if (session.firstMs > toMs) break;
      this.#setEnd(timeline, session, sessions[at + 1]);
      this.#enqueue(session);
    }
    this.#dropPassed(timeline);
  }

  /** End markers that the watermark has passed stay as long as they end a session that is known. */
  #dropPassed(timeline: Timeline): void {
    const watermarkMs = this.#watermarkMs ?? Number.NEGATIVE_INFINITY;
    const passed = timeline.endMarkersMs.filter((marker) => marker < watermarkMs);
    for (const marker of passed) if (!timeline.endsSession(marker)) timeline.removeEndMarker(marker);
  }

  #setEnd(timeline: Timeline, session: Session, next: Session | undefined): void {
    const { events, lastMs: fromMs } = session;
    const marker = timeline.markerFrom(fromMs);
    const untilMs = Math.min(openUntilMs(this.#model, session), (next?.firstMs ?? Infinity) - 1);
    const isOwn = marker !== null && marker <= untilMs;
    const endMs = isEnded(events) ? fromMs : isOwn ? marker : null;
    const moment = next?.events.filter(({ timeMs }) => timeMs === next.firstMs);
    const isSplit =
      moment !== undefined && cutBetween(this.#model, session, moment, timeline.endMarkersMs) === 'split';
    session.endMs = isSplit ? next!.firstMs - 1 : endMs;
    session.endsBySplit = isSplit;
  }

  #eventOf(offset: bigint, timeMs: number, values: FieldValues): SessionEvent {
    const { startEvent, endCounted } = this.#model.windows;
    return {
      timeMs,
      offset,
      heldMs: heldUntilMs(this.#model, timeMs, values),
      values,
      ...(startEvent !== null && holds(startEvent, values) ? { starts: true } : {}),
      ...(endCounted && this.#isEndEvent(values) ? { ends: true } : {}),
    };
  }

  #isEndEvent(values: FieldValues): boolean {
    const { endEvent } = this.#model;
    return endEvent !== null && holds(endEvent, values);
  }

  /** Is a session that is held open until then long over? */
  #isLate(heldMs: number): boolean {
    return this.#watermarkMs !== null && heldMs + this.#model.allowedLatenessMs < this.#watermarkMs;
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
    if (!session.closed) return closingOf(this.#model, session).ms;
    const { gapField, allowedLatenessMs } = this.#model;
    const timeline = gapField === null ? null : this.#timelineOf(session.key);
    return (timeline?.neededUntilMs(session) ?? session.heldMs) + allowedLatenessMs;
  }

  #close(session: Session): void {
    session.closed = true;
    this.#openSessions--;
    this.#emit(session, closingOf(this.#model, session).by);
    this.#enqueue(session);
  }

  #forget(session: Session): void {
    const timeline = this.#timelineOf(session.key);
    this.#remove(timeline, session);
    session.gone = true;
    this.#dropPassed(timeline);
    // those behind it were to be known for as long as it
    if (this.#model.gapField !== null) for (const later of timeline.sessions) this.#enqueue(later);
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
    if (this.#watermarkMs !== null) this.#moveWatermark(this.#watermarkMs);
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

  #refuse(record: KafkaRecord, reason: DeadLetterReason, detail: string, item?: MessageItem): void {
    const value = item === undefined ? record.value : item.encoded();
    this.#sink.deadLetter({
      reason,
      detail,
      offset: record.offset,
      timestampMs: record.timestampMs,
      // the record's bytes are valid only during the call; slice() of a Buffer would not copy
      key: record.key === null ? null : new Uint8Array(record.key),
      value: value === null ? null : new Uint8Array(value),
      ...(item === undefined ? {} : { item: item.index }),
    });
  }
}

function startMs({ events }: Segment): number {
  return events[0]!.timeMs;
}

function lastMs({ events }: Segment): number {
  return events.at(-1)!.timeMs;
}
