import type { CompiledModel } from '../model/types.js';
import { fieldOf } from './fields.js';
import { type FlinkColumns, IS_KEPT } from './flink-columns.js';
import { FLINK_WORDS, flinkEvents } from './flink-source.js';
import { heldForSql } from './held.js';
import type { ExportPlace } from './types.js';

/** The steps from events to events whose session is known: `WITH` members, each over the one before. */

/** The last step's name. */
export const READY = 'headrace_ready';
const LANE = 'headrace_partition, headrace_key';
const PART = `${LANE}, headrace_part`;
/** What tells sessions apart. */
export const SESSION = `${PART}, headrace_split`;

const RUNNING = 'ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
/** Of two events of one time each counts as before the other. */
const RUNNING_TIMES = 'RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
const THIS_TIME = "RANGE BETWEEN INTERVAL '0' SECOND PRECEDING AND CURRENT ROW";
const LAST_TWO = 'ROWS BETWEEN 1 PRECEDING AND CURRENT ROW';

export function flinkSteps(model: CompiledModel, place: ExportPlace, columns: FlinkColumns): string[] {
  const steps = new Steps('headrace_events', flinkEvents(model, place));
  const { begins, before } = beginning(steps, model, columns);
  steps.add('headrace_ordered', before);
  steps.add('headrace_numbered', [`${over(sumOf(begins), LANE, RUNNING)} AS headrace_part`]);
  split(steps, model, columns);
  reduce(steps, model, columns);
  return steps.texts;
}

class Steps {
  readonly texts: string[];
  #from: string;

  constructor(name: string, select: string) {
    this.texts = [`${name} AS (\n${select}\n)`];
    this.#from = name;
  }

  add(name: string, more: readonly string[], where = ''): void {
    const select = ['*', ...more].join(',\n  ');
    this.texts.push(`${name} AS (\nSELECT\n  ${select}\nFROM ${this.#from}${where}\n)`);
    this.#from = name;
  }
}

/**
 * An aggregate over a frame of the partition's events. What is added is nothing: where a window stands on another with no
 * computation between them, Flink 2.0 gives the results of both one name and refuses the job.
 */
function over(
  aggregate: string,
  partition: string,
  frame: string,
  type: 'number' | 'text' = 'number',
): string {
  const window = `OVER (PARTITION BY ${partition} ORDER BY headrace_time ${frame})`;
  return `${aggregate} ${window} ${type === 'number' ? '+ headrace_zero' : '|| headrace_nothing'}`;
}

function sumOf(conditions: readonly string[]): string {
  return `SUM(CASE WHEN ${conditions.join(' OR ')} THEN 1 ELSE 0 END)`;
}

/** What an event begins a session by that its time and its neighbours tell, and what has to be known of the event before. */
function beginning(
  steps: Steps,
  model: CompiledModel,
  columns: FlinkColumns,
): { begins: string[]; before: string[] } {
  const begins: string[] = [];
  const before: string[] = [];
  const changed = (name: string) => {
    before.push(`${over(`MIN(${name})`, LANE, LAST_TWO)} AS ${name}_before`);
    return `${name}_before`;
  };
  const { gapField } = model;
  if (gapField === null) begins.push(`headrace_ms - ${changed('headrace_ms')} > ${model.gapMs}`);
  const { startEvent, endCounted, midnight } = model.windows;
  if (model.endEvent !== null) {
    const isEnd = columns.condition(model.endEvent);
    // events at the very time of an end event belong to the session that it ends: the ends of that time are taken off again
    steps.add('headrace_ends', [`${over(sumOf([isEnd]), LANE, RUNNING_TIMES)} AS headrace_ends_until`]);
    steps.add('headrace_ends_now', [`${over(sumOf([isEnd]), LANE, THIS_TIME)} AS headrace_ends_at`]);
    const earlier = 'headrace_ends_until - headrace_ends_at AS headrace_ended';
    steps.add('headrace_counted', [earlier], endCounted ? '' : `\nWHERE NOT ${isEnd}`);
    begins.push(`headrace_ended > ${changed('headrace_ended')}`);
  }
  if (startEvent !== null) {
    const isStart = columns.condition(startEvent);
    steps.add('headrace_starts', [`${over(sumOf([isStart]), LANE, RUNNING_TIMES)} AS headrace_started`]);
    begins.push(`headrace_started > ${changed('headrace_started')}`);
  }
  if (midnight !== null) {
    const utc = `DATE_FORMAT(headrace_time, 'yyyy-MM-dd HH:mm:ss')`;
    const local = `CONVERT_TZ(${utc}, 'UTC', ${FLINK_WORDS.text(midnight.name)})`;
    steps.add('headrace_days', [`CAST(REPLACE(SUBSTRING(${local}, 1, 10), '-', '') AS INT) AS headrace_day`]);
    begins.push(`headrace_day <> ${changed('headrace_day')}`);
  }
  if (gapField !== null) {
    const heldFor = heldForSql(model, gapField, columns.value(gapField.field));
    steps.add('headrace_held', [
      `${over(`MAX(headrace_ms + ${heldFor})`, LANE, RUNNING)} AS headrace_held_ms`,
    ]);
    begins.push(`headrace_ms > ${changed('headrace_held_ms')}`);
  }
  return { begins, before };
}

/** Changes of values, within what is one session for all other reasons. */
function split(steps: Steps, model: CompiledModel, columns: FlinkColumns): void {
  const { onChange } = model.windows;
  if (onChange.length === 0) {
    steps.add('headrace_unsplit', ['0 AS headrace_split']);
    return;
  }
  const at = (name: string) => onChange.map((_, index) => `headrace_${name}_${index}`);
  const [now, last, was, knew] = [at('now'), at('last'), at('was'), at('knew')];
  const values = onChange.map((field) =>
    fieldOf(model, field).type === 'string'
      ? columns.value(field)
      : `CAST(${columns.value(field)} AS STRING)`,
  );
  steps.add(
    'headrace_now',
    values.map(
      (value, index) => `${over(`FIRST_VALUE(${value})`, PART, THIS_TIME, 'text')} AS ${now[index]}`,
    ),
  );
  steps.add(
    'headrace_last',
    values.map(
      (value, index) => `${over(`LAST_VALUE(${value})`, PART, RUNNING_TIMES, 'text')} AS ${last[index]}`,
    ),
  );
  steps.add('headrace_was', [
    `${over('MIN(headrace_ms)', PART, LAST_TWO)} AS headrace_was_ms`,
    ...last.map((name, index) => `${over(`FIRST_VALUE(${name})`, PART, LAST_TWO, 'text')} AS ${was[index]}`),
    // FIRST_VALUE passes over a null: where the event before knew no value yet, it gives this one's
    ...last.map(
      (name, index) =>
        `${over(`MIN(CASE WHEN ${name} IS NULL THEN 0 ELSE 1 END)`, PART, LAST_TWO)} AS ${knew[index]}`,
    ),
  ]);
  const changes = now.map(
    (name, index) => `(headrace_ms > headrace_was_ms AND ${knew[index]} = 1 AND ${name} <> ${was[index]})`,
  );
  steps.add('headrace_changed', [`${over(sumOf(changes), PART, RUNNING)} AS headrace_split`]);
}

/** What aggregates need to know of an event's place in its session. */
function reduce(steps: Steps, model: CompiledModel, columns: FlinkColumns): void {
  const running = (expressions: ReadonlyMap<string, string>) =>
    [...expressions].map(([expression, as]) => `${over(expression, SESSION, RUNNING)} AS ${as}`);
  if (model.deduplicateField !== null) {
    const value = columns.value(model.deduplicateField);
    steps.add('headrace_values', running(new Map([[`COUNT(DISTINCT ${value})`, 'headrace_different']])));
    const before = `${over('SUM(headrace_different)', SESSION, LAST_TWO)} - headrace_different`;
    steps.add('headrace_values_before', [`${before} AS headrace_different_before`]);
    steps.add('headrace_kept', [
      `(${value} IS NULL OR headrace_different > headrace_different_before) AS ${IS_KEPT}`,
    ]);
  }
  if (columns.running.size > 0) steps.add('headrace_running', running(columns.running));
  if (columns.before.size > 0) {
    const before = [...columns.before].map(([as, { aggregate, of }]) => {
      const both = over(`${aggregate}(${of})`, SESSION, LAST_TWO);
      return aggregate === 'SUM' ? `${both} - ${of} AS ${as}` : `${both} AS ${as}`;
    });
    steps.add('headrace_running_before', before);
  }
  steps.add(
    READY,
    [...columns.made].map(([expression, as]) => `${expression} AS ${as}`),
  );
}
