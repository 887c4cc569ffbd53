import type { EventGenerator } from '../generator/event-generator.js';
import type { VisitOptions } from '../generator/visit-generator.js';

/** What the demo has to know of a model: its topic, its generator, and what is asked about its sessions at the end. */

/** A question that both sinks and the generator answer; the answers are compared key by key. */
export interface Question {
  title: string;
  /** The name of the documented query (`headrace query <name>`) that ClickHouse is asked: an analytic view is what answers. */
  query: string;
  /**
   * The same of the Delta table, without any view. `{rows}` stands for its rows of changes, `{sessions}` for what has a row a
   * session.
   */
  sql: string;
  /** The column that names what is compared; rows of one name are added up. Null: all rows are. */
  key: string | null;
  /** Columns that the generator knows too, in its order. */
  compared: readonly string[];
  /** Columns of the documented query that people are shown. */
  shown: readonly string[];
}

/** What the generator knows, in the words of the table. */
export interface Generated {
  sessions: number;
  /** Sums of the columns that count a session's events. */
  totals: Readonly<Record<string, number>>;
  /** For each question: the compared figures by the value of the key column ('' where there is one row). */
  answers: readonly ReadonlyMap<string, readonly number[]>[];
}

export interface DemoModel {
  readonly name: 'clickstream' | 'web_clicks';
  readonly topic: string;
  /** Of the record batches. */
  readonly compression: 'lz4' | 'snappy';
  readonly questions: readonly Question[];
  /** A generator, and what it knows of what it has emitted so far. */
  start(options: Pick<VisitOptions<never>, 'seed' | 'users' | 'partitions' | 'startMs'>): {
    generator: EventGenerator;
    generated(): Generated;
  };
}

/** How a missing value is named, in answers as in the generator's counts. */
export const NONE = '(none)';

/** Several counts side by side, by the keys of the first. */
export function beside(
  ...counts: readonly ReadonlyMap<string | null, number>[]
): ReadonlyMap<string, readonly number[]> {
  const keys = [...counts[0]!.keys()];
  return new Map(keys.map((key) => [key ?? NONE, counts.map((count) => count.get(key) ?? 0)]));
}
