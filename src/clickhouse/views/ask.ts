import { asClickHouseError } from '../errors.js';
import { type ClickHouseTarget, openClickHouse } from '../target.js';

/** Queries of people: nothing is written by a mistyped statement; settings may be. */
export const READ_ONLY = { readonly: '2', output_format_json_quote_64bit_integers: 0 } as const;

/** What an answer may take of ClickHouse, and of who asked. */
export interface AskBounds {
  timeMs: number;
  rowsMax: number;
  bytesMax: number;
}

export interface AskAnswer {
  columns: string[];
  /** Numbers, texts, nulls and lists of these, in the order of the columns. */
  rows: unknown[][];
}

/** Longer than ClickHouse itself may take, so that its own words are heard. */
const BEHIND_MS = 2_000;

/** Throws HeadraceError CLICKHOUSE_…; an answer that is too large or too slow is CLICKHOUSE_REFUSED. */
export async function askBounded(
  target: ClickHouseTarget,
  sql: string,
  { timeMs, rowsMax, bytesMax }: AskBounds,
): Promise<AskAnswer> {
  const client = openClickHouse(target, { requestTimeoutMs: timeMs + BEHIND_MS });
  try {
    const result = await client.query({
      query: sql,
      format: 'JSONCompact',
      clickhouse_settings: {
        ...READ_ONLY,
        max_execution_time: Math.max(1, Math.ceil(timeMs / 1_000)),
        max_result_rows: String(rowsMax),
        max_result_bytes: String(bytesMax),
        result_overflow_mode: 'throw',
      },
    });
    const { meta = [], data } = await result.json<unknown[]>();
    return { columns: meta.map(({ name }) => name), rows: data };
  } catch (error) {
    const { url, user, database } = target;
    throw asClickHouseError(error, { url, user, database });
  } finally {
    await client.close();
  }
}
