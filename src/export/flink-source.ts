import type { CompiledModel, Field } from '../model/types.js';
import { conditionSql } from './conditions.js';
import {
  type FieldTree,
  fieldName,
  fieldOf,
  fieldTree,
  IPV4_LAST_PATTERN,
  IPV4_PATTERN,
  ISO_8601_PATTERN,
} from './fields.js';
import type { ExportPlace, SqlWords } from './types.js';

/** The topic as a table of Flink's: its fields, the event time, and a watermark that moves as ours does. */

export const FLINK_WORDS: SqlWords = {
  name: (text) => `\`${text.replaceAll('`', '``')}\``,
  text: (text) => `'${text.replaceAll("'", "''")}'`,
};
const { name, text } = FLINK_WORDS;

const DAY_MS = 86_400_000;

export function flinkInterval(ms: number): string {
  const time = new Date(ms % DAY_MS).toISOString().slice(11, 23);
  return `INTERVAL '${Math.floor(ms / DAY_MS)} ${time}' DAY(3) TO SECOND(3)`;
}

export function flinkSourceTable(model: CompiledModel, place: ExportPlace): string {
  const required = model.fields.filter((field) => field.required && field.made === undefined);
  const ms = `CASE WHEN ${[...required.map(hasValue), hasTime(model)].join('\n      AND ')} THEN
    ${timeMs(model)} END`;
  return `-- headrace_ms is null for an event that is refused: the watermark is that of the accepted ones alone.
CREATE TABLE ${name(place.topic)} (
${fieldTree(model.fields)
  .map((node) => `  ${name(node.name)} ${typeOf(node)},`)
  .join('\n')}
  headrace_partition INT METADATA FROM 'partition' VIRTUAL,
  headrace_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  headrace_kafka_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
  headrace_ms AS ${ms},
  headrace_time AS TO_TIMESTAMP_LTZ(COALESCE(${ms}, 0), 3),
  -- 1 ms more: Flink's watermark says that nothing at its own time comes any more, ours that nothing before it does
  WATERMARK FOR headrace_time AS CASE WHEN headrace_time <= ${latestTime(model)}
    THEN headrace_time - ${flinkInterval(model.allowedDisorderMs + 1)} END
) WITH (
${options({
  connector: 'kafka',
  topic: place.topic,
  'properties.bootstrap.servers': place.brokers,
  'properties.group.id': `headrace_flink_${model.name}`,
  'properties.isolation.level': 'read_committed',
  'scan.startup.mode': 'earliest-offset',
  ...(place.untilEnd ? { 'scan.bounded.mode': 'latest-offset' } : {}),
  'scan.watermark.idle-timeout': `${model.idleTimeoutMs} ms`,
  format: 'json',
  'json.ignore-parse-errors': 'true',
})}
);`;
}

/** Its accepted events, flat: times in ms, truths 1 and 0. */
export function flinkEvents(model: CompiledModel, place: ExportPlace): string {
  const fields = model.fields.filter(({ made }) => made === undefined);
  const filter =
    model.filter === null
      ? ''
      : `\n  AND ${conditionSql(model.filter, FLINK_WORDS, (field) => typedValue(fieldOf(model, field)))}`;
  return `SELECT
  headrace_partition, headrace_offset, headrace_ms, headrace_time,
  ${keySql(model)} AS headrace_key,
  headrace_offset - headrace_offset AS headrace_zero, SUBSTRING(${keySql(model)}, 1, 0) AS headrace_nothing,
${fields.map((field) => `  ${typedValue(field)} AS ${name(fieldName(field))}`).join(',\n')}
FROM ${name(place.topic)}
WHERE headrace_ms >= 0 AND headrace_time <= ${latestTime(model)}${filter}`;
}

function keySql(model: CompiledModel): string {
  const parts = model.keyParts.map((index) => {
    const field = fieldOf(model, index);
    if (field.mask === 'hash') return `SHA256(${pathOf(field)})`;
    return field.type === 'string' ? typedValue(field) : `CAST(${typedValue(field)} AS STRING)`;
  });
  if (parts.length === 1 && model.keyParts[0] === model.keyField) return parts[0]!;
  return parts.map((part) => `REPLACE(REPLACE(${part}, '\\', '\\\\'), '|', '\\|')`).join(" || '|' || ");
}

/** An event further ahead of its record's time is refused. */
function latestTime(model: CompiledModel): string {
  return `headrace_kafka_time + ${flinkInterval(model.maxFutureMs)}`;
}

export function options(of: Readonly<Record<string, string>>): string {
  return Object.entries(of)
    .map(([key, value]) => `  ${text(key)} = ${text(value)}`)
    .join(',\n');
}

function typeOf({ field, children }: FieldTree): string {
  if (field === null) {
    return `ROW<${children.map((child) => `${name(child.name)} ${typeOf(child)}`).join(', ')}>`;
  }
  return field.type === 'time' ? 'STRING' : fieldType(field);
}

function fieldType({ type }: Field): string {
  switch (type) {
    case 'string':
      return 'STRING';
    case 'number':
      return 'DOUBLE';
    case 'boolean':
      return 'BOOLEAN';
    case 'int32':
    case 'uint32':
    case 'time':
      return 'BIGINT';
    default:
      return type satisfies never;
  }
}

function pathOf({ path }: Field): string {
  return path.map(name).join('.');
}

function hasValue(field: Field): string {
  const value = pathOf(field);
  if (field.type === 'uint32') return `${value} BETWEEN 0 AND 4294967295`;
  return field.type === 'int32' ? `${value} BETWEEN -2147483648 AND 2147483647` : `${value} IS NOT NULL`;
}

/** Null, where it is not of the field's type. */
function typedValue(field: Field): string {
  const value = pathOf(field);
  if (field.type === 'boolean') return `CAST(${value} AS INT)`;
  if (field.type === 'uint32' || field.type === 'int32')
    return `CASE WHEN ${hasValue(field)} THEN ${value} END`;
  switch (field.mask) {
    case undefined:
      return value;
    case 'hash':
      return 'CAST(NULL AS STRING)';
    case 'truncate_ip':
      return `CASE WHEN REGEXP(${value}, ${text(IPV4_PATTERN)}) THEN REGEXP_REPLACE(${value}, ${text(IPV4_LAST_PATTERN)}, '0') END`;
    default:
      return field.mask satisfies never;
  }
}

function hasTime(model: CompiledModel): string {
  const value = pathOf(fieldOf(model, model.timeField));
  return model.timeFormat === 'iso8601'
    ? `REGEXP(${value}, ${text(ISO_8601_PATTERN)})`
    : `TRY_CAST(${value} AS DOUBLE) IS NOT NULL`;
}

/** Milliseconds since 1970, of a value that has a time. */
function timeMs(model: CompiledModel): string {
  const value = pathOf(fieldOf(model, model.timeField));
  switch (model.timeFormat) {
    case 'epoch_ms':
      return `CAST(FLOOR(TRY_CAST(${value} AS DOUBLE)) AS BIGINT)`;
    case 'epoch_s':
      return `CAST(FLOOR(ROUND(TRY_CAST(${value} AS DOUBLE) * 1000000) / 1000) AS BIGINT)`;
    case 'iso8601':
      return `UNIX_TIMESTAMP(SUBSTRING(${value}, 1, 10) || ' ' || SUBSTRING(${value}, 12, 8)) * 1000
    + CAST(RPAD(COALESCE(REGEXP_EXTRACT(${value}, '[.]([0-9]{1,3})', 1), ''), 3, '0') AS BIGINT)
    - CASE REGEXP_EXTRACT(${value}, '([+-])[0-9]{2}:[0-9]{2}$', 1) WHEN '+' THEN 60000 WHEN '-' THEN -60000 ELSE 0 END
      * (60 * COALESCE(CAST(REGEXP_EXTRACT(${value}, '[+-]([0-9]{2}):[0-9]{2}$', 1) AS BIGINT), 0)
        + COALESCE(CAST(REGEXP_EXTRACT(${value}, '[+-][0-9]{2}:([0-9]{2})$', 1) AS BIGINT), 0))`;
    default:
      return model.timeFormat satisfies never;
  }
}
