import type { ColumnOp, Condition, RowValue } from '../model/types.js';
import type { FieldValues } from './event.js';
import type { SessionEvent } from './lane-state.js';

/**
 * Columns that hold several values of a session; model/types.ts has their meaning. A JSON text is JSON.stringify's to the
 * byte: it is part of the row's canonical bytes, and every engine writes the same.
 */

type OpOf<Op extends ColumnOp['op']> = Extract<ColumnOp, { op: Op }>;
type Events = readonly SessionEvent[];

export function holds({ field, oneOf }: Condition, values: FieldValues): boolean {
  return oneOf.includes(values[field] as string);
}

/** A field's values that are not null, in order. */
export function* present(events: Events, field: number): Generator<string | number, undefined> {
  for (const event of events) {
    const value = event.values[field]!;
    if (value !== null) yield value;
  }
}

export function listValue(op: OpOf<'list'>, events: Events): RowValue {
  const { field, limit, json, by, where } = op;
  const chosen = where === null ? events : events.filter(({ values }) => holds(where, values));
  const values = by === null ? present(chosen, field) : firstByEach(chosen, by, field);
  return asColumn(firstOf(values, limit), json);
}

export function setValue({ field, limit, json }: OpOf<'set'>, events: Events): RowValue {
  return asColumn(firstOf(new Set(present(events, field)), limit), json);
}

export function recordsValue(op: OpOf<'records'>, events: Events, timeField: number): RowValue {
  const { members, limit } = op;
  const chosen = op.present === null ? events : events.filter(({ values }) => values[op.present!] !== null);
  const records = chosen.slice(0, limit).map(({ timeMs, values }) =>
    // the event's own time: its value may have been left out of what a session keeps
    Object.fromEntries(
      members.map(({ name, field }) => [name, field === timeField ? timeMs : values[field]]),
    ),
  );
  return JSON.stringify(records);
}

/** `field` of the first event of each value of `by`. */
function* firstByEach(
  events: Events,
  by: number,
  field: number,
): Generator<string | number | null, undefined> {
  const seen = new Set<string | number>();
  for (const { values } of events) {
    const name = values[by]!;
    if (name === null || seen.has(name)) continue;
    seen.add(name);
    yield values[field]!;
  }
}

function firstOf<T>(values: Iterable<T>, limit: number): T[] {
  const list: T[] = [];
  for (const value of values) {
    if (list.length === limit) break;
    list.push(value);
  }
  return list;
}

/** Items that are no text are possible only in JSON: compileModel sees to that. */
function asColumn(items: readonly (string | number | null)[], json: boolean): RowValue {
  return json ? JSON.stringify(items) : (items as readonly string[]);
}
