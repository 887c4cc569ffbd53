import { fieldsOfCondition } from './conditions.js';
import type { ColumnOp, CompiledModel, Field } from './types.js';

/** What of a model's fields a session has to keep. */
export interface LoggedFields {
  /** Field indexes, by place in a session's log. */
  fields: readonly number[];
  /** The first of them are kept for every event, the others only as far as `first` can need them. */
  tracked: number;
  /**
   * Index behind the last field, when events are kept with what they are for their sessions (it is among `fields` then, as if
   * it were a number of theirs): 1 begins one, 2 ends one, the sum of both, null neither. Null: nothing is kept.
   */
  flags: number | null;
}

/** Fields that columns read: those that need every event first, then those that only `first` reads. */
export function loggedFields(model: CompiledModel): LoggedFields {
  const every = new Set<number>();
  const first = new Set<number>();
  for (const { op } of model.columns) {
    // of a lane all events say the same
    if ((op.op === 'first' && op.where === null) || op.op === 'partition') first.add(op.field);
    else for (const field of fieldsOf(op, model.timeField)) every.add(field);
    if ('where' in op) for (const field of fieldsOfCondition(op.where)) every.add(field);
  }
  const { deduplicateField, gapField, windows } = model;
  const { startEvent, onChange } = windows;
  for (const field of onChange) every.add(field);
  if (deduplicateField !== null) every.add(deduplicateField);
  if (gapField !== null) every.add(gapField.field);
  // a split can make any event the first of its session, and so can one that repeats another; where midnight and max_duration cut,
  // what came before stays
  const isCut = model.endEvent !== null || startEvent !== null || onChange.length > 0;
  const splits = isCut || deduplicateField !== null;
  const onlyFirst = [...first].filter((field) => !every.has(field));
  const fields = [...every, ...onlyFirst];
  const flags = startEvent !== null || model.windows.endCounted ? model.fields.length : null;
  if (flags !== null) fields.push(flags);
  return { fields, tracked: splits ? fields.length : every.size, flags };
}

/** The field that events have besides, in a session's log and in a snapshot. */
export function flagsField(index: number): Field {
  return { index, path: [], type: 'uint32', required: false };
}

/** Beside those of its condition. */
function fieldsOf(op: ColumnOp, timeField: number): readonly number[] {
  // the time of an event is kept anyway
  const notTime = (fields: readonly number[]) => fields.filter((field) => field !== timeField);
  switch (op.op) {
    case 'first':
    case 'last':
    case 'count_distinct':
    case 'count_values':
    case 'set':
    case 'first_offset':
    case 'last_offset':
      return [op.field];
    case 'min':
    case 'max':
    case 'sum':
    case 'avg':
      return notTime([op.field]);
    case 'argmin':
    case 'argmax':
      return notTime([op.field, op.by]);
    case 'list':
      return op.by === null ? [op.field] : [op.field, op.by];
    case 'records': {
      const fields = op.members.map(({ field }) => field);
      if (op.present !== null) fields.push(op.present);
      return notTime(fields);
    }
    default:
      return [];
  }
}
