import type { ClosedBy, ColumnOp, CompiledModel, Row, RowValue } from '../model/types.js';
import { chosen } from './condition.js';
import { fitted } from './fit.js';
import { evaluate } from './formula.js';
import type { SessionEvent } from './lane-state.js';
import { type CollectionOp, collect, concat, isCollection, overflowOf } from './session-collections.js';
import { offsetOf, readColumn } from './session-values.js';

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
  all: readonly SessionEvent[],
  facts: RowFacts,
): { row: Row; clamped: number } {
  const events = withoutRepeats(all, model.deduplicateField);
  let clamped = 0;
  const row: Row = [];
  for (const { op, type } of model.columns) {
    if (isCollection(op)) {
      const { value, isCut } = collect(op, model, events);
      if (isCut) clamped++;
      row.push(value);
      continue;
    }
    if (op.op === 'concat') {
      const { value, isCut } = concat(op, row, model.collectionBytesMax);
      if (isCut) clamped++;
      row.push(value);
      continue;
    }
    const value = columnValue(op, model, events, facts, row);
    if (typeof value !== 'number') {
      row.push(value);
      continue;
    }
    const fitting = fitted(value, type);
    if (fitting.clamped) clamped++;
    row.push(fitting.value);
  }
  return { row, clamped };
}

/** Of several events with the same value the first. */
function withoutRepeats(events: readonly SessionEvent[], field: number | null): readonly SessionEvent[] {
  if (field === null) return events;
  const seen = new Set<string | number>();
  return events.filter(({ values }) => {
    const value = values[field]!;
    if (value === null) return true;
    if (seen.has(value)) return false;
    seen.add(value);
    return true;
  });
}

/** A number is not in its column's type yet. `row`: the columns before this one. */
function columnValue(
  op: Exclude<ColumnOp, CollectionOp | { op: 'concat' }>,
  model: CompiledModel,
  events: readonly SessionEvent[],
  facts: RowFacts,
  row: Row,
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
      return chosen(events, op.where).length;
    case 'first':
    case 'last':
    case 'min':
    case 'max':
    case 'sum':
    case 'avg':
    case 'argmin':
    case 'argmax':
    case 'count_distinct':
    case 'count_values':
      return readColumn(op, model, events);
    case 'constant':
      return op.value;
    case 'calculate': {
      const value = evaluate(op.formula, (column) => numberOf(row[column]!));
      return Number.isNaN(value) ? null : value;
    }
    case 'overflow':
      return overflowOf(model.columns[op.of]!.op as CollectionOp, model, events);
    case 'closed_by':
      return facts.closedBy;
    case 'revision':
      return facts.revision;
    case 'sign':
      return 1;
    case 'partition':
      return events[0]!.values[op.field]!;
    case 'first_offset':
    case 'last_offset':
      return offsetOf(op, events);
    case 'created_at':
    case 'batch_id':
    case 'file_id':
      return null;
  }
}

/** A value of the row as formulas have it. */
function numberOf(value: RowValue): number {
  return value === null ? Number.NaN : Number(value);
}

/** In one pass: a key may hold `{start_ms}` itself. */
function fillTemplate(template: string, key: string, startMs: number): string {
  return template.replace(/\{key\}|\{start_ms\}/g, (name) => (name === '{key}' ? key : String(startMs)));
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
