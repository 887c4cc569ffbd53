import type { ColumnOp, CompiledModel, RowValue } from '../model/types.js';
import { chosen } from './condition.js';
import type { SessionEvent } from './lane-state.js';

/** Columns that hold or count the values of one field; model/types.ts has their meaning. */

type OpOf<Op extends ColumnOp['op']> = Extract<ColumnOp, { op: Op }>;
type ReadingOp = OpOf<
  'first' | 'last' | 'min' | 'max' | 'sum' | 'avg' | 'argmin' | 'argmax' | 'count_distinct' | 'count_values'
>;

/** A number is not in its column's type yet. */
export function readColumn(op: ReadingOp, model: CompiledModel, all: readonly SessionEvent[]): RowValue {
  const events = chosen(all, op.where);
  const values = events.map((event) => valueIn(event, op.field, model)).filter((value) => value !== null);
  switch (op.op) {
    case 'first':
      return shown(values[0], op.field, model);
    case 'last':
      return shown(values.at(-1), op.field, model);
    case 'count_distinct':
      return new Set(values).size;
    case 'count_values':
      return values.length;
    case 'argmin':
    case 'argmax':
      return shown(valueAtBest(op, model, events), op.field, model);
  }
  if (values.length === 0) return null;
  // compileModel sees to that
  const numbers = values as number[];
  switch (op.op) {
    case 'min':
      return numbers.reduce((least, value) => Math.min(least, value));
    case 'max':
      return numbers.reduce((most, value) => Math.max(most, value));
    case 'sum':
      return sumOf(numbers);
    case 'avg':
      return sumOf(numbers) / numbers.length;
  }
}

/** In the events' order: another one could give another sum. */
function sumOf(numbers: readonly number[]): number {
  let sum = 0;
  for (const value of numbers) sum += value;
  return sum;
}

function valueAtBest(
  { op, field, by }: OpOf<'argmin' | 'argmax'>,
  model: CompiledModel,
  events: readonly SessionEvent[],
): string | number | null {
  let best: number | null = null;
  let found: string | number | null = null;
  for (const event of events) {
    const value = valueIn(event, field, model);
    const rank = valueIn(event, by, model) as number | null;
    if (value === null || rank === null) continue;
    if (best !== null && (op === 'argmin' ? rank >= best : rank <= best)) continue;
    best = rank;
    found = value;
  }
  return found;
}

/** The event's own time for the time field: its value may have been left out of what a session keeps. */
function valueIn(event: SessionEvent, field: number, model: CompiledModel): string | number | null {
  return field === model.timeField ? event.timeMs : event.values[field]!;
}

/** A value as a row has it. */
function shown(value: string | number | null | undefined, field: number, model: CompiledModel): RowValue {
  if (value === undefined || value === null) return null;
  return model.fields[field]!.type === 'boolean' ? value !== 0 : value;
}

/** Least or greatest offset of the events. */
export function offsetOf(op: OpOf<'first_offset' | 'last_offset'>, events: readonly SessionEvent[]): number {
  const offsets = events.map(({ values }) => values[op.field] as number);
  return offsets.reduce((a, b) => ((op.op === 'first_offset' ? b < a : b > a) ? b : a));
}
