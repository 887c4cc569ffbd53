import type { ClosedBy, CompiledModel } from '../model/types.js';
import { midnightAfter } from '../model/zone.js';
import type { FieldValues } from './event.js';
import type { SessionEvent } from './lane-state.js';

/**
 * Where sessions begin and end: a pure function of a key's events in (time, offset) order, from left to right. Events of one
 * millisecond are never torn apart: together they begin a session or belong to the one before.
 */

/** Why a moment does not belong to the session before it. */
export type CutBy = 'gap' | 'end_event' | 'midnight' | 'split' | 'max_duration';

/** Events that are one session; `cutBy`: why they do not belong to the one before. */
export interface Segment {
  readonly events: readonly SessionEvent[];
  readonly cutBy: CutBy;
}

/** What the events so far of a session decide about the next. */
interface Walk {
  firstMs: number;
  lastMs: number;
  /** Until when they hold it open. */
  heldMs: number;
  /** Its last moment holds an end event that belongs to it. */
  ended: boolean;
  /** By field of on_change, its last value that is not null. */
  values: FieldValues;
}

/** Until when an event holds its session open: an event at that time belongs to it still. */
export function heldUntilMs({ gapMs, gapField }: CompiledModel, timeMs: number, values: FieldValues): number {
  if (gapField === null) return timeMs + gapMs;
  const value = values[gapField.field] as number | null;
  const saidMs = value === null ? gapField.defaultMs : Math.floor(value * gapField.unitMs);
  return timeMs + Math.min(gapMs, Math.max(0, saidMs));
}

export function segmentsOf(
  model: CompiledModel,
  events: readonly SessionEvent[],
  endMarkersMs: readonly number[],
): Segment[] {
  const segments: { events: SessionEvent[]; cutBy: CutBy }[] = [];
  let walk: Walk | null = null;
  for (let at = 0; at < events.length; ) {
    const moment = [events[at++]!];
    while (events[at]?.timeMs === moment[0]!.timeMs) moment.push(events[at++]!);
    const cutBy: CutBy | null = walk === null ? 'gap' : cutOf(model, walk, moment, endMarkersMs);
    if (cutBy === null) segments.at(-1)!.events.push(...moment);
    else segments.push({ events: moment, cutBy });
    walk = walkOn(model, cutBy === null ? walk : null, moment);
  }
  return segments;
}

/** Why later events, all of one moment, do not belong to a session; null: they do. */
export function cutBetween(
  model: CompiledModel,
  { events, firstMs, lastMs, heldMs }: OfSession & { readonly events: readonly SessionEvent[] },
  moment: readonly SessionEvent[],
  endMarkersMs: readonly number[],
): CutBy | null {
  const values = model.windows.onChange.map(
    (field) => events.findLast((event) => event.values[field] !== null)?.values[field] ?? null,
  );
  const walk = { firstMs, lastMs, heldMs, ended: isEnded(events), values };
  return cutOf(model, walk, moment, endMarkersMs);
}

/** Does the last moment hold an end event that belongs to the session? */
export function isEnded(session: readonly SessionEvent[]): boolean {
  const lastMs = session.at(-1)!.timeMs;
  for (let at = session.length - 1; session[at]?.timeMs === lastMs; at--) {
    if (session[at]!.ends) return true;
  }
  return false;
}

function cutOf(
  model: CompiledModel,
  walk: Walk,
  moment: readonly SessionEvent[],
  endMarkersMs: readonly number[],
): CutBy | null {
  const { maxDurationMs, midnight } = model.windows;
  const { timeMs } = moment[0]!;
  if (timeMs > walk.heldMs) return 'gap';
  if (walk.ended || endMarkersMs.some((marker) => marker >= walk.lastMs && marker < timeMs)) {
    return 'end_event';
  }
  if (midnight !== null && midnightAfter(midnight, walk.firstMs) <= timeMs) return 'midnight';
  if (moment.some((event) => event.starts) || isChange(model, walk, moment)) return 'split';
  return timeMs - walk.firstMs > maxDurationMs ? 'max_duration' : null;
}

function isChange(model: CompiledModel, { values }: Walk, moment: readonly SessionEvent[]): boolean {
  return model.windows.onChange.some((field, index) => {
    const before = values[index]!;
    const now = moment.find((event) => event.values[field] !== null)?.values[field] ?? null;
    return before !== null && now !== null && now !== before;
  });
}

function walkOn(model: CompiledModel, walk: Walk | null, moment: readonly SessionEvent[]): Walk {
  const { timeMs } = moment[0]!;
  return {
    firstMs: walk?.firstMs ?? timeMs,
    lastMs: timeMs,
    heldMs: latestHeldMs(moment, walk?.heldMs),
    ended: moment.some((event) => event.ends),
    values: model.windows.onChange.map(
      (field, index) =>
        moment.findLast((event) => event.values[field] !== null)?.values[field] ??
        walk?.values[index] ??
        null,
    ),
  };
}

/** Until when some events hold their session open, and what came before them. */
export function latestHeldMs(events: readonly SessionEvent[], before = Number.NEGATIVE_INFINITY): number {
  return events.reduce((latest, { heldMs }) => Math.max(latest, heldMs), before);
}

/** Times of a session's first and last event, and until when its events hold it open. */
interface OfSession {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly heldMs: number;
}

/** When the watermark passes `ms`, no event that is in time can join the session any more, and by what. */
export function closingOf(
  model: CompiledModel,
  { firstMs, heldMs, endMs, endsBySplit }: OfSession & { endMs: number | null; endsBySplit: boolean },
): { ms: number; by: ClosedBy } {
  const { maxDurationMs, midnight } = model.windows;
  let closing: { ms: number; by: ClosedBy } = { ms: heldMs, by: 'gap' };
  const earlier = (ms: number, by: ClosedBy) => {
    if (ms < closing.ms) closing = { ms, by };
  };
  earlier(firstMs + maxDurationMs, 'max_duration');
  if (midnight !== null) earlier(midnightAfter(midnight, firstMs) - 1, 'split');
  if (endMs !== null && endsBySplit) earlier(endMs, 'split');
  return endMs !== null && !endsBySplit ? { ms: endMs, by: 'end_event' } : closing;
}

/** The last time at which an event could belong to a session, or end it, if nothing else lay in between. */
export function openUntilMs(model: CompiledModel, session: OfSession): number {
  return closingOf(model, { ...session, endMs: null, endsBySplit: false }).ms;
}
