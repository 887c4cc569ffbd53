import { quoteName, quoteText } from '../clickhouse/sql.js';
import type { CompiledModel, Condition } from '../model/types.js';
import { arrayColumn } from './array-columns.js';
import { foldStep, isMember } from './array-cuts.js';
import {
  clickHouseDialect,
  clickHouseEventType,
  clickHouseFieldValue,
  clickHousePath,
} from './clickhouse-dialect.js';
import { conditionSql } from './conditions.js';
import { isDerived, rawName, rowColumn } from './derived-columns.js';
import { fieldOf, ISO_8601_PATTERN } from './fields.js';
import { heldForSql } from './held.js';
import { headComment, NotExpressed } from './not-expressed.js';
import type { Exported, ExportPlace } from './types.js';

/**
 * The model as one query in ClickHouse, over the records of the topic in a table.
 *
 *   records ─▶ events (accepted) ─▶ begins (gaps and islands) ─▶ numbered ─▶ islands (an array of events each)
 *     ─▶ cut (what depends on a session's begin) ─▶ sessions ─▶ raw ─▶ rows
 */

export function exportClickHouseSql(model: CompiledModel, place: ExportPlace): Exported {
  const not = new NotExpressed();
  explain(model, not);
  const lines = [
    'A query in ClickHouse (25.3 or newer), over the records of the topic in a table, one row a record:',
    '',
    ...clickHouseRecordsTable(place).split('\n'),
    '',
    'Filled once from files, or steadily by a materialized view over a table of the Kafka engine with the format RawBLOB,',
    'from its _partition, _offset, _timestamp_ms and the value.',
  ];
  const head = headComment('--', model, lines, not.list);
  return { text: `${head}\n\n${query(model, place)}`, notExpressed: not.list };
}

/** What the query reads. */
export function clickHouseRecordsTable({ topic }: Pick<ExportPlace, 'topic'>): string {
  return `CREATE TABLE ${quoteName(topic)}
  (partition UInt64, offset UInt64, timestamp DateTime64(3, 'UTC'), value String)
  ENGINE = MergeTree ORDER BY (partition, offset);`;
}

function explain(model: CompiledModel, not: NotExpressed): void {
  not.deadLetters();
  not.ofAllRecords('query');
  not.inEveryJob(model);
}

function query(model: CompiledModel, place: ExportPlace): string {
  const dialect = clickHouseDialect(model);
  const raw = model.columns
    .filter((column) => !isDerived(column))
    .map((column) => `    ${arrayColumn(dialect, model, column.op)} AS ${quoteName(rawName(column))}`);
  const rows = model.columns.map(
    (column) => `  ${rowColumn(dialect, model, column)} AS ${quoteName(column.name)}`,
  );
  return `WITH
records AS (
  SELECT
    partition,
    offset,
    toUnixTimestamp64Milli(timestamp) AS record_ms,
    JSONExtract(value, ${quoteText(clickHouseEventType(model))}) AS event
  FROM ${quoteName(place.topic)}
),
timed AS (
  SELECT *, ${timeMs(model)} AS time_ms
  FROM records
),
accepted AS (
  SELECT
    partition, offset, event,
    assumeNotNull(time_ms) AS at_ms,
    ${keySql(model)} AS session_key,
    ${isTrue(model, model.endEvent)} AS is_end,
    ${isTrue(model, model.windows.startEvent)} AS is_start
  FROM timed
  WHERE ${accepted(model)}
),
-- events at the very time of an end event belong to the session that it ends: it comes behind them
begins AS (
  SELECT
    *,${momentValues(model)}
    max(is_start AND ${isMember(model)}) OVER (PARTITION BY partition, session_key, at_ms) AS starts,
    row_number() OVER before = 1 OR at_ms > lagInFrame(at_ms) OVER before AND (
      ${beginsSession(model).join('\n      OR ')}
    ) AS begins_session
  FROM accepted
  WINDOW before AS (
    PARTITION BY partition, session_key ORDER BY at_ms, is_end, offset
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  )
),
numbered AS (
  SELECT
    *,
    sum(begins_session) OVER (
      PARTITION BY partition, session_key ORDER BY at_ms, is_end, offset
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
  FROM begins
),
-- an event is (time in ms, offset, what it says, the first values of its time)
islands AS (
  SELECT
    partition, session_key,
    arraySort(x -> (x.1, x.2), groupArray((at_ms, offset, event, ${momentTuple(model)}))) AS island
  FROM numbered
  WHERE ${isMember(model)}
  GROUP BY partition, session_key, session_number
),
-- when sessions begin within it: the longest duration is reached, or a value changes
cut AS (
  SELECT partition, session_key, island, ${cuts(model)} AS cuts
  FROM islands
),
pieces AS (
  SELECT
    partition, session_key,
    arrayJoin(arrayMap(i -> arrayFilter(x -> arrayCount(c -> c <= x.1, cuts) = i, island), range(length(cuts) + 1))) AS piece
  FROM cut
),
sessions AS (
  SELECT
    partition, session_key,
    ${withoutRepeats(model)} AS events,
    events[1].1 AS start_ms,
    events[-1].1 AS end_ms
  FROM pieces
),
raw AS (
  SELECT
${raw.join(',\n')}
  FROM sessions
)
SELECT
${rows.join(',\n')}
FROM raw
SETTINGS output_format_json_escape_forward_slashes = 0, output_format_json_quote_64bit_integers = 0,
  output_format_json_named_tuples_as_objects = 1
`;
}

/** Milliseconds since 1970, or null. */
function timeMs(model: CompiledModel): string {
  const value = clickHousePath('event', fieldOf(model, model.timeField));
  switch (model.timeFormat) {
    case 'epoch_ms':
      return `toInt64(floor(${value}))`;
    case 'epoch_s':
      return `toInt64(floor(round(${value} * 1000000) / 1000))`;
    case 'iso8601':
      return `if(match(ifNull(${value}, ''), ${quoteText(ISO_8601_PATTERN)}), toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(${value}, 9, 'UTC')), NULL)`;
    default:
      return model.timeFormat satisfies never;
  }
}

/** Required fields have a value, the clock is not too far ahead, and the event is no one that the model leaves out. */
function accepted(model: CompiledModel): string {
  const required = model.fields
    .filter(({ required, made, index }) => required && made === undefined && index !== model.timeField)
    .map((field) => `${clickHousePath('event', field)} IS NOT NULL`);
  const filter = model.filter === null ? [] : [isTrue(model, model.filter)];
  return ['time_ms >= 0', `time_ms <= record_ms + ${model.maxFutureMs}`, ...required, ...filter].join(
    '\n    AND ',
  );
}

/** Whether a condition holds of the event that is read. */
function isTrue(model: CompiledModel, condition: Condition | null): string {
  if (condition === null) return 'false';
  const words = { name: quoteName, text: quoteText };
  return conditionSql(condition, words, (field) => clickHouseFieldValue('event', fieldOf(model, field)));
}

function keySql(model: CompiledModel): string {
  const parts = model.keyParts.map((index) => {
    const field = fieldOf(model, index);
    const value = clickHousePath('event', field);
    if (field.mask === 'hash') return `lower(hex(SHA256(assumeNotNull(${value}))))`;
    return `toString(assumeNotNull(${clickHouseFieldValue('event', field)}))`;
  });
  if (parts.length === 1 && model.keyParts[0] === model.keyField) return parts[0]!;
  const escaped = parts.map((part) => `replaceRegexpAll(${part}, '([|\\\\\\\\])', '\\\\\\\\\\\\1')`);
  return `arrayStringConcat([${escaped.join(', ')}], '|')`;
}

/** What an event that is later than the one before begins a session by. */
function beginsSession(model: CompiledModel): string[] {
  const { endEvent, windows } = model;
  const { startEvent, midnight } = windows;
  const begins = [isOver(model)];
  if (endEvent !== null) begins.push('lagInFrame(is_end) OVER before');
  if (startEvent !== null) begins.push('starts');
  if (midnight !== null) {
    const day = (ms: string) => `toDate32(fromUnixTimestamp64Milli(${ms}, ${quoteText(midnight.name)}))`;
    begins.push(`${day('at_ms')} <> ${day('lagInFrame(at_ms) OVER before')}`);
  }
  return begins;
}

/** Later than until when the events before, whatever session they are of, hold theirs open; the fold knows which they are of. */
function isOver(model: CompiledModel): string {
  const { gapMs, gapField } = model;
  if (gapField === null) return `at_ms - lagInFrame(at_ms) OVER before > ${gapMs}`;
  const value = clickHouseFieldValue('event', fieldOf(model, gapField.field));
  const held = `if(${isMember(model)}, at_ms + ${heldForSql(model, gapField, value)}, at_ms)`;
  return `at_ms > max(${held}) OVER (
        PARTITION BY partition, session_key ORDER BY at_ms, is_end, offset
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      )`;
}

const momentName = (index: number) => `moment_${index}`;

/** The first value of a field at the event's time, for each field of on_change. */
function momentValues(model: CompiledModel): string {
  return model.windows.onChange
    .map((field, index) => {
      const value = clickHouseFieldValue('event', fieldOf(model, field));
      return `\n    argMinIf(${value}, offset, ${value} IS NOT NULL AND ${isMember(model)}) OVER (PARTITION BY partition, session_key, at_ms) AS ${momentName(index)},`;
    })
    .join('');
}

function momentTuple({ windows: { onChange } }: CompiledModel): string {
  return `tuple(${['0', ...onChange.map((_, index) => `toNullable(toString(${momentName(index)}))`)].join(', ')})`;
}

/** Only a session that is long enough is looked through, unless values may change or events say for how long they hold it. */
function cuts(model: CompiledModel): string {
  const { gapField, windows } = model;
  const { onChange, maxDurationMs } = windows;
  const dialect = clickHouseDialect(model);
  const values = onChange.map((field) => `toNullable(toString(${dialect.value(field)}))`);
  const looked =
    onChange.length > 0 || gapField !== null
      ? 'island'
      : `if(island[-1].1 - island[1].1 > ${maxDurationMs}, island, [])`;
  const held =
    gapField === null ? [] : [`x.1 + ${heldForSql(model, gapField, dialect.value(gapField.field))}`];
  const valuesAt = 3 + held.length;
  const cutsAt = valuesAt + onChange.length;
  const type = `Tuple(Int64, Int64, ${held.map(() => 'Int64, ').join('')}${onChange.map(() => 'Nullable(String), ').join('')}Array(Int64))`;
  const step = foldStep(
    {
      state: {
        began: 's.1',
        before: 's.2',
        heldMs: 's.3',
        value: (index) => `s.${valuesAt + index}`,
        cuts: `s.${cutsAt}`,
      },
      event: {
        atMs: 'e.1',
        heldMs: 'e.2',
        value: (index) => `e.${valuesAt - 1 + 2 * index}`,
        momentValue: (index) => `e.${valuesAt + 2 * index}`,
      },
      append: (items, item) => `arrayPushBack(${items}, ${item})`,
      make: (parts) => `CAST((${parts.join(', ')}), ${quoteText(type)})`,
    },
    model,
  );
  const seen = ['x.1', ...held, ...values.flatMap((value, index) => [value, `x.4.${2 + index}`])];
  const events = `arrayMap(x -> tuple(${seen.join(', ')}), ${looked})`;
  const start = `CAST((0, -1, ${held.map(() => '0, ').join('')}${onChange.map(() => 'NULL, ').join('')}[]), ${quoteText(type)})`;
  return `arrayFold((s, e) -> ${step}, ${events}, ${start}).${cutsAt}`;
}

/** Of events with the same value of the field the first. */
function withoutRepeats(model: CompiledModel): string {
  if (model.deduplicateField === null) return 'piece';
  const value = clickHouseDialect(model).value(model.deduplicateField);
  return `arrayFilter((x, n) -> n = 1 OR ${value} IS NULL, piece, arrayEnumerateUniq(arrayMap(x -> ${value}, piece)))`;
}
