import type { ColumnOp, CompiledModel, Condition, RowValue } from '../model/types.js';
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

export type CollectionOp = OpOf<'list' | 'set' | 'records'>;

/** A column's value, and whether items were left out since they would not fit. */
export interface Collected {
  value: RowValue;
  isCut: boolean;
}

export function isCollection(op: ColumnOp): op is CollectionOp {
  return op.op === 'list' || op.op === 'set' || op.op === 'records';
}

export function collect(op: CollectionOp, model: CompiledModel, events: Events): Collected {
  const bytesMax = model.collectionBytesMax;
  if (op.op === 'records') return jsonOf(recordsOf(op, events, model.timeField), op.limit, bytesMax);
  const values = op.op === 'set' ? new Set(present(events, op.field)) : listed(op, events);
  // items that are no text are possible only in JSON: compileModel sees to that
  return op.json
    ? jsonOf(values, op.limit, bytesMax)
    : textsOf(values as Iterable<string>, op.limit, bytesMax);
}

function listed({ field, by, where }: OpOf<'list'>, events: Events): Iterable<string | number | null> {
  const chosen = where === null ? events : events.filter(({ values }) => holds(where, values));
  return by === null ? present(chosen, field) : firstByEach(chosen, by, field);
}

function* recordsOf(op: OpOf<'records'>, events: Events, timeField: number): Generator<object, undefined> {
  for (const { timeMs, values } of events) {
    if (op.present !== null && values[op.present] === null) continue;
    // the event's own time: its value may have been left out of what a session keeps
    yield Object.fromEntries(
      op.members.map(({ name, field }) => [name, field === timeField ? timeMs : values[field]]),
    );
  }
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

/** A JSON array of the first items, as JSON.stringify writes it. */
function jsonOf(
  items: Iterable<object | string | number | null>,
  limit: number,
  bytesMax: number,
): Collected {
  const texts: string[] = [];
  // the bracket; what comes behind an item, comma or bracket, is counted with it
  let bytes = 1;
  for (const item of items) {
    if (texts.length === limit) break;
    const text = JSON.stringify(item);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > bytesMax) return { value: `[${texts.join(',')}]`, isCut: true };
    texts.push(text);
  }
  return { value: `[${texts.join(',')}]`, isCut: false };
}

function textsOf(items: Iterable<string>, limit: number, bytesMax: number): Collected {
  const texts: string[] = [];
  let bytes = 0;
  for (const item of items) {
    if (texts.length === limit) break;
    bytes += 4 + Buffer.byteLength(item);
    if (bytes > bytesMax) return { value: texts, isCut: true };
    texts.push(item);
  }
  return { value: texts, isCut: false };
}
