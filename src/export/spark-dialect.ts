import type { Column, CompiledModel, Field } from '../model/types.js';
import type { ArrayDialect } from './array-columns.js';
import { type FieldTree, fieldOf, fieldTree, IPV4_LAST_PATTERN, IPV4_PATTERN } from './fields.js';
import type { SqlWords } from './types.js';

/** Functions over arrays in Spark's SQL. An event `x` is a struct of at_ms, offset and the JSON as a struct. */

export const SPARK_WORDS: SqlWords = {
  name: (text) => `\`${text.replaceAll('`', '``')}\``,
  // quotes are spelt out: the SQL stands between three of them in Python
  text: (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('"', '\\u0022')}'`,
};

export function sparkDialect(model: CompiledModel): ArrayDialect {
  const map = (events: string, sql: string) => `transform(${events}, x -> ${sql})`;
  const double = (sql: string) => `CAST(${sql} AS DOUBLE)`;
  return {
    ...SPARK_WORDS,
    value: (field) => {
      const of = fieldOf(model, field);
      return field === model.timeField ? 'x.at_ms' : sparkFieldValue('x.event', of, 'x.offset');
    },
    offset: 'x.offset',
    map,
    filter: (events, condition) => `filter(${events}, x -> ${condition})`,
    first: (items) => `get(${items}, 0)`,
    last: (items) => `get(reverse(${items}), 0)`,
    length: (items) => `size(${items})`,
    least: (items) => `array_min(${items})`,
    greatest: (items) => `array_max(${items})`,
    sum: (items) =>
      `CASE WHEN size(${items}) > 0 THEN aggregate(${items}, ${double('0')}, (a, v) -> a + ${double('v')}) END`,
    distinct: (items) => `array_distinct(${items})`,
    firstOfEach: (events, by) =>
      `filter(${events}, (x, i) -> array_position(${map(events, by)}, ${by}) = i + 1)`,
    take: (items, count) => `slice(${items}, 1, ${count})`,
    json: (items) => `to_json(${items}, map('ignoreNullFields', 'false'))`,
    record: (members) =>
      `named_struct(${members.map(({ name, type, sql }) => `${SPARK_WORDS.text(name)}, ${type === 'boolean' ? `CAST(${sql} AS BOOLEAN)` : sql}`).join(', ')})`,
    concat: (parts) => `concat(${parts.join(', ')})`,
    nowMs: 'unix_millis(current_timestamp())',
    wholeSeconds: (ms) => `(${ms}) DIV 1000`,
    double,
    truth: (condition) => double(`CAST(${condition} AS INT)`),
    textOf: (sql) => `CAST(${sql} AS STRING)`,
    joinTexts: (parts, separator) => `concat_ws(${[SPARK_WORDS.text(separator), ...parts].join(', ')})`,
    time: (ms) => `timestamp_millis(CAST(${ms} AS BIGINT))`,
    cast: (sql, column) => `CAST(${sql} AS ${sparkType(column)})`,
  };
}

/** The value of a field in an event's JSON, as sessions see it. */
export function sparkFieldValue(event: string, field: Field, offset = 'offset'): string {
  if (field.made !== undefined) return { partition: 'partition', offset, key: 'session_key' }[field.made];
  const value = sparkPath(event, field);
  if (field.type === 'boolean') return `CAST(${value} AS INT)`;
  switch (field.mask) {
    case undefined:
      return value;
    case 'hash':
      return 'CAST(NULL AS STRING)';
    case 'truncate_ip':
      return `CASE WHEN ${value} RLIKE ${SPARK_WORDS.text(IPV4_PATTERN)} THEN regexp_replace(${value}, ${SPARK_WORDS.text(IPV4_LAST_PATTERN)}, '0') END`;
    default:
      return field.mask satisfies never;
  }
}

export function sparkPath(event: string, { path }: Field): string {
  return [event, ...path.map(SPARK_WORDS.name)].join('.');
}

/** What is read from an event, for from_json. */
export function sparkEventType(model: CompiledModel): string {
  return fieldTree(model.fields)
    .map((node) => `${SPARK_WORDS.name(node.name)} ${nodeType(node, model)}`)
    .join(', ');
}

function nodeType({ field, children }: FieldTree, model: CompiledModel): string {
  if (field !== null) return valueType(field, model);
  const members = children.map((child) => `${SPARK_WORDS.name(child.name)}: ${nodeType(child, model)}`);
  return `STRUCT<${members.join(', ')}>`;
}

function valueType({ type }: Field, model: CompiledModel): string {
  switch (type) {
    case 'string':
      return 'STRING';
    case 'number':
      return 'DOUBLE';
    case 'boolean':
      return 'BOOLEAN';
    case 'int32':
    case 'uint32':
      return 'BIGINT';
    case 'time':
      return model.timeFormat === 'iso8601' ? 'STRING' : 'DOUBLE';
    default:
      return type satisfies never;
  }
}

function sparkType({ type }: Column): string {
  switch (type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
      return 'INT';
    case 'int64':
    case 'uint32':
    case 'uint64':
      return 'BIGINT';
    case 'float':
      return 'DOUBLE';
    case 'bool':
      return 'BOOLEAN';
    case 'time':
      return 'TIMESTAMP';
    case 'string':
      return 'STRING';
    case 'list<string>':
      return 'ARRAY<STRING>';
    default:
      return type satisfies never;
  }
}
