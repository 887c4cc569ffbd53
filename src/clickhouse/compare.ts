import { compareColumns, compareKeys } from './compare-table.js';
import { compareWindow } from './compare-window.js';
import {
  type ClickHouseSchema,
  columnDefinition,
  createDatabase,
  createTable,
  createView,
  DEDUPLICATION_WINDOW,
  type SchemaTable,
  SESSIONS_VIEW,
} from './schema.js';
import { quoteName, quoteTable } from './sql.js';
import type { ServerState, TableState } from './state.js';

/**
 * What is there against what there should be → what is missing or wrong, each with the statement that mends it, in the order in
 * which they can be run. Pure. `migrate` runs those that only add; what would rewrite or remove data is left to a person.
 */

export type FindingAction = 'create' | 'add column' | 'replace view' | 'raise' | 'change';

export interface Finding {
  action: FindingAction;
  /** `database`, `database.table` or `database.table.column`. */
  where: string;
  what: string;
  /** SQL. */
  statement: string;
  /** May it be run without a person who has thought about it? */
  onlyAdds: boolean;
}

export function compare(
  schema: ClickHouseSchema,
  state: ServerState,
  window: number = DEDUPLICATION_WINDOW,
): Finding[] {
  return [
    ...compareDatabase(schema, state),
    ...compareSessions(schema, state, window),
    ...schema.followers.flatMap((table) =>
      compareTable(schema.database, table, state.tables.get(table.name)),
    ),
    ...compareView(schema, state),
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
  const found = state.tables.get(schema.sessions.name);
  const table = compareTable(schema.database, schema.sessions, found);
  if (found === undefined || table.some(({ action, onlyAdds }) => action === 'change' && !onlyAdds))
    return table;
  return [
    ...table,
    ...compareWindow({ table: found, view: null }, state.windowDefaults, window),
    ...[...state.viewTargets.values()].flatMap((target) =>
      compareWindow(target, state.windowDefaults, window),
    ),
  ];
}

function compareTable(database: string, table: SchemaTable, found: TableState | undefined): Finding[] {
  if (found === undefined) {
    return [
      {
        action: 'create',
        where: `${database}.${table.name}`,
        what: 'there is no such table',
        statement: createTable(database, table),
        onlyAdds: true,
      },
    ];
  }
  // of a table that is made in another way, the columns are not worth a word
  const keys = compareKeys(table, found);
  return keys.length > 0 ? keys : compareColumns(table, found, columnDefinition);
}

function compareView({ database, view }: ClickHouseSchema, state: ServerState): Finding[] {
  const where = `${database}.${view.name}`;
  const found = state.tables.get(view.name);
  const statement = createView(database, view);
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
