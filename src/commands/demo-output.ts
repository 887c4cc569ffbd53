import { type Colours, coloursFor, formatRate, formatTable, formatWhole } from '../telemetry/progress.js';
import { QUERY_DAYS } from './demo-clickhouse.js';
import { type DemoModel, type Generated, NONE, type Question } from './demo-model.js';
import { type AnswerRow, type Difference, mainFigures, type Sink, type SinkFigures } from './demo-report.js';

/** The demo's figures as tables for people and as one JSON object for scripts. */

export interface ModelFigures {
  model: DemoModel;
  generated: Generated;
  clickhouse: SinkFigures;
  delta: SinkFigures;
  /** What ClickHouse was asked. */
  sqlOf: Sink['sqlOf'];
  clickhouseUrl: string;
  /** Empty: ClickHouse, Delta and the generator agree. */
  differences: readonly Difference[];
  /** From the first event to the delivery of the last, waits for the engine included. */
  feedMs: number;
  commits: number;
  deadLetters: number;
  tableFolder: string;
}

export interface DemoFigures {
  models: readonly ModelFigures[];
  /** As asked for. */
  seconds: number;
  folder: string;
  kept: boolean;
}

const TOP = 10;

export function agrees({ models }: Pick<DemoFigures, 'models'>): boolean {
  return models.every((model) => model.differences.length === 0);
}

/** One object with one of each model's name; counts are numbers, a null in an answer is a value that sessions lack. */
export function resultJson(figures: DemoFigures): object {
  const { seconds, folder, kept } = figures;
  const models = figures.models.map((model) => [model.model.name, modelJson(model)]);
  return { agree: agrees(figures), ...Object.fromEntries(models), seconds, folder, kept };
}

function modelJson(figures: ModelFigures): object {
  const { model, generated, clickhouse, delta, sqlOf } = figures;
  const three = ({ generated, clickhouse, delta }: Difference) => ({ generated, clickhouse, delta });
  const [sessions, events] = mainFigures(generated, clickhouse, delta);
  return {
    agree: figures.differences.length === 0,
    events: three(events!),
    sessions: three(sessions!),
    rows: { clickhouse: clickhouse.rows, delta: delta.rows },
    deadLetters: figures.deadLetters,
    commits: figures.commits,
    eventsPerSecond: perSecond(figures),
    answers: model.questions.map((question, index) => ({
      question: question.title,
      query: question.query,
      sql: sqlOf(question),
      rows: clickhouse.answers[index]!.slice(0, TOP),
      rowsInAll: clickhouse.answers[index]!.length,
    })),
    differences: figures.differences,
    table: figures.tableFolder,
  };
}

export function resultText({ models }: DemoFigures, stream: { isTTY?: boolean }): string {
  const colours = coloursFor(stream);
  return [...models.map((model) => modelText(model, colours)), '', verdict(models, colours)].join('\n');
}

function modelText(figures: ModelFigures, colours: Colours): string {
  const { model, generated, clickhouse, delta } = figures;
  const answers = model.questions.flatMap((question, index) => [
    '',
    colours.bold(question.title),
    colours.dim(commandText(figures, question)),
    answerText(clickhouse.answers[index]!, question.shown),
  ]);
  const compared = mainFigures(generated, clickhouse, delta).map((figure) => {
    const numbers = [figure.generated, figure.clickhouse, figure.delta].map((value) => formatWhole(+value));
    return [figure.what, ...numbers, numbers.every((text) => text === numbers[0]) ? 'same' : 'DIFFERS'];
  });
  return [
    '',
    colours.bold(`── ${model.name}: answers of ClickHouse ──`),
    ...answers,
    '',
    colours.bold('The same from all three'),
    formatTable(['', 'generated', 'ClickHouse', 'Delta', ''], compared),
    `${formatRate(generated.totals.total_events!, figures.feedMs)}, ${formatWhole(figures.commits)} commits, ${formatWhole(delta.rows)} rows, ${formatWhole(figures.deadLetters)} dead letters.`,
  ].join('\n');
}

/** What gives the same answer, all its columns. */
function commandText({ model, clickhouseUrl }: ModelFigures, { query }: Question): string {
  return `$ headrace query ${query} --model ${model.name} --clickhouse ${clickhouseUrl} --days ${QUERY_DAYS}`;
}

function answerText(rows: readonly AnswerRow[], head: readonly string[]): string {
  if (rows.length === 0) return '(no rows)';
  const shown = rows.slice(0, TOP);
  const columns = head.map((column) => columnTexts(shown.map((row) => row[column] ?? null)));
  const table = formatTable(
    head,
    shown.map((_, index) => columns.map((texts) => texts[index]!)),
  );
  return rows.length > TOP ? `${table}\n… and ${formatWhole(rows.length - TOP)} more` : table;
}

function columnTexts(values: readonly (string | number | null)[]): string[] {
  const digits = Math.max(...values.map((value) => (typeof value === 'number' ? digitsOf(value) : 0)));
  return values.map((value) => {
    if (value === null || value === '') return NONE;
    if (typeof value === 'number') return digits === 0 ? formatWhole(value) : value.toFixed(digits);
    return /^\d+$/.test(value) ? formatWhole(BigInt(value)) : value;
  });
}

/** Behind the point; answers are rounded to few. */
function digitsOf(value: number): number {
  return String(value).split('.')[1]?.length ?? 0;
}

function verdict(models: readonly ModelFigures[], colours: Colours): string {
  const differing = models.flatMap(({ model, differences }) =>
    differences.map((difference) => ({ ...difference, what: `${model.name}: ${difference.what}` })),
  );
  if (differing.length === 0) {
    return colours.green(
      'ClickHouse, Delta and the generator agree, the two sinks row by row: nothing lost, nothing doubled.',
    );
  }
  const rows = differing.slice(0, TOP).map(({ what, generated, clickhouse, delta }) => {
    return [what, generated ?? '–', clickhouse, delta];
  });
  const more = differing.length > TOP ? [`and ${differing.length - TOP} more`] : [];
  const table = formatTable(['what', 'generated', 'ClickHouse', 'Delta'], rows);
  return [colours.red('ClickHouse, Delta and the generator DIFFER:'), table, ...more].join('\n');
}

function perSecond({ generated, feedMs }: ModelFigures): number {
  return Math.round((generated.totals.total_events! * 1000) / feedMs);
}
