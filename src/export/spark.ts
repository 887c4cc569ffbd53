import type { CompiledModel, Condition } from '../model/types.js';
import { arrayColumn } from './array-columns.js';
import { foldStep, isMember } from './array-cuts.js';
import { conditionSql } from './conditions.js';
import { isDerived, rawName, rowColumn } from './derived-columns.js';
import { fieldOf, ISO_8601_PATTERN } from './fields.js';
import { heldForSql } from './held.js';
import { endsByTheEvent, headComment, NotExpressed } from './not-expressed.js';
import { SPARK_WORDS, sparkDialect, sparkEventType, sparkFieldValue, sparkPath } from './spark-dialect.js';
import type { Exported, ExportPlace } from './types.js';

/**
 * The model as a job in PySpark (3.5 or newer), from Kafka to Parquet files.
 *
 *   stream   events ─▶ session_window (which takes an event exactly a gap later in, as we do) ─▶ islands (an array of events each) ─▶ …
 *   batch    events ─▶ begins (gaps and islands) ─▶ numbered ─▶ islands ─▶ …
 *   both     … ─▶ cut (what depends on a session's begin) ─▶ sessions ─▶ raw ─▶ rows
 *
 * A stream where session_window can say what ends a session and the read is without end, else a batch.
 */

const CHECKPOINT = 'headrace-checkpoint';

export function exportSpark(model: CompiledModel, place: ExportPlace): Exported {
  const isStream = !place.untilEnd && !endsByTheEvent(model);
  const not = new NotExpressed();
  explain(model, place, isStream, not);
  const kind = isStream ? 'a stream' : 'a batch of what the topic holds';
  const head = headComment(
    '#',
    model,
    [`A job in PySpark, for Spark 3.5 or newer with its Kafka package: ${kind}.`],
    not.list,
  );
  return {
    text: `${head}\n\n${isStream ? stream(model, place) : batch(model, place)}`,
    notExpressed: not.list,
  };
}

function explain(model: CompiledModel, place: ExportPlace, isStream: boolean, not: NotExpressed): void {
  not.deadLetters();
  if (isStream) {
    not.add(
      'allowed_disorder, allowed_lateness: an event behind the watermark, which is one for all partitions, is dropped without a trace, and no session is revised',
    );
    not.add('the watermark moves with a batch and by refused events, too; max_future does not protect it');
    not.add('idle_timeout: when all partitions are idle, open sessions wait for the next event');
    if (model.windows.onChange.length > 0) {
      not.add(
        'split.on_change: a change among events of one time takes effect at the event, not at all of that time',
      );
    }
  } else {
    if (!place.untilEnd) {
      not.add(
        'no stream: session_window knows no start and end events and no midnight; run the job again for what has come since',
      );
    }
    not.ofAllRecords('job');
  }
  not.inEveryJob(model);
}

function session(model: CompiledModel): string {
  return `from pyspark.sql import SparkSession

spark = (
    SparkSession.builder.appName(${python(`sessions of ${model.name}`)})
    .config("spark.sql.session.timeZone", "UTC")
    .getOrCreate()
)
`;
}

function batch(model: CompiledModel, place: ExportPlace): string {
  return `${session(model)}
${source(place, 'read')}    .option("endingOffsets", "latest")
    .load()
)
records.createOrReplaceTempView("records")

SESSIONS = r"""
WITH
${accepted(model)},
-- events at the very time of an end event belong to the session that it ends: it comes behind them
begins AS (
  SELECT
    *,${momentValues(model)}
    max(is_start AND ${isMember(model)}) OVER (PARTITION BY partition, session_key, at_ms) AS starts,
    lag(at_ms) OVER before AS before_ms,
    lag(is_end) OVER before AS before_is_end${heldBefore(model)}
  FROM accepted
  WINDOW before AS (PARTITION BY partition, session_key ORDER BY at_ms, is_end, offset)
),
numbered AS (
  SELECT
    *,
    sum(CASE WHEN at_ms > before_ms AND (${beginsSession(model).join(' OR ')}) THEN 1 ELSE 0 END) OVER (
      PARTITION BY partition, session_key ORDER BY at_ms, is_end, offset
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
  FROM begins
),
islands AS (
${grouped(model, `numbered\n  WHERE ${isMember(model)}`, 'session_number')}
),
${rows(model)}
"""

spark.sql(SESSIONS).write.mode("append").parquet(${python(`${place.topic}_sessions`)})
`;
}

function stream(model: CompiledModel, place: ExportPlace): string {
  return `${session(model)}
${source(place, 'readStream')}    .load()
)
records.createOrReplaceTempView("records")

ACCEPTED = r"""
WITH
${accepted(model)}
SELECT *, timestamp_millis(at_ms) AS at FROM accepted
"""

SESSIONS = r"""
WITH
islands AS (
${grouped(model, 'accepted', sessionWindow(model))}
),
${rows(model)}
"""

accepted = spark.sql(ACCEPTED).withWatermark("at", "${model.allowedDisorderMs} milliseconds")
accepted.createOrReplaceTempView("accepted")
(
    spark.sql(SESSIONS)
    .writeStream.outputMode("append")
    .format("parquet")
    .option("path", ${python(`${place.topic}_sessions`)})
    .option("checkpointLocation", "${CHECKPOINT}")
    .start()
    .awaitTermination()
)
`;
}

/** An event that holds nothing would be dropped: a microsecond more is less than what lies between two times. */
function sessionWindow(model: CompiledModel): string {
  if (model.gapField === null) return `session_window(at, '${model.gapMs} milliseconds')`;
  return `session_window(at, concat((${heldFor(model, 'event')}) * 1000 + 1, ' microseconds'))`;
}

function source(place: ExportPlace, read: 'read' | 'readStream'): string {
  return `records = (
    spark.${read}.format("kafka")
    .option("kafka.bootstrap.servers", ${python(place.brokers)})
    .option("kafka.isolation.level", "read_committed")
    .option("subscribe", ${python(place.topic)})
    .option("startingOffsets", "earliest")
`;
}

/** WITH members: the records' events, and those of them that are accepted. */
function accepted(model: CompiledModel): string {
  const required = model.fields
    .filter((field) => field.required && field.made === undefined && field.index !== model.timeField)
    .map((field) => {
      const value = sparkPath('event', field);
      if (field.type === 'uint32') return `${value} BETWEEN 0 AND 4294967295`;
      return field.type === 'int32' ? `${value} BETWEEN -2147483648 AND 2147483647` : `${value} IS NOT NULL`;
    });
  const filter = model.filter === null ? [] : [isTrue(model, model.filter)];
  const where = ['at_ms >= 0', `at_ms <= record_ms + ${model.maxFutureMs}`, ...required, ...filter];
  return `read AS (
  SELECT
    partition, offset,
    unix_millis(timestamp) AS record_ms,
    from_json(CAST(value AS STRING), ${SPARK_WORDS.text(sparkEventType(model))}) AS event
  FROM records
),
timed AS (
  SELECT *, ${timeMs(model)} AS at_ms FROM read
),
accepted AS (
  SELECT
    partition, offset, event, at_ms,
    ${keySql(model)} AS session_key,
    ${isTrue(model, model.endEvent)} AS is_end,
    ${isTrue(model, model.windows.startEvent)} AS is_start
  FROM timed
  WHERE ${where.join('\n    AND ')}
)`;
}

/** Whether a condition holds of the event that is read. */
function isTrue(model: CompiledModel, condition: Condition | null): string {
  if (condition === null) return 'false';
  return conditionSql(condition, SPARK_WORDS, (field) => sparkFieldValue('event', fieldOf(model, field)));
}

function keySql(model: CompiledModel): string {
  const parts = model.keyParts.map((index) => {
    const field = fieldOf(model, index);
    if (field.mask === 'hash') return `sha2(${sparkPath('event', field)}, 256)`;
    return `CAST(${sparkFieldValue('event', field)} AS STRING)`;
  });
  if (parts.length === 1 && model.keyParts[0] === model.keyField) return parts[0]!;
  const escaped = parts.map((part) => `replace(replace(${part}, '\\\\', '\\\\\\\\'), '|', '\\\\|')`);
  return `concat_ws('|', ${escaped.join(', ')})`;
}

/** What an event that is later than the one before begins a session by. */
function beginsSession({ endEvent, gapMs, gapField, windows }: CompiledModel): string[] {
  const { startEvent, midnight } = windows;
  const begins = [gapField === null ? `at_ms - before_ms > ${gapMs}` : 'at_ms > before_held_ms'];
  if (endEvent !== null) begins.push('before_is_end');
  if (startEvent !== null) begins.push('starts');
  if (midnight !== null) {
    const day = (ms: string) =>
      `to_date(from_utc_timestamp(timestamp_millis(${ms}), ${SPARK_WORDS.text(midnight.name)}))`;
    begins.push(`${day('at_ms')} <> ${day('before_ms')}`);
  }
  return begins;
}

/** Until when the events before, whatever session they are of, hold theirs open; the fold knows which they are of. */
function heldBefore(model: CompiledModel): string {
  if (model.gapField === null) return '';
  const held = `CASE WHEN ${isMember(model)} THEN at_ms + ${heldFor(model, 'event')} ELSE at_ms END`;
  return `,
    max(${held}) OVER (
      PARTITION BY partition, session_key ORDER BY at_ms, is_end, offset
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS before_held_ms`;
}

/** For how long an event holds its session open, ms. */
function heldFor(model: CompiledModel, event: string): string {
  const { gapMs, gapField } = model;
  if (gapField === null) return `${gapMs}`;
  return heldForSql(model, gapField, sparkFieldValue(event, fieldOf(model, gapField.field)));
}

/** The first value of a field at the event's time, for each field of on_change. */
function momentValues(model: CompiledModel): string {
  return model.windows.onChange
    .map((field, index) => {
      const value = sparkFieldValue('event', fieldOf(model, field));
      const order = `CASE WHEN ${value} IS NOT NULL AND ${isMember(model)} THEN offset END`;
      return `\n    min_by(${value}, ${order}) OVER (PARTITION BY partition, session_key, at_ms) AS moment_${index},`;
    })
    .join('');
}

/** Islands as arrays of their events in order. In a stream the first values of a time are those of the event itself. */
function grouped(model: CompiledModel, from: string, by: string): string {
  const moments = model.windows.onChange.map((field, index) =>
    from === 'accepted'
      ? `, ${sparkFieldValue('event', fieldOf(model, field))} AS moment_${index}`
      : `, moment_${index}`,
  );
  return `  SELECT
    partition, session_key,
    array_sort(collect_list(struct(at_ms, offset, event${moments.join('')})), (a, b) -> CASE
      WHEN a.at_ms < b.at_ms THEN -1 WHEN a.at_ms > b.at_ms THEN 1
      WHEN a.offset < b.offset THEN -1 WHEN a.offset > b.offset THEN 1 ELSE 0 END) AS island
  FROM ${from}
  GROUP BY partition, session_key, ${by}`;
}

/** From islands to rows. */
function rows(model: CompiledModel): string {
  const dialect = sparkDialect(model);
  const raw = model.columns
    .filter((column) => !isDerived(column))
    .map((column) => `    ${arrayColumn(dialect, model, column.op)} AS ${SPARK_WORDS.name(rawName(column))}`);
  const columns = model.columns.map(
    (column) => `  ${rowColumn(dialect, model, column)} AS ${SPARK_WORDS.name(column.name)}`,
  );
  return `-- when sessions begin within it: the longest duration is reached, or a value changes
cut AS (
  SELECT partition, session_key, island, ${cuts(model)} AS cuts
  FROM islands
),
pieces AS (
  SELECT
    partition, session_key,
    explode(transform(sequence(0, size(cuts)), i -> filter(island, x -> size(filter(cuts, c -> c <= x.at_ms)) = i))) AS piece
  FROM cut
),
sessions AS (
  SELECT partition, session_key, events, get(events, 0).at_ms AS start_ms, get(reverse(events), 0).at_ms AS end_ms
  FROM (SELECT partition, session_key, ${withoutRepeats(model)} AS events FROM pieces)
),
raw AS (
  SELECT
${raw.join(',\n')}
  FROM sessions
)
SELECT
${columns.join(',\n')}
FROM raw`;
}

function cuts(model: CompiledModel): string {
  const { onChange } = model.windows;
  const dialect = sparkDialect(model);
  const texts = onChange.map((field) => `CAST(${dialect.value(field)} AS STRING)`);
  const held = model.gapField === null ? [] : ['held'];
  const names = ['began', 'before', ...held, ...onChange.map((_, index) => `value_${index}`), 'cuts'];
  const state = (parts: readonly string[]) =>
    `named_struct(${parts.map((part, at) => `'${names[at]}', ${part}`).join(', ')})`;
  const step = foldStep(
    {
      state: {
        began: 's.began',
        before: 's.before',
        heldMs: 's.held',
        value: (index) => `s.value_${index}`,
        cuts: 's.cuts',
      },
      event: {
        atMs: 'x.at_ms',
        heldMs: `(x.at_ms + ${heldFor(model, 'x.event')})`,
        value: (index) => texts[index]!,
        momentValue: (index) => `CAST(x.moment_${index} AS STRING)`,
      },
      append: (items, item) => `array_append(${items}, ${item})`,
      make: state,
    },
    model,
  );
  const nothing = onChange.map(() => 'CAST(NULL AS STRING)');
  const start = state(['0L', '-1L', ...held.map(() => '0L'), ...nothing, 'CAST(array() AS ARRAY<BIGINT>)']);
  return `aggregate(island, ${start}, (s, x) -> ${step}, s -> s.cuts)`;
}

/** Of events with the same value of the field the first. */
function withoutRepeats(model: CompiledModel): string {
  if (model.deduplicateField === null) return 'piece';
  const value = sparkDialect(model).value(model.deduplicateField);
  return `filter(piece, (x, i) -> ${value} IS NULL OR array_position(transform(piece, x -> ${value}), ${value}) = i + 1)`;
}

/** Milliseconds since 1970, or null. */
function timeMs(model: CompiledModel): string {
  const value = sparkPath('event', fieldOf(model, model.timeField));
  switch (model.timeFormat) {
    case 'epoch_ms':
      return `CAST(floor(${value}) AS BIGINT)`;
    case 'epoch_s':
      return `CAST(floor(round(${value} * 1000000) / 1000) AS BIGINT)`;
    case 'iso8601':
      return `CASE WHEN ${value} RLIKE ${SPARK_WORDS.text(ISO_8601_PATTERN)} THEN unix_millis(try_cast(${value} AS TIMESTAMP)) END`;
    default:
      return model.timeFormat satisfies never;
  }
}

/** A text in Python: JSON's texts are such. */
function python(text: string): string {
  return JSON.stringify(text);
}
