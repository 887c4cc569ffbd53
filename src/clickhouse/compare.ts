import { packageVersion } from '../version.js';
import { compareStorage } from './compare-storage.js';
import { compareColumns, compareKeys } from './compare-table.js';
import { compareWindow } from './compare-window.js';
import { isHeld, isRebuilding, REBUILDING, releaseStatement } from './hold-statement.js';
import { DEDUPLICATION_WINDOW } from './layout.js';
import { MIGRATIONS_TABLE, recordApplied, SCHEMA_VERSION } from './migrations-table.js';
import { type ClickHouseSchema, type SchemaTable, SESSIONS_VIEW } from './schema.js';
import {
  columnDefinition,
  createDatabase,
  createDistributed,
  createTable,
  createView,
  placeOf,
} from './schema-sql.js';
import { quoteName, quoteTable } from './sql.js';
import type { ServerState, TableState } from './state.js';
import { compareViews } from './views/compare-views.js';

/**
 * What is there against what there should be → what is missing or wrong, each with the statement that mends it, in the order in
 * which they can be run. Pure. `migrate` runs those that only add; what would rewrite or remove data is left to a person.
 */

export type FindingAction =
  | 'create'
  | 'add column'
  | 'replace view'
  | 'raise'
  | 'change'
  /** The table takes no rows, and takes them again. */
  | 'hold'
  | 'fill'
  | 'release'
  /** How it is stored, and that it was done. */
  | 'store'
  | 'record';

export interface Finding {
  action: FindingAction;
  /** `database`, `database.table` or `database.table.column`. */
  where: string;
  what: string;
  /** SQL. */
  statement: string;
  /** May it be run without a person who has thought about it? */
  onlyAdds: boolean;
  /** An engine can insert without it. */
  beside?: true;
}

export function compare(
  schema: ClickHouseSchema,
  state: ServerState,
  window: number = DEDUPLICATION_WINDOW,
): Finding[] {
  const found = [
    ...compareDatabase(schema, state),
    ...compareSessions(schema, state, window),
    ...schema.followers.flatMap((table) => compareTable(schema, table, state)),
    ...compareTable(schema, schema.migrations, state).map((each) => ({ ...each, beside: true as const })),
    ...compareView(schema, state),
    ...compareViews(schema.analytics, state),
  ];
  const all = [...found, ...compareHold(schema, state, found)];
  return [...all, ...compareApplied(schema, state, all)];
}

/** A run that was killed leaves the table held. */
function compareHold(
  { database, sessions, layout }: ClickHouseSchema,
  state: ServerState,
  found: readonly Finding[],
): Finding[] {
  const rows = state.tables.get(placeOf(sessions, layout));
  if (rows === undefined || !isHeld(rows.createQuery)) return [];
  if (isRebuilding(rows.createQuery)) {
    return [
      {
        action: 'change',
        where: `${database}.${sessions.name}`,
        what: 'is half made anew: a rebuild did not come to its end; `headrace clickhouse rebuild --yes` does it again',
        statement: releaseStatement({ database, table: sessions.name, layout }, REBUILDING),
        onlyAdds: false,
      },
    ];
  }
  if (found.some(({ action }) => action === 'release' || action === 'change')) return [];
  return [
    {
      action: 'release',
      where: `${database}.${sessions.name}`,
      what: 'is held, since a migration or a rebuild did not come to its end',
      statement: releaseStatement({ database, table: sessions.name, layout }),
      onlyAdds: true,
    },
  ];
}

/** Last of all: what is written down was done. */
function compareApplied(schema: ClickHouseSchema, state: ServerState, found: readonly Finding[]): Finding[] {
  const { applied } = state;
  const isApplied = applied?.version === SCHEMA_VERSION && applied.modelHash === schema.model.hash;
  if (isApplied && found.length === 0) return [];
  const from = applied?.version ?? (state.tables.has(placeOf(schema.sessions, schema.layout)) ? 1 : 0);
  const steps = found.filter(({ onlyAdds }) => onlyAdds).map(({ action, where }) => `${action} ${where}`);
  return [
    {
      action: 'record',
      where: `${schema.database}.${MIGRATIONS_TABLE}`,
      what:
        from === SCHEMA_VERSION
          ? `schema version ${from}, changed`
          : `schema version ${from} becomes ${SCHEMA_VERSION}`,
      statement: recordApplied(schema, steps, packageVersion()),
      onlyAdds: true,
      beside: true,
    },
  ];
}

function compareDatabase(schema: ClickHouseSchema, state: ServerState): Finding[] {
  if (state.hasDatabase) return [];
  return [
    {
      action: 'create',
      where: schema.database,
      what: 'there is no such database',
      statement: createDatabase(schema),
      onlyAdds: true,
    },
  ];
}

/** The table of change rows, and the tables that views fill from it. */
function compareSessions(schema: ClickHouseSchema, state: ServerState, window: number): Finding[] {
  const found = state.tables.get(placeOf(schema.sessions, schema.layout));
  const table = [...compareTable(schema, schema.sessions, state), ...compareDistributed(schema, state)];
  if (found === undefined || table.some(({ action, onlyAdds }) => action === 'change' && !onlyAdds))
    return table;
  return [
    ...table,
    ...compareStorage(schema, found),
    ...compareWindow({ table: found, view: null }, state.windowDefaults, window),
    ...[...state.viewTargets.values()].flatMap((target) =>
      compareWindow(target, state.windowDefaults, window),
    ),
  ];
}

/** On a cluster inserts go to a table over all shards. */
function compareDistributed({ database, sessions, layout }: ClickHouseSchema, state: ServerState): Finding[] {
  if (layout.kind !== 'cluster' || state.tables.has(sessions.name)) return [];
  return [
    {
      action: 'create',
      where: `${database}.${sessions.name}`,
      what: 'there is no table over all shards',
      statement: createDistributed(database, sessions, layout),
      onlyAdds: true,
    },
  ];
}

function compareTable(
  { database, layout }: ClickHouseSchema,
  table: SchemaTable,
  state: ServerState,
): Finding[] {
  const name = placeOf(table, layout);
  const found: TableState | undefined = state.tables.get(name);
  if (found === undefined) {
    return [
      {
        action: 'create',
        where: `${database}.${name}`,
        what: 'there is no such table',
        statement: createTable(database, table, layout),
        onlyAdds: true,
      },
    ];
  }
  // of a table that is made in another way, the columns are not worth a word
  const keys = compareKeys(table, found);
  return keys.length > 0 ? keys : compareColumns(table, found, columnDefinition);
}

function compareView({ database, view, layout }: ClickHouseSchema, state: ServerState): Finding[] {
  const where = `${database}.${view.name}`;
  const found = state.tables.get(view.name);
  const statement = createView(database, view, layout);
  if (found === undefined) {
    return [{ action: 'create', where, what: 'there is no such view', statement, onlyAdds: true }];
  }
  if (found.engine === 'View' && found.comment === view.comment) return [];
  if (found.engine === 'View' && found.comment.startsWith('headrace: ')) {
    const what = 'shows the columns of another model, or of this one as it was';
    return [{ action: 'replace view', where, what, statement, onlyAdds: true }];
  }
  // somebody's own: what people read by this name may be more than ours, and not less
  const names = new Set(found.columns.map(({ name }) => name));
  const missing = view.columns.filter(({ name }) => !names.has(name)).map(({ name }) => name);
  if (missing.length === 0) return [];
  return [
    {
      action: 'change',
      where,
      what: `is somebody's own and lacks ${missing.join(', ')}; move it away, then \`headrace clickhouse migrate\` makes ${SESSIONS_VIEW}`,
      statement: `RENAME TABLE ${quoteTable(database, view.name)} TO ${quoteName(database)}.${quoteName(`${view.name}_before`)}`,
      onlyAdds: false,
    },
  ];
}
