import { invariant } from '../invariant.js';
import type { ColumnOp, CompiledModel, Condition } from '../model/types.js';
import { conditionSql } from './conditions.js';
import type { RowDialect } from './derived-columns.js';
import { fieldOf, templateParts } from './fields.js';
import { endsOtherwise } from './not-expressed.js';

/**
 * What a session is reduced to, for engines that have functions over arrays: the session is an array of its events in order.
 * Around them stand `session_key`, `partition`, `start_ms`, `end_ms` and `events`; `x` is the event that a function looks at.
 */
export interface ArrayDialect extends RowDialect {
  /** The field's value of event `x`, null when it has none; times in ms, truths 1 and 0. */
  value(field: number): string;
  /** Of event `x`. */
  offset: string;
  /** Every event → `sql`. */
  map(events: string, sql: string): string;
  /** The events for which it holds. */
  filter(events: string, condition: string): string;
  /** The first or last item, null when there is none. */
  first(items: string): string;
  last(items: string): string;
  length(items: string): string;
  /** Least and greatest item, null when there is none. */
  least(items: string): string;
  greatest(items: string): string;
  /** Added up in order, as doubles; null when there is none. */
  sum(items: string): string;
  /** Each once, by first appearance. */
  distinct(items: string): string;
  /** One event for each value of `by`: the first that has it. */
  firstOfEach(events: string, by: string): string;
  take(items: string, count: number): string;
  /** A JSON array as one text. */
  json(items: string): string;
  record(members: readonly { name: string; type: 'string' | 'integer' | 'boolean'; sql: string }[]): string;
  concat(parts: readonly string[]): string;
  nowMs: string;
  wholeSeconds(ms: string): string;
}

type OpOf<Op extends ColumnOp['op']> = Extract<ColumnOp, { op: Op }>;
type CollectionOp = OpOf<'list' | 'set' | 'records'>;

const EVENTS = 'events';

export function arrayColumn(dialect: ArrayDialect, model: CompiledModel, op: ColumnOp): string {
  switch (op.op) {
    case 'key':
      return 'session_key';
    case 'session_id':
      return sessionId(dialect, op.template);
    case 'session_start':
      return 'start_ms';
    case 'session_end':
      return 'end_ms';
    case 'duration_sec':
      return dialect.wholeSeconds('end_ms - start_ms');
    case 'count':
      return dialect.length(EVENTS);
    case 'count_if':
      return dialect.length(chosen(dialect, op.where));
    case 'first':
      return dialect.first(valuesOf(dialect, op));
    case 'last':
      return dialect.last(valuesOf(dialect, op));
    case 'min':
      return dialect.least(valuesOf(dialect, op));
    case 'max':
      return dialect.greatest(valuesOf(dialect, op));
    case 'sum':
      return dialect.sum(valuesOf(dialect, op));
    case 'avg': {
      const values = valuesOf(dialect, op);
      return `${dialect.sum(values)} / NULLIF(${dialect.length(values)}, 0)`;
    }
    case 'argmin':
    case 'argmax':
      return valueAtBest(dialect, op);
    case 'count_distinct':
      return dialect.length(dialect.distinct(valuesOf(dialect, op)));
    case 'count_values':
      return dialect.length(valuesOf(dialect, op));
    case 'list':
    case 'set': {
      const taken = dialect.take(itemsOf(dialect, model, op), op.limit);
      return op.json ? dialect.json(taken) : taken;
    }
    case 'records':
      return dialect.json(dialect.take(itemsOf(dialect, model, op), op.limit));
    case 'overflow': {
      const of = collectionOf(model, op.of);
      const count = dialect.length(itemsOf(dialect, model, of));
      return `CASE WHEN ${count} > ${of.limit} THEN ${count} - ${of.limit} ELSE 0 END`;
    }
    case 'constant':
      return constantSql(dialect, op.value);
    case 'partition':
      return 'partition';
    case 'first_offset':
      return dialect.least(dialect.map(EVENTS, dialect.offset));
    case 'last_offset':
      return dialect.greatest(dialect.map(EVENTS, dialect.offset));
    case 'created_at':
      return dialect.nowMs;
    case 'batch_id':
    case 'file_id':
    case 'revision':
      return '0';
    case 'sign':
      return '1';
    case 'closed_by':
      return closedBy(dialect, model);
    case 'calculate':
    case 'concat':
      invariant(false, `${op.op} is made of columns, not of events`);
      break;
    default:
      return op satisfies never;
  }
}

export function constantSql(dialect: RowDialect, value: string | number | boolean): string {
  if (typeof value === 'string') return dialect.text(value);
  return dialect.double(`${Number(value)}`);
}

/** The collection that an overflow counts of. */
export function collectionOf(model: CompiledModel, index: number): CollectionOp {
  const op = model.columns[index]?.op;
  invariant(op?.op === 'list' || op?.op === 'set' || op?.op === 'records', 'overflow is of a collection');
  return op;
}

function sessionId(dialect: ArrayDialect, template: string): string {
  const parts = templateParts(template).map((part) => {
    if (part === 'key') return 'session_key';
    return part === 'start_ms' ? dialect.textOf('start_ms') : dialect.text(part.text);
  });
  return dialect.concat(parts);
}

/** What would end the session first, where the gap and the longest duration are all that can. */
function closedBy(dialect: ArrayDialect, model: CompiledModel): string {
  if (endsOtherwise(model) || model.gapField !== null) return dialect.text('');
  const isByLength = `start_ms + ${model.windows.maxDurationMs} < end_ms + ${model.gapMs}`;
  return `CASE WHEN ${isByLength} THEN ${dialect.text('max_duration')} ELSE ${dialect.text('gap')} END`;
}

/** The events that meet a condition. */
function chosen(dialect: ArrayDialect, where: Condition | null): string {
  if (where === null) return EVENTS;
  return dialect.filter(
    EVENTS,
    conditionSql(where, dialect, (field) => dialect.value(field)),
  );
}

/** A field's values that are not null, in order. */
function valuesOf(
  dialect: ArrayDialect,
  { field, where }: { field: number; where: Condition | null },
): string {
  const value = dialect.value(field);
  return dialect.map(dialect.filter(chosen(dialect, where), `${value} IS NOT NULL`), value);
}

function valueAtBest(dialect: ArrayDialect, op: OpOf<'argmin' | 'argmax'>): string {
  const [value, rank] = [dialect.value(op.field), dialect.value(op.by)];
  const events = dialect.filter(chosen(dialect, op.where), `${value} IS NOT NULL AND ${rank} IS NOT NULL`);
  const ranks = dialect.map(events, rank);
  const best = op.op === 'argmin' ? dialect.least(ranks) : dialect.greatest(ranks);
  return dialect.first(dialect.map(dialect.filter(events, `${rank} = ${best}`), value));
}

/** All that a collection would hold if it had room for it. */
function itemsOf(dialect: ArrayDialect, model: CompiledModel, op: CollectionOp): string {
  switch (op.op) {
    case 'set':
      return dialect.distinct(valuesOf(dialect, op));
    case 'list': {
      if (op.by === null) return valuesOf(dialect, op);
      const by = dialect.value(op.by);
      const events = dialect.filter(chosen(dialect, op.where), `${by} IS NOT NULL`);
      return dialect.map(dialect.firstOfEach(events, by), dialect.value(op.field));
    }
    case 'records': {
      const all = chosen(dialect, op.where);
      const events =
        op.present === null ? all : dialect.filter(all, `${dialect.value(op.present)} IS NOT NULL`);
      const members = op.members.map(({ name, field }) => ({
        name,
        type: memberType(model, field),
        sql: dialect.value(field),
      }));
      return dialect.map(events, dialect.record(members));
    }
    default:
      return op satisfies never;
  }
}

export function memberType(model: CompiledModel, field: number): 'string' | 'integer' | 'boolean' {
  const { type } = fieldOf(model, field);
  return type === 'string' || type === 'boolean' ? type : 'integer';
}
