import { quoteName, quoteText } from '../clickhouse/sql.js';
import { clickHouseType } from '../clickhouse/types.js';
import type { Column, CompiledModel, Field } from '../model/types.js';
import type { ArrayDialect } from './array-columns.js';
import { type FieldTree, fieldOf, fieldTree, IPV4_LAST_PATTERN, IPV4_PATTERN } from './fields.js';

/** Functions over arrays in ClickHouse. An event `x` is (time in ms, offset, the JSON as a named tuple, …). */
export function clickHouseDialect(model: CompiledModel): ArrayDialect {
  const map = (events: string, sql: string) => `arrayMap(x -> ${sql}, ${events})`;
  const orNull = (items: string, sql: string) => `if(empty(${items}), NULL, ${sql})`;
  const known = (items: string) => `arrayMap(v -> assumeNotNull(v), ${items})`;
  return {
    name: quoteName,
    text: quoteText,
    value: (field) => clickHouseValue(model, field),
    offset: 'x.2',
    map,
    filter: (events, condition) => `arrayFilter(x -> ${condition}, ${events})`,
    first: (items) => `arrayFirstOrNull(v -> 1, ${items})`,
    last: (items) => `arrayLastOrNull(v -> 1, ${items})`,
    length: (items) => `length(${items})`,
    least: (items) => orNull(items, `arrayMin(${known(items)})`),
    greatest: (items) => orNull(items, `arrayMax(${known(items)})`),
    // arraySum adds in an order of its own
    sum: (items) =>
      orNull(
        items,
        `arrayFold((a, v) -> a + v, arrayMap(v -> toFloat64(assumeNotNull(v)), ${items}), toFloat64(0))`,
      ),
    // arrayDistinct promises no order; the first one of each value is the one whose running number among its equals is 1
    distinct: (items) => `arrayFilter((v, n) -> n = 1, ${items}, arrayEnumerateUniq(${items}))`,
    firstOfEach: (events, by) =>
      `arrayFilter((x, n) -> n = 1, ${events}, arrayEnumerateUniq(${map(events, by)}))`,
    take: (items, count) => `arraySlice(${items}, 1, ${count})`,
    json: (items) => `toJSONString(${items})`,
    record: (members) => {
      const types = members.map(({ name, type }) => `${quoteName(name)} Nullable(${MEMBER_TYPES[type]})`);
      return `CAST(tuple(${members.map(({ sql }) => sql).join(', ')}), ${quoteText(`Tuple(${types.join(', ')})`)})`;
    },
    concat: (parts) => `concat(${parts.join(', ')})`,
    nowMs: 'toUnixTimestamp64Milli(now64(3))',
    wholeSeconds: (ms) => `intDiv(${ms}, 1000)`,
    double: (sql) => `toFloat64(${sql})`,
    truth: (condition) => `toFloat64(${condition})`,
    textOf: (sql) => `toString(${sql})`,
    joinTexts: (parts, separator) =>
      `arrayStringConcat(${known(`arrayFilter(v -> v IS NOT NULL, [${parts.map((part) => `toNullable(${part})`).join(', ')}])`)}, ${quoteText(separator)})`,
    time: (ms) => `fromUnixTimestamp64Milli(toInt64(${ms}), 'UTC')`,
    cast: castTo,
  };
}

/** Under a null lies a value all the same, such as that of a division by zero, and CAST refuses to make an integer of it. */
function castTo(sql: string, column: Column): string {
  const type = clickHouseType(column);
  const plain = /^Nullable\((U?Int\d+)\)$/.exec(type)?.[1];
  return plain === undefined
    ? `CAST(${sql}, ${quoteText(type)})`
    : `accurateCastOrNull(${sql}, ${quoteText(plain)})`;
}

const MEMBER_TYPES = { string: 'String', integer: 'Int64', boolean: 'Bool' } as const;

/** The value of a field of event `x`. */
function clickHouseValue(model: CompiledModel, index: number): string {
  if (index === model.timeField) return 'x.1';
  return clickHouseFieldValue('x.3', fieldOf(model, index), 'x.2');
}

/** The value of a field in an event's JSON, as sessions see it. */
export function clickHouseFieldValue(event: string, field: Field, offset = 'offset'): string {
  if (field.made !== undefined) {
    return { partition: 'partition', offset, key: 'session_key' }[field.made];
  }
  const value = clickHousePath(event, field);
  if (field.type === 'boolean') return `CAST(${value}, 'Nullable(UInt8)')`;
  switch (field.mask) {
    case undefined:
      return value;
    case 'hash':
      return "CAST(NULL, 'Nullable(String)')";
    case 'truncate_ip':
      return `if(match(ifNull(${value}, ''), ${quoteText(IPV4_PATTERN)}), replaceRegexpOne(${value}, ${quoteText(IPV4_LAST_PATTERN)}, '0'), NULL)`;
    default:
      return field.mask satisfies never;
  }
}

export function clickHousePath(event: string, { path }: Field): string {
  return [event, ...path.map(quoteName)].join('.');
}

/** What is read from an event, for JSONExtract: every value may be missing. */
export function clickHouseEventType(model: CompiledModel): string {
  return tupleOf(fieldTree(model.fields), model);
}

function tupleOf(nodes: readonly FieldTree[], model: CompiledModel): string {
  const members = nodes.map(({ name, field, children }) => {
    const type = field === null ? tupleOf(children, model) : `Nullable(${valueType(field, model)})`;
    return `${quoteName(name)} ${type}`;
  });
  return `Tuple(${members.join(', ')})`;
}

function valueType({ type }: Field, model: CompiledModel): string {
  switch (type) {
    case 'string':
      return 'String';
    case 'number':
      return 'Float64';
    case 'boolean':
      return 'Bool';
    case 'int32':
      return 'Int32';
    case 'uint32':
      return 'UInt32';
    case 'time':
      return model.timeFormat === 'iso8601' ? 'String' : 'Float64';
    default:
      return type satisfies never;
  }
}
