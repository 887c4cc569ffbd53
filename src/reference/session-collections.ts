import type { ColumnOp, CompiledModel, Row, RowValue } from '../model/types.js';
import { chosen } from './condition.js';
import type { SessionEvent } from './lane-state.js';

/**
 * Columns that hold several values of a session; model/types.ts has their meaning. A JSON text is JSON.stringify's to the
 * byte: it is part of the row's canonical bytes, and every engine writes the same.
 */

type OpOf<Op extends ColumnOp['op']> = Extract<ColumnOp, { op: Op }>;
type Events = readonly SessionEvent[];

/** A field's values that are not null, in order. */
function* present(events: Events, field: number): Generator<string | number, undefined> {
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
  /** How many it holds. */
  items: number;
}

export function isCollection(op: ColumnOp): op is CollectionOp {
  return op.op === 'list' || op.op === 'set' || op.op === 'records';
}

export function collect(op: CollectionOp, model: CompiledModel, events: Events): Collected {
  const bytesMax = model.collectionBytesMax;
  const items = itemsOf(op, model, events);
  // items that are no text are possible only in JSON: compileModel sees to that
  return op.op === 'records' || op.json
    ? jsonOf(items, op.limit, bytesMax)
    : textsOf(items as Iterable<string>, op.limit, bytesMax);
}

/** How many items there are that a column has not. */
export function overflowOf(op: CollectionOp, model: CompiledModel, events: Events): number {
  const kept = collect(op, model, events).items;
  return [...itemsOf(op, model, events)].length - kept;
}

/** All that a column would hold if it had room for it. */
function itemsOf(
  op: CollectionOp,
  model: CompiledModel,
  all: Events,
): Iterable<object | string | number | null> {
  const events = chosen(all, op.where);
  if (op.op === 'records') return recordsOf(op, model, events);
  if (op.op === 'set') return new Set(present(events, op.field));
  return op.by === null ? present(events, op.field) : firstByEach(events, op.by, op.field);
}

function* recordsOf(
  op: OpOf<'records'>,
  { fields, timeField }: CompiledModel,
  events: Events,
): Generator<object, undefined> {
  const shown = (value: string | number | null, field: number) =>
    value !== null && fields[field]!.type === 'boolean' ? value !== 0 : value;
  for (const { timeMs, values } of events) {
    if (op.present !== null && values[op.present] === null) continue;
    // the event's own time: its value may have been left out of what a session keeps
    yield Object.fromEntries(
      op.members.map(({ name, field }) => [
        name,
        field === timeField ? timeMs : shown(values[field]!, field),
      ]),
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
    if (bytes > bytesMax) return { value: `[${texts.join(',')}]`, isCut: true, items: texts.length };
    texts.push(text);
  }
  return { value: `[${texts.join(',')}]`, isCut: false, items: texts.length };
}

function textsOf(items: Iterable<string>, limit: number, bytesMax: number): Collected {
  const texts: string[] = [];
  let bytes = 0;
  for (const item of items) {
    if (texts.length === limit) break;
    bytes += 4 + Buffer.byteLength(item);
    if (bytes > bytesMax) return { value: texts, isCut: true, items: texts.length };
    texts.push(item);
  }
  return { value: texts, isCut: false, items: texts.length };
}

/** Columns of the row so far as one text; one that is null is left out, its separator too, and so are all from one that does not fit. */
export function concat(op: OpOf<'concat'>, row: Row, bytesMax: number): Omit<Collected, 'items'> {
  let text = '';
  let bytes = 0;
  let isFirst = true;
  for (const column of op.of) {
    const value = row[column]!;
    if (value === null) continue;
    const part = isFirst ? String(value) : op.separator + String(value);
    bytes += Buffer.byteLength(part);
    if (bytes > bytesMax) return { value: text, isCut: true };
    text += part;
    isFirst = false;
  }
  return { value: text, isCut: false };
}
