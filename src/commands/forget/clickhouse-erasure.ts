import type { ClickHouseClient } from '@clickhouse/client';
import { asClickHouseError } from '../../clickhouse/errors.js';
import { quoteName, quoteTable, quoteText } from '../../clickhouse/sql.js';
import { readState, type TableState } from '../../clickhouse/state.js';
import { type ClickHouseTarget, openClickHouse } from '../../clickhouse/target.js';
import { systemClock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import type { Person } from './person.js';
import type { Progress } from './progress.js';

/**
 * The person's rows in ClickHouse: in the table of sessions, and in the tables that materialized views fill from it, where a column
 * of the same name says whose a row is. What else such a table holds are sums without anybody's name in them.
 *
 * The value stands in no statement, since the server keeps those (query_log, mutations): it is inserted into a small table that
 * the statements ask and that is dropped behind them. On a replicated table a statement runs on servers that do not have this table:
 * there the value has to stand in it.
 */
export interface ClickHouseFinding {
  /** `database.table` */
  table: string;
  rows: number;
  /** Behind the deletion; null: nothing was done. */
  left: number | null;
  /** The value was in the statement, so the server's logs have it. */
  isInLogs: boolean;
}

export interface ClickHouseReport {
  findings: ClickHouseFinding[];
  /** Tables of views without such a column. */
  nameless: string[];
}

interface Place {
  table: TableState;
  columns: string[];
}

const ACCESS_DENIED = 497;
const POLL_MS = 500;
/** How long a mutation may take beyond the request that began it. */
const MUTATION_MS_MAX = 600_000;

/** Throws HeadraceError CLICKHOUSE_…. */
export async function forgetInClickHouse(
  target: ClickHouseTarget,
  person: Person,
  options: { id: string; dryRun: boolean; progress: Progress },
): Promise<ClickHouseReport> {
  const client = openClickHouse(target, { database: 'system' });
  try {
    return await new Erasure(client, target, person, options).run();
  } catch (error) {
    const { url, user, database } = target;
    throw asClickHouseError(error, { url, user, database });
  } finally {
    await client.close();
  }
}

class Erasure {
  readonly #client: ClickHouseClient;
  readonly #target: ClickHouseTarget;
  readonly #person: Person;
  readonly #options: { id: string; dryRun: boolean; progress: Progress };
  readonly #values: string;
  readonly #patterns: string;

  constructor(
    client: ClickHouseClient,
    target: ClickHouseTarget,
    person: Person,
    options: { id: string; dryRun: boolean; progress: Progress },
  ) {
    this.#client = client;
    this.#target = target;
    this.#person = person;
    this.#options = options;
    this.#values = quoteTable(target.database, `headrace_forget_${options.id}`);
    this.#patterns = quoteTable(target.database, `headrace_forget_pattern_${options.id}`);
  }

  async run(): Promise<ClickHouseReport> {
    const state = await readState(this.#client, this.#target);
    const sessions = state.tables.get(this.#target.table);
    if (sessions === undefined) return { findings: [], nameless: [] };
    const all = [sessions, ...[...state.viewTargets.values()].map(({ table }) => table)].map((table) => ({
      table,
      columns: comparable(table, this.#person),
    }));
    const places = all.filter(({ columns }) => columns.length > 0);
    const findings: ClickHouseFinding[] = [];
    await this.#withValues(async () => {
      for (const place of places) findings.push(await this.#erase(place));
    });
    const nameless = all.filter(({ columns }) => columns.length === 0).map(({ table }) => nameOf(table));
    return { findings, nameless };
  }

  async #erase({ table, columns }: Place): Promise<ClickHouseFinding> {
    const name = nameOf(table);
    if (this.#person.keyPart !== null) await this.#addKeys(table, columns);
    const rows = await this.#count(table, this.#condition(columns, false));
    if (rows === 0 || this.#options.dryRun) return { table: name, rows, left: null, isInLogs: false };
    const isInLogs = /^(Replicated|Shared)/.test(table.engine);
    const statement = `ALTER TABLE ${quoteTable(table.database, table.name)} DELETE WHERE ${this.#condition(columns, isInLogs)}`;
    await this.#mutate(table, statement);
    return { table: name, rows, left: await this.#count(table, this.#condition(columns, false)), isInLogs };
  }

  /** Answered when all is rewritten, or waited for: a large table takes longer than a request may. */
  async #mutate(table: TableState, statement: string): Promise<void> {
    try {
      await this.#command(statement, { mutations_sync: '2' });
    } catch (error) {
      const known = asClickHouseError(error);
      if (known.code !== 'CLICKHOUSE_UNREACHABLE') throw refused(error, this.#target, table);
    }
    const startedMs = systemClock.monotonicMs();
    for (;;) {
      const open = await this.#openMutations(table);
      if (open === null) return;
      if (open.reason !== '') throw failedMutation(table, open.reason);
      if (systemClock.monotonicMs() - startedMs > MUTATION_MS_MAX)
        throw failedMutation(table, 'it takes too long');
      this.#options.progress.tell(
        () => `ClickHouse: ${open.parts} parts of ${nameOf(table)} are still to be rewritten`,
      );
      await systemClock.sleep(POLL_MS);
    }
  }

  async #openMutations({ database, name }: TableState): Promise<{ parts: string; reason: string } | null> {
    const [row] = await this.#rows<{ parts: string; reason: string; open: number }>(
      `SELECT toString(sum(parts_to_do)) AS parts, max(latest_fail_reason) AS reason, toUInt8(count() > 0) AS open
       FROM system.mutations WHERE database = ${quoteText(database)} AND table = ${quoteText(name)} AND NOT is_done`,
    );
    return row === undefined || Number(row.open) === 0 ? null : row;
  }

  async #count({ database, name }: TableState, condition: string): Promise<number> {
    const [row] = await this.#rows<{ rows: string }>(
      `SELECT toString(count()) AS rows FROM ${quoteTable(database, name)} WHERE ${condition}`,
    );
    return Number(row!.rows);
  }

  /** Deletes by the same words by which it counts. */
  #condition(columns: readonly string[], literal: boolean): string {
    const { value, keyPart } = this.#person;
    if (literal && keyPart !== null)
      return columns.map((name) => `match(${quoteName(name)}, ${quoteText(keyPart.pattern)})`).join(' OR ');
    const values = literal ? quoteText(String(value)) : `SELECT value FROM ${this.#values}`;
    const names = columns.map((name) =>
      typeof value === 'string' ? quoteName(name) : `toString(${quoteName(name)})`,
    );
    return names.map((name) => `${name} IN (${values})`).join(' OR ');
  }

  /** The keys that have the person's part are values like any other then. */
  async #addKeys({ database, name }: TableState, columns: readonly string[]): Promise<void> {
    for (const column of columns) {
      await this.#command(
        `INSERT INTO ${this.#values} SELECT DISTINCT ${quoteName(column)} FROM ${quoteTable(database, name)}
         WHERE match(${quoteName(column)}, (SELECT pattern FROM ${this.#patterns}))`,
      );
    }
  }

  async #withValues(work: () => Promise<void>): Promise<void> {
    // what a call that was ended has left
    await this.#dropValues();
    await this.#command(`CREATE TABLE ${this.#values} (value String) ENGINE = Memory`);
    await this.#command(`CREATE TABLE ${this.#patterns} (pattern String) ENGINE = Memory`);
    try {
      const { value, keyPart } = this.#person;
      if (keyPart === null) await this.#insert(this.#values, { value: String(value) });
      else await this.#insert(this.#patterns, { pattern: keyPart.pattern });
      await work();
    } finally {
      await this.#dropValues();
    }
  }

  async #dropValues(): Promise<void> {
    for (const table of [this.#values, this.#patterns])
      await this.#command(`DROP TABLE IF EXISTS ${table} SYNC`);
  }

  async #insert(table: string, row: Record<string, string>): Promise<void> {
    const clickhouse_settings = { async_insert: 0, wait_end_of_query: 1 } as const;
    await this.#client.insert({ table, values: [row], format: 'JSONEachRow', clickhouse_settings });
  }

  async #command(query: string, settings: Record<string, string> = {}): Promise<void> {
    await this.#client.command({ query, clickhouse_settings: settings });
  }

  async #rows<Row>(query: string): Promise<Row[]> {
    const result = await this.#client.query({ query, format: 'JSONEachRow' });
    return await result.json<Row>();
  }
}

function nameOf({ database, name }: TableState): string {
  return `${database}.${name}`;
}

/** Columns by which a table's rows can be told apart; a state of an aggregate can't. */
export function comparable(
  { columns }: Pick<TableState, 'columns'>,
  { columns: wanted, value }: Pick<Person, 'columns' | 'value'>,
): string[] {
  const type =
    typeof value === 'string' ? /^(LowCardinality\()?(Nullable\()?String\)*$/ : /^(Nullable\()?U?Int\d+\)?$/;
  const names = new Set(wanted.map(({ name }) => name));
  return columns.filter((column) => names.has(column.name) && type.test(column.type)).map(({ name }) => name);
}

/** Who inserts may not delete, as a rule. */
function refused(error: unknown, { user, url }: ClickHouseTarget, table: TableState): HeadraceError {
  const known = asClickHouseError(error, { url, user, table: nameOf(table) });
  if (!String(known.where.error).startsWith(`${ACCESS_DENIED} `)) return known;
  const grant = `GRANT ALTER DELETE ON ${quoteTable(table.database, table.name)} TO ${quoteName(user)}`;
  return new HeadraceError(known.code, known.message, { where: known.where, remedy: grant, cause: error });
}

function failedMutation(table: TableState, reason: string): HeadraceError {
  return new HeadraceError(
    'CLICKHOUSE_REFUSED',
    `ClickHouse could not delete the rows: ${reason.slice(0, 300)}`,
    {
      where: { table: nameOf(table) },
      remedy: 'mend what it says, or KILL MUTATION, and call again with --finish',
    },
  );
}
