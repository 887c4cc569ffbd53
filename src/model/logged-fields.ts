import type { ColumnOp, CompiledModel } from './types.js';

/** What of a model's fields a session has to keep. */
export interface LoggedFields {
  /** Field indexes, by place in a session's log. */
  fields: readonly number[];
  /** The first of them are kept for every event, the others only as far as `first` can need them. */
  tracked: number;
}

/** Fields that columns read: those that need every event first, then those that only `first` reads. */
export function loggedFields(model: CompiledModel): LoggedFields {
  const every = new Set<number>();
  const first = new Set<number>();
  for (const { op } of model.columns) {
    if (op.op === 'first') first.add(op.field);
    else for (const field of fieldsOf(op, model.timeField)) every.add(field);
  }
  // a split can make any event the first of its session
  const splits = model.endEvent !== null;
  const onlyFirst = [...first].filter((field) => !every.has(field));
  const fields = [...every, ...onlyFirst];
  return { fields, tracked: splits ? fields.length : every.size };
}

function fieldsOf(op: ColumnOp, timeField: number): readonly number[] {
  switch (op.op) {
    case 'count_if':
      return [op.where.field];
    case 'last':
    case 'count_distinct':
    case 'count_values':
    case 'set':
      return [op.field];
    case 'list':
      return [op.field, op.by, op.where?.field].filter((field) => typeof field === 'number');
    case 'records': {
      const fields = op.members.map(({ field }) => field);
      if (op.present !== null) fields.push(op.present);
      // the time of an event is kept anyway
      return fields.filter((field) => field !== timeField);
    }
    default:
      return [];
  }
}
