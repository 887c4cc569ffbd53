import type { Column, CompiledModel } from '../model/types.js';
import { type DemoModel, type Generated, NONE, type Question } from './demo-model.js';

/**
 * One model's sessions as each sink has them, beside what the generator knows. ClickHouse is asked over HTTP, its analytic views by
 * the documented queries; the Delta table by an independent reader, from its rows: so each figure is there three times.
 */

/** Integers beyond 32 bits may come as strings. */
export type AnswerRow = Readonly<Record<string, string | number | null>>;

/** A place where SQL can be asked for a model's sessions. */
export interface Sink {
  /** A table expression of the rows of changes. */
  rows: string;
  /** What it is asked for a question. */
  sqlOf(question: Question): string;
  query(sql: string): Promise<AnswerRow[]>;
}

export interface SinkFigures {
  rows: number;
  sessions: number;
  /** Sessions whose signs add up to something other than 0 or 1: there must be none. */
  unbalanced: number;
  totals: Record<string, number>;
  /** Of each question, all rows in its order. */
  answers: AnswerRow[][];
  /** All columns of all rows, as one hash for each day on which sessions start. */
  days: ReadonlyMap<string, { rows: number; hash: string }>;
}

/** A figure that is not the same everywhere. */
export interface Difference {
  what: string;
  /** Null where the generator has no such figure. */
  generated: number | null;
  clickhouse: number | string;
  delta: number | string;
}

/** A question's own SQL. `sessions`: a table expression that has one row a session and no sign. */
export function sqlOver(rows: string, sessions: string): Sink['sqlOf'] {
  return ({ sql }) => sql.replaceAll('{rows}', rows).replaceAll('{sessions}', sessions);
}

export async function readSink(
  sink: Sink,
  questions: readonly Question[],
  totals: readonly string[],
  model: CompiledModel,
): Promise<SinkFigures> {
  const sums = totals.map((column) => `sum(sign * ${column}) AS sum_${column}`);
  const [all] = await sink.query(
    `SELECT count() AS rows, sum(sign) AS sessions, ${sums.join(', ')} FROM ${sink.rows}`,
  );
  const [balance] = await sink.query(
    `SELECT countIf(net NOT IN (0, 1)) AS unbalanced
     FROM (SELECT sum(sign) AS net FROM ${sink.rows} GROUP BY session_id, session_start)`,
  );
  const days = await sink.query(
    `SELECT toString(toDate(session_start, 'UTC')) AS day, count() AS rows, toString(sum(${rowHash(model)})) AS hash
     FROM ${sink.rows} GROUP BY day ORDER BY day`,
  );
  const answers: AnswerRow[][] = [];
  for (const question of questions) answers.push(await sink.query(sink.sqlOf(question)));
  return {
    rows: Number(all!.rows),
    sessions: Number(all!.sessions),
    unbalanced: Number(balance!.unbalanced),
    totals: Object.fromEntries(totals.map((column) => [column, Number(all![`sum_${column}`])])),
    answers,
    days: new Map(
      days.map(({ day, rows, hash }) => [String(day), { rows: Number(rows), hash: String(hash) }]),
    ),
  };
}

/** A hash of all columns of a row, the same in both sinks though their types differ in width and precision. */
function rowHash({ columns }: CompiledModel): string {
  return `cityHash64(${columns.map(columnText).join(', ')})`;
}

function columnText({ name, type }: Column): string {
  if (type === 'time') return `toUnixTimestamp64Milli(${name})`;
  // a missing value is not an empty one
  return type === 'list<string>' ? `toString(${name})` : `ifNull(toString(${name}), '\\\\N')`;
}

/** The figures that a reader wants to see side by side. */
export function mainFigures(
  generated: Generated,
  clickhouse: SinkFigures,
  delta: SinkFigures,
): (Difference & { generated: number })[] {
  const totals = Object.keys(generated.totals).map((column) => ({
    what: column === 'total_events' ? 'events' : column.replaceAll('_', ' '),
    generated: generated.totals[column]!,
    clickhouse: clickhouse.totals[column] ?? 0,
    delta: delta.totals[column] ?? 0,
  }));
  const { sessions } = generated;
  return [
    { what: 'sessions', generated: sessions, clickhouse: clickhouse.sessions, delta: delta.sessions },
    ...totals,
  ];
}

/** All that differs between the three. Empty when they agree. */
export function differences(
  { questions }: Pick<DemoModel, 'questions'>,
  generated: Generated,
  clickhouse: SinkFigures,
  delta: SinkFigures,
): Difference[] {
  const figures: Difference[] = [
    ...mainFigures(generated, clickhouse, delta),
    {
      what: 'sessions with unbalanced signs',
      generated: 0,
      clickhouse: clickhouse.unbalanced,
      delta: delta.unbalanced,
    },
    ...questions.flatMap((question, index) => {
      const answers = [clickhouse.answers[index]!, delta.answers[index]!] as const;
      return answerFigures(question, generated.answers[index]!, ...answers);
    }),
  ];
  const differing = figures.filter((figure) => {
    return figure.clickhouse !== figure.delta || figure.generated !== figure.delta;
  });
  return [...differing, ...dayDifferences(clickhouse, delta)];
}

function answerFigures(
  { key, compared }: Question,
  generated: ReadonlyMap<string, readonly number[]>,
  clickhouse: readonly AnswerRow[],
  delta: readonly AnswerRow[],
): Difference[] {
  const byKey = (rows: readonly AnswerRow[]) => {
    const sums = new Map<string, number[]>();
    for (const row of rows) {
      const name = key === null ? '' : nameOf(row[key]);
      const before = sums.get(name) ?? compared.map(() => 0);
      sums.set(
        name,
        compared.map((column, index) => before[index]! + Number(row[column] ?? 0)),
      );
    }
    return sums;
  };
  const inClickHouse = byKey(clickhouse);
  const inDelta = byKey(delta);
  const keys = new Set([...generated.keys(), ...inClickHouse.keys(), ...inDelta.keys()]);
  return [...keys].flatMap((name) =>
    compared.map((column, index) => ({
      what: key === null ? column : `${column} of ${key} ${name}`,
      generated: generated.get(name)?.[index] ?? 0,
      clickhouse: inClickHouse.get(name)?.[index] ?? 0,
      delta: inDelta.get(name)?.[index] ?? 0,
    })),
  );
}

/** A key of a view can't be null: what a session lacks is an empty text there. */
function nameOf(value: AnswerRow[string] | undefined): string {
  return value === undefined || value === null || value === '' ? NONE : String(value);
}

/** Row by row the sinks must hold the same; the generator does not know their rows. */
function dayDifferences(clickhouse: SinkFigures, delta: SinkFigures): Difference[] {
  const none = { rows: 0, hash: '0' };
  return [...new Set([...clickhouse.days.keys(), ...delta.days.keys()])].flatMap((day) => {
    const one = clickhouse.days.get(day) ?? none;
    const other = delta.days.get(day) ?? none;
    if (one.rows !== other.rows) {
      return { what: `rows of ${day}`, generated: null, clickhouse: one.rows, delta: other.rows };
    }
    if (one.hash === other.hash) return [];
    return {
      what: `hash of the rows of ${day}`,
      generated: null,
      clickhouse: one.hash,
      delta: other.hash,
    };
  });
}
