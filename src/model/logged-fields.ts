import type { CompiledModel } from './types.js';

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
    if (op.op === 'count_if') every.add(op.where.field);
    else if (op.op === 'first') first.add(op.field);
    else if ('field' in op) every.add(op.field);
  }
  // a split can make any event the first of its session
  const splits = model.endEvent !== null;
  const onlyFirst = [...first].filter((field) => !every.has(field));
  const fields = [...every, ...onlyFirst];
  return { fields, tracked: splits ? fields.length : every.size };
}
