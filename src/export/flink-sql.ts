import type { CompiledModel } from '../model/types.js';
import { isDerived, rawName, rowColumn } from './derived-columns.js';
import { FLINK_ROWS, FlinkColumns, flinkType } from './flink-columns.js';
import { FLINK_WORDS, flinkInterval, flinkSourceTable, options } from './flink-source.js';
import { flinkSteps, READY, SESSION } from './flink-steps.js';
import { endsOtherwise, headComment, NotExpressed } from './not-expressed.js';
import type { Exported, ExportPlace } from './types.js';

/**
 * The model as a job in Flink SQL (2.0 or newer), from Kafka to Kafka.
 *
 *   events ─▶ in order, with the time before ─▶ sessions numbered ─▶ running aggregates ─▶ SESSION ─▶ raw ─▶ rows
 *
 * OVER windows put a key's events in order of time (at one time in the order of the log, since a key's events lie in one
 * partition) and find where sessions begin. The SESSION window then only decides when one is finished: its gap is 1 ms longer
 * than ours, so that it is still open for an event exactly a gap later. All of it is one statement: views over windows over views are
 * more than Flink's SQL gateway can plan.
 */

const { name } = FLINK_WORDS;
const STATE_TTL_MS = 2 * 86_400_000;
/** Kafka refuses producers that want to keep a transaction open for longer, and Flink asks for an hour. */
const TRANSACTION_MS_MAX = 900_000;

export function exportFlinkSql(model: CompiledModel, place: ExportPlace): Exported {
  const not = new NotExpressed();
  explain(model, not);
  const head = headComment('--', model, ['A job in Flink SQL, for Flink 2.0 or newer.'], not.list);
  const sections = [
    head,
    settings(model),
    flinkSourceTable(model, place),
    sinkTable(model, place),
    insert(model, place),
  ];
  return { text: `${sections.join('\n\n')}\n`, notExpressed: not.list };
}

function explain(model: CompiledModel, not: NotExpressed): void {
  const { maxDurationMs, onChange } = model.windows;
  not.deadLetters();
  not.add(
    'allowed_lateness: an event behind the watermark is dropped without a trace, and no session is revised',
  );
  not.add(
    'idle_timeout: an idle partition is left out of the watermark, which the others then move alone; when all are idle, open sessions wait for the next event',
  );
  not.add(
    'end of the input: a bounded job lets open sessions out for good, a later run does not revise them',
  );
  not.add(`max_duration: a session that goes on for longer than ${maxDurationMs} ms is not cut`);
  if (model.gapField !== null) {
    not.add('gap: a session’s row comes only when gap.max has passed, however short its events hold it');
    if (endsOtherwise(model))
      not.add(
        'gap: what comes behind an end event, a start event or a split is held open by what came before it, too',
      );
  }
  if (endsOtherwise(model)) {
    not.add(
      'end_event, start_event, split: they end a session, whose row comes only when the gap has passed as well',
    );
  }
  if (onChange.length > 1) {
    not.add(
      'split.on_change: a change of one field does not make the session forget the values of the others',
    );
  }
  not.inEveryJob(model);
}

function settings(model: CompiledModel): string {
  return `SET 'execution.runtime-mode' = 'streaming';
SET 'table.local-time-zone' = 'UTC';
SET 'execution.checkpointing.interval' = '10 s';
-- what is known of a key that brought nothing for so long is let go: more than a gap, or sessions are cut in two
SET 'table.exec.state.ttl' = '${model.gapMs + STATE_TTL_MS} ms';`;
}

function sinkName(place: ExportPlace): string {
  return `${place.topic}_sessions`;
}

function sinkTable(model: CompiledModel, place: ExportPlace): string {
  return `CREATE TABLE ${name(sinkName(place))} (
${model.columns.map((column) => `  ${name(column.name)} ${flinkType(column)}`).join(',\n')}
) WITH (
${options({
  connector: 'kafka',
  topic: sinkName(place),
  'properties.bootstrap.servers': place.brokers,
  'properties.transaction.timeout.ms': String(TRANSACTION_MS_MAX),
  'sink.delivery-guarantee': 'exactly-once',
  'sink.transactional-id-prefix': `headrace_flink_${model.name}`,
  format: 'json',
  'json.timestamp-format.standard': 'ISO-8601',
})}
);`;
}

function insert(model: CompiledModel, place: ExportPlace): string {
  const columns = new FlinkColumns(model);
  // before the steps: the columns say which running aggregates they need
  const raw = model.columns
    .filter((column) => !isDerived(column))
    .map((column) => `  ${columns.aggregate(column.op)} AS ${name(rawName(column))}`);
  const steps = flinkSteps(model, place, columns);
  const gap = flinkInterval(model.gapMs + 1);
  const window = `SESSION(TABLE ${READY} PARTITION BY (${SESSION}), DESCRIPTOR(headrace_time), ${gap})`;
  const rows = model.columns.map(
    (column) => `  ${rowColumn(FLINK_ROWS, model, column)} AS ${name(column.name)}`,
  );
  return `INSERT INTO ${name(sinkName(place))}
WITH ${steps.join(',\n')},
headrace_raw AS (
SELECT
${raw.join(',\n')}
FROM TABLE(${window})
GROUP BY ${SESSION}, window_start, window_end
)
SELECT
${rows.join(',\n')}
FROM headrace_raw;`;
}
