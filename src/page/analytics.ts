import { withReachable } from '../clickhouse/hosts.js';
import { analyticsOf } from '../clickhouse/schema.js';
import { targetOf } from '../clickhouse/target.js';
import { DAY } from '../clickhouse/views/analytic-view.js';
import { type AskAnswer, askBounded } from '../clickhouse/views/ask.js';
import { type DocumentedQuery, queriesOf } from '../clickhouse/views/queries.js';
import type { Clock } from '../clock.js';
import type { ClickHouseConfig } from '../config/types.js';
import { Lately } from '../http/lately.js';
import type { Route } from '../http/listener.js';
import { answerOf, failed, type Outcome, outcomeOf } from '../http/outcome.js';
import type { CompiledModel } from '../model/types.js';
import type { ViewAnswer, ViewCell, ViewsAnswer } from './client/view-answers.js';

/**
 * The documented queries of the model's analytic views, as `headrace query` asks them, for the page: only those, over some numbers of
 * days, and each at most once in ten seconds however many pages there are.
 */
export interface AnalyticsOptions {
  /** Null: none is configured. */
  clickhouse: ClickHouseConfig | null;
  model: CompiledModel;
  clock: Clock;
  /** For tests; else ClickHouse is asked. */
  ask?: (sql: string) => Promise<AskAnswer>;
}

const DAYS = [1, 7, 30, 90];
const DAYS_USUAL = 30;
const KEEP_MS = 10_000;
/** Of the days, `headrace query` gives all; of keys those with most sessions. */
const BOUNDS = { timeMs: 8_000, rowsMax: 500, bytesMax: 32 << 20 };
/** A key may be an address of any length. */
const CELL_CHARACTERS_MAX = 300;

interface View extends DocumentedQuery {
  keys: string[];
}

export class Analytics {
  readonly #options: AnalyticsOptions;
  readonly #views: readonly View[];
  readonly #lately: Lately<Outcome<ViewAnswer>>;

  constructor(options: AnalyticsOptions) {
    this.#options = options;
    this.#views = options.clickhouse === null ? [] : viewsOf(options.clickhouse, options.model);
    const keysMax = Math.max(1, this.#views.length * DAYS.length);
    this.#lately = new Lately({ clock: options.clock, keepMs: KEEP_MS, keysMax });
  }

  routes(): [string, Route][] {
    return [
      ['/api/views', () => answerOf({ ok: true, value: this.#list() })],
      ['/api/view', async (_, query) => answerOf(await this.#answer(query))],
    ];
  }

  #list(): ViewsAnswer {
    const views = this.#views.map(({ name, view, about }) => ({ name, view, about }));
    return { lacking: this.#lacking(), days: DAYS, daysUsual: DAYS_USUAL, views };
  }

  #lacking(): string | null {
    if (this.#options.clickhouse === null)
      return 'No ClickHouse is configured: set clickhouse.url (--clickhouse) for views of the sessions.';
    if (this.#views.length > 0) return null;
    return "This model's columns carry no analytic view, or clickhouse.views names none.";
  }

  async #answer(query: URLSearchParams): Promise<Outcome<ViewAnswer>> {
    const name = query.get('name');
    const days = Number(query.get('days') ?? DAYS_USUAL);
    const view = this.#views.find((each) => each.name === name);
    if (view === undefined) {
      const names = this.#views.map((each) => each.name).join(', ');
      return failed(400, 'there is no view of that name', this.#lacking() ?? `there are ${names}`);
    }
    if (!DAYS.includes(days)) return failed(400, `days must be one of ${DAYS.join(', ')}`);
    return await this.#lately.ask(`${view.name} ${days}`, () =>
      outcomeOf(async () => {
        const { columns, rows } = await this.#ask(view.sql(days));
        return { name: view.name, days, keys: view.keys, columns, rows: rows.map((row) => row.map(cellOf)) };
      }),
    );
  }

  async #ask(sql: string): Promise<AskAnswer> {
    const { clickhouse, model, ask } = this.#options;
    if (ask !== undefined) return await ask(sql);
    return await withReachable(targetOf(clickhouse!, model), (at) => askBounded(at, sql, BOUNDS));
  }
}

/** By their definitions: no file of a user's name or password is read for it. */
function viewsOf(clickhouse: ClickHouseConfig, model: CompiledModel): View[] {
  const wanted = analyticsOf({ ...clickhouse, database: clickhouse.database ?? model.name }, model);
  const keysOf = new Map(wanted.map(({ view: { name, keys } }) => [name, keys.map((key) => key.name)]));
  return queriesOf(wanted).map((query) => {
    const keys = keysOf.get(query.view) ?? [];
    // of a view without keys of its own there is a row a day
    return { ...query, keys: query.view === 'session_summary' ? [DAY, ...keys] : keys };
  });
}

function cellOf(value: unknown): ViewCell {
  if (value === null || typeof value === 'number') return value;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > CELL_CHARACTERS_MAX ? `${text.slice(0, CELL_CHARACTERS_MAX)}…` : text;
}
