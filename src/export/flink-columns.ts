import { invariant } from '../invariant.js';
import type { Column, ColumnOp, CompiledModel, Condition } from '../model/types.js';
import { collectionOf, constantSql, memberType } from './array-columns.js';
import { conditionSql } from './conditions.js';
import type { RowDialect } from './derived-columns.js';
import { fieldName, fieldOf, templateParts } from './fields.js';
import { FLINK_WORDS } from './flink-source.js';
import { endsOtherwise } from './not-expressed.js';

/**
 * What a session is reduced to, as aggregates over its events, which come in order. An aggregate sees one event at a time, so
 * what asks for an event's place among the others («the first that has a value») is found before, by running aggregates.
 */

const { name, text } = FLINK_WORDS;
type OpOf<Op extends ColumnOp['op']> = Extract<ColumnOp, { op: Op }>;
type CollectionOp = OpOf<'list' | 'set' | 'records'>;

/** The column that tells a session's events from those that repeat one, where the model asks for it. */
export const IS_KEPT = 'headrace_is_kept';

/** Asked of the event before, of the same session: `aggregate` over it and the event itself. */
interface Before {
  aggregate: 'MIN' | 'MAX' | 'SUM';
  of: string;
}

export class FlinkColumns {
  /** Aggregates over the session so far: expression → the name of its column. */
  readonly running = new Map<string, string>();
  /** Name → what is asked. */
  readonly before = new Map<string, Before>();
  /** Made columns of single events: expression → name. */
  readonly made = new Map<string, string>();

  constructor(readonly model: CompiledModel) {}

  /** The value of a field, of the event that is looked at. */
  value(field: number): string {
    if (field === this.model.timeField) return 'headrace_ms';
    const of = fieldOf(this.model, field);
    switch (of.made) {
      case undefined:
        return name(fieldName(of));
      case 'partition':
        return 'headrace_partition';
      case 'offset':
        return 'headrace_offset';
      case 'key':
        return 'headrace_key';
      default:
        return of.made satisfies never;
    }
  }

  condition(condition: Condition): string {
    return conditionSql(condition, FLINK_WORDS, (field) => this.value(field));
  }

  aggregate(op: ColumnOp): string {
    switch (op.op) {
      case 'key':
        return 'headrace_key';
      case 'session_id':
        return this.#sessionId(op.template);
      case 'session_start':
        return this.#over('MIN(headrace_ms)');
      case 'session_end':
        return this.#over('MAX(headrace_ms)');
      case 'duration_sec':
        return `(${this.#over('MAX(headrace_ms)')} - ${this.#over('MIN(headrace_ms)')}) / 1000`;
      case 'count':
        return this.#over('COUNT(*)');
      case 'count_if':
        return this.#over('COUNT(*)', [this.condition(op.where)]);
      case 'first':
        return this.#first(op);
      case 'last':
        return lastOf(this.#valuesOf(op));
      case 'min':
      case 'max':
        return this.#of(op.op.toUpperCase(), this.value(op.field), op.where);
      case 'sum':
      case 'avg':
        return this.#of(op.op.toUpperCase(), `CAST(${this.value(op.field)} AS DOUBLE)`, op.where);
      case 'argmin':
      case 'argmax':
        return this.#valueAtBest(op);
      case 'count_distinct':
        return this.#of('COUNT', `DISTINCT ${this.value(op.field)}`, op.where);
      case 'count_values':
        return this.#of('COUNT', this.value(op.field), op.where);
      case 'list':
      case 'set':
      case 'records':
        return this.#collection(op);
      case 'overflow': {
        const of = collectionOf(this.model, op.of);
        return `GREATEST(COALESCE(CARDINALITY(${this.#items(of)}), 0) - ${of.limit}, 0)`;
      }
      case 'constant':
        return constantSql(FLINK_ROWS, op.value);
      case 'partition':
        return 'headrace_partition';
      case 'first_offset':
        return this.#over('MIN(headrace_offset)');
      case 'last_offset':
        return this.#over('MAX(headrace_offset)');
      case 'created_at':
        return `UNIX_TIMESTAMP() * 1000`;
      case 'batch_id':
      case 'file_id':
      case 'revision':
        return '0';
      case 'sign':
        return '1';
      case 'closed_by':
        return endsOtherwise(this.model) ? "''" : "'gap'";
      case 'calculate':
      case 'concat':
        invariant(false, `${op.op} is made of columns, not of events`);
        break;
      default:
        return op satisfies never;
    }
  }

  /** Whatever counts, adds or collects looks at the kept events alone. */
  #over(call: string, conditions: readonly string[] = []): string {
    const asked = [...(this.model.deduplicateField === null ? [] : [IS_KEPT]), ...conditions];
    return asked.length === 0 ? call : `${call} FILTER (WHERE ${asked.join(' AND ')})`;
  }

  #of(call: string, value: string, where: Condition | null): string {
    return this.#over(`${call}(${value})`, this.#asked(where));
  }

  #asked(where: Condition | null): string[] {
    return where === null ? [] : [this.condition(where)];
  }

  #sessionId(template: string): string {
    const parts = templateParts(template).map((part) => {
      if (part === 'key') return 'headrace_key';
      return part === 'start_ms' ? `CAST(${this.#over('MIN(headrace_ms)')} AS STRING)` : text(part.text);
    });
    return parts.join(' || ');
  }

  /** FIRST_VALUE can't be merged, which session windows ask for; a session has one event with a running count of 1. */
  #first({ field, where }: OpOf<'first'>): string {
    const value = this.value(field);
    const taken = this.#taken([`${value} IS NOT NULL`], where);
    const count = this.#running(`COUNT(CASE WHEN ${taken} THEN 1 END)`);
    return `MAX(${value}) FILTER (WHERE ${taken} AND ${count} = 1)`;
  }

  #taken(conditions: readonly string[], where: Condition | null): string {
    const kept = this.model.deduplicateField === null ? [] : [IS_KEPT];
    return [...kept, ...conditions, ...this.#asked(where)].join(' AND ');
  }

  #valuesOf({ field, where }: { field: number; where: Condition | null }): string {
    const value = this.value(field);
    return this.#over(`ARRAY_AGG(${value})`, [`${value} IS NOT NULL`, ...this.#asked(where)]);
  }

  /** The last event that was better than all before it. */
  #valueAtBest({ op, field, by, where }: OpOf<'argmin' | 'argmax'>): string {
    const [value, rank] = [this.value(field), this.value(by)];
    const taken = this.#taken([`${value} IS NOT NULL`, `${rank} IS NOT NULL`], where);
    const count = this.#running(`COUNT(CASE WHEN ${taken} THEN 1 END)`);
    const [call, inverse, better] =
      op === 'argmin' ? (['MIN', 'MAX', '<'] as const) : (['MAX', 'MIN', '>'] as const);
    const best = this.#running(`${call}(CASE WHEN ${taken} THEN ${rank} END)`);
    const before = this.#before(inverse, best);
    return lastOf(
      `ARRAY_AGG(${value}) FILTER (WHERE ${taken} AND (${count} = 1 OR ${rank} ${better} ${before}))`,
    );
  }

  #collection(op: CollectionOp): string {
    const items = `ARRAY_SLICE(${this.#items(op)}, 1, ${op.limit})`;
    if (op.op === 'records' || op.json) return `COALESCE(JSON_STRING(${items}), '[]')`;
    return `COALESCE(${items}, ARRAY_REMOVE(ARRAY[''], ''))`;
  }

  /** All that it would hold if it had room for it; null for nothing. */
  #items(op: CollectionOp): string {
    switch (op.op) {
      case 'set':
        return `ARRAY_DISTINCT(${this.#valuesOf(op)})`;
      case 'list':
        return op.by === null ? this.#valuesOf(op) : this.#firstByEach(op, op.by);
      case 'records':
        return this.#records(op);
      default:
        return op satisfies never;
    }
  }

  #firstByEach({ field, where }: OpOf<'list'>, by: number): string {
    const taken = this.#taken([`${this.value(by)} IS NOT NULL`], where);
    // not by a count within session and value: events that go by other keys on their way lose their order
    const count = this.#running(`COUNT(DISTINCT CASE WHEN ${taken} THEN ${this.value(by)} END)`);
    const isNew = `${taken} AND ${count} > ${this.#before('SUM', count)}`;
    return `ARRAY_AGG(${this.value(field)}) FILTER (WHERE ${isNew})`;
  }

  #records({ members, present, where }: OpOf<'records'>): string {
    const values = members.map(({ field }) =>
      memberType(this.model, field) === 'boolean'
        ? `CAST(${this.value(field)} AS BOOLEAN)`
        : this.value(field),
    );
    const types = members.map(({ name: member, field }) => `${name(member)} ${this.#memberType(field)}`);
    const row = this.#make(`CAST(ROW(${values.join(', ')}) AS ROW<${types.join(', ')}>)`);
    const conditions = present === null ? [] : [`${this.value(present)} IS NOT NULL`];
    return this.#over(`ARRAY_AGG(${row})`, [...conditions, ...this.#asked(where)]);
  }

  #memberType(field: number): string {
    return { string: 'STRING', integer: 'BIGINT', boolean: 'BOOLEAN' }[memberType(this.model, field)];
  }

  #running(expression: string): string {
    const known = this.running.get(expression) ?? `headrace_running_${this.running.size}`;
    this.running.set(expression, known);
    return known;
  }

  #before(aggregate: Before['aggregate'], of: string): string {
    const known = `${of}_before`;
    this.before.set(known, { aggregate, of });
    return known;
  }

  #make(expression: string): string {
    const known = this.made.get(expression) ?? `headrace_made_${this.made.size}`;
    this.made.set(expression, known);
    return known;
  }
}

/** How rows are made of what sessions were reduced to. */
export const FLINK_ROWS: RowDialect = {
  ...FLINK_WORDS,
  double: (sql) => `CAST(${sql} AS DOUBLE)`,
  truth: (condition) => `CAST(CAST(${condition} AS INT) AS DOUBLE)`,
  textOf: (sql) => `CAST(${sql} AS STRING)`,
  joinTexts: (parts, separator) => `CONCAT_WS(${[text(separator), ...parts].join(', ')})`,
  time: (ms) => `TO_TIMESTAMP_LTZ(CAST(${ms} AS BIGINT), 3)`,
  cast: (sql, column) => `CAST(${sql} AS ${flinkType(column)})`,
};

function lastOf(array: string): string {
  return `(${array})[CARDINALITY(${array})]`;
}

export function flinkType({ type }: Column): string {
  switch (type) {
    case 'bool':
      return 'BOOLEAN';
    case 'int8':
      return 'TINYINT';
    case 'int16':
    case 'uint8':
      return 'SMALLINT';
    case 'int32':
    case 'uint16':
      return 'INT';
    case 'int64':
    case 'uint32':
    case 'uint64':
      return 'BIGINT';
    case 'float':
      return 'DOUBLE';
    case 'time':
      return 'TIMESTAMP_LTZ(3)';
    case 'string':
      return 'STRING';
    case 'list<string>':
      return 'ARRAY<STRING>';
    default:
      return type satisfies never;
  }
}
