import type { CompiledModel } from '../model/types.js';

/**
 * Cuts that depend on where the session began: its longest duration, values that change, and until when its events hold it open
 * where each says it. Which event begins the next session is then known only when all before it is: a fold over the events, in order.
 *
 * State of the fold: when the session began, the time of the event before, where events say it until when it is held open, the
 * last value of each field of on_change, and the times at which sessions begin. Events of one time are never torn apart, so a time is enough to say where.
 */
export interface FoldDialect {
  /** Fields of the state, and of the event that it meets. */
  state: { began: string; before: string; heldMs: string; value(index: number): string; cuts: string };
  event: { atMs: string; heldMs: string; value(index: number): string; momentValue(index: number): string };
  append(items: string, item: string): string;
  /** A new state of these. */
  make(parts: readonly string[]): string;
}

export function foldStep(dialect: FoldDialect, model: CompiledModel): string {
  const { state, event } = dialect;
  const { maxDurationMs, onChange } = model.windows;
  const changes = onChange.map(
    (_, index) => `coalesce(${event.momentValue(index)} <> ${state.value(index)}, false)`,
  );
  const tooLong = `${event.atMs} - ${state.began} > ${maxDurationMs}`;
  const isOver = model.gapField === null ? [] : [`${event.atMs} > ${state.heldMs}`];
  const isFirst = `${state.before} = -1`;
  const isCut = `(${event.atMs} <> ${state.before} AND NOT ${isFirst} AND (${[tooLong, ...isOver, ...changes].join(' OR ')}))`;
  const isLater = `${isFirst} OR ${isCut} OR ${event.heldMs} > ${state.heldMs}`;
  const held = `CASE WHEN ${isLater} THEN ${event.heldMs} ELSE ${state.heldMs} END`;
  return dialect.make([
    `CASE WHEN ${isFirst} OR ${isCut} THEN ${event.atMs} ELSE ${state.began} END`,
    event.atMs,
    ...(model.gapField === null ? [] : [held]),
    ...onChange.map(
      (_, index) =>
        `coalesce(${event.value(index)}, CASE WHEN ${isCut} THEN NULL ELSE ${state.value(index)} END)`,
    ),
    `CASE WHEN ${isCut} THEN ${dialect.append(state.cuts, event.atMs)} ELSE ${state.cuts} END`,
  ]);
}

/** Belongs to a session: an end event that is not counted does not. For texts in which `is_end` says which events end one. */
export function isMember({ endEvent, windows }: CompiledModel): string {
  return endEvent !== null && !windows.endCounted ? 'NOT is_end' : 'true';
}
