import type { ClosedBy, ColumnOp, ColumnType, CompiledModel, Row, RowValue } from '../model/types.js';
import type { SessionEvent } from './lane-state.js';
import { type CollectionOp, collect, holds, isCollection, present } from './session-collections.js';

/** The row of a session, column by column, from its events in (time, offset) order. */

/** What a row holds that its events do not say. */
export interface RowFacts {
  key: string;
  /** Null: the session's first row, which fixes it. */
  sessionId: string | null;
  closedBy: ClosedBy;
  revision: number;
}

/**
 * A row with sign +1; created_at, batch_id and file_id are null until the seal. `clamped`: how many values did not fit
 * their column.
 */
export function computeRow(
  model: CompiledModel,
  events: readonly SessionEvent[],
  facts: RowFacts,
): { row: Row; clamped: number } {
  let clamped = 0;
  const row = model.columns.map((column): RowValue => {
    if (isCollection(column.op)) {
      const { value, isCut } = collect(column.op, model, events);
      if (isCut) clamped++;
      return value;
    }
    const value = columnValue(column.op, events, facts);
    if (typeof value !== 'number') return value;
    const fitting = clamp(value, column.type);
    if (Number(fitting) !== value) clamped++;
    return fitting;
  });
  return { row, clamped };
}

function columnValue(
  op: Exclude<ColumnOp, CollectionOp>,
  events: readonly SessionEvent[],
  facts: RowFacts,
): RowValue {
  const startMs = events[0]!.timeMs;
  const endMs = events[events.length - 1]!.timeMs;
  switch (op.op) {
    case 'key':
      return facts.key;
    case 'session_id':
      return facts.sessionId ?? fillTemplate(op.template, facts.key, startMs);
    case 'session_start':
      return startMs;
    case 'session_end':
      return endMs;
    case 'duration_sec':
      return Math.floor((endMs - startMs) / 1000);
    case 'count':
      return events.length;
    case 'count_if':
      return events.filter(({ values }) => holds(op.where, values)).length;
    case 'first':
      return present(events, op.field).next().value ?? null;
    case 'last':
      return events.findLast((event) => event.values[op.field] !== null)?.values[op.field] ?? null;
    case 'count_distinct':
      return new Set(present(events, op.field)).size;
    case 'count_values':
      return events.filter((event) => event.values[op.field] !== null).length;
    case 'closed_by':
      return facts.closedBy;
    case 'revision':
      return facts.revision;
    case 'sign':
      return 1;
    case 'created_at':
    case 'batch_id':
    case 'file_id':
      return null;
  }
}

/** In one pass: a key may hold `{start_ms}` itself. */
function fillTemplate(template: string, key: string, startMs: number): string {
  return template.replace(/\{key\}|\{start_ms\}/g, (name) => (name === '{key}' ? key : String(startMs)));
}

const MAX_OF_TYPE: Readonly<Partial<Record<ColumnType, number>>> = {
  int8: 2 ** 7 - 1,
  uint16: 2 ** 16 - 1,
  uint32: 2 ** 32 - 1,
};

/** From above only: no whole number of a row is negative. All stay below 2⁵³. */
function clamp(value: number, type: ColumnType): number | bigint {
  if (type === 'uint64') return BigInt(value);
  const max = MAX_OF_TYPE[type];
  return max === undefined ? value : Math.min(value, max);
}

/** Are two rows the same but for created_at, batch_id, file_id, revision and sign? */
export function sameContent(model: CompiledModel, a: Row, b: Row): boolean {
  return model.columns.every(({ index, op: { op } }) => {
    const outside =
      op === 'created_at' || op === 'batch_id' || op === 'file_id' || op === 'revision' || op === 'sign';
    return outside || sameValue(a[index]!, b[index]!);
  });
}

function sameValue(a: RowValue, b: RowValue): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
