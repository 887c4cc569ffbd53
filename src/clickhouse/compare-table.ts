import type { Finding } from './compare.js';
import type { SchemaColumn, SchemaTable } from './schema.js';
import { quoteName, quoteTable } from './sql.js';
import type { ColumnState, TableState } from './state.js';
import { splitKey } from './state.js';
import { holdsAll } from './types.js';

/** A table that is there against one that there should be. */

/** The same engine where tables are replicated, or on shared storage. */
const REPLICATED = /^(Replicated|Shared)/;
/** What is different in the two rows that cancel each other. */
const OF_A_CUT = ['created_at', 'batch_id', 'file_id'];

/** Engine, sorting key, partition key: what can't be changed in place, so the way out is another table. */
export function compareKeys(table: SchemaTable, found: TableState): Finding[] {
  const what = engineProblem(table, found) ?? sortingProblem(table, found) ?? partitionProblem(table, found);
  if (what === undefined) return [];
  const away = quoteTable(found.database, `${found.name}_before`);
  return [
    {
      action: 'change',
      where: `${found.database}.${found.name}`,
      what: `${what}; move it away, then \`headrace clickhouse migrate\` makes the right one`,
      statement: `RENAME TABLE ${quoteTable(found.database, found.name)} TO ${away}`,
      onlyAdds: false,
    },
  ];
}

function engineProblem(table: SchemaTable, found: TableState): string | undefined {
  const wanted = `${table.engine}(${table.engineColumns.join(', ')})`;
  const engine = found.engine.replace(REPLICATED, '');
  const given = /^\w+\((.*?)\)(?= [A-Z]|$)/.exec(found.engineFull)?.[1] ?? '';
  // replicated ones have a path and a replica's name before the columns
  const columns = splitKey(given).slice(-table.engineColumns.length);
  if (engine === table.engine && columns.join() === table.engineColumns.join()) return undefined;
  const is = engine === table.engine ? `${engine}(${columns.join(', ')})` : found.engine;
  return `is ${is} and must be ${wanted}`;
}

function sortingProblem(table: SchemaTable, found: TableState): string | undefined {
  const key = found.sortingKey;
  if (!table.deduplicates) {
    const same = key.filter((part) => !table.engineColumns.includes(part)).join() === table.orderBy.join();
    return same
      ? undefined
      : `is ordered by ${key.join(', ')} and must be ordered by ${table.orderBy.join(', ')}`;
  }
  const missing = ['session_id', 'session_start'].filter((column) => !key.includes(column));
  if (missing.length > 0) {
    return `is ordered by ${key.join(', ')}, without ${missing.join(' and ')}: rows of different sessions would cancel each other`;
  }
  const never = OF_A_CUT.filter((column) => key.includes(column));
  if (never.length === 0) return undefined;
  return `is ordered by ${never.join(' and ')} too, which the two rows of a change do not share: they would never cancel each other`;
}

/** A file has rows of one session_date; whatever splits them makes several parts of one insert, which are not stored as one. */
function partitionProblem(table: SchemaTable, found: TableState): string | undefined {
  if (!table.deduplicates || found.partitionKey === '' || found.partitionKey === table.partitionBy)
    return undefined;
  const columns = found.partitionKey.replace(/'[^']*'/g, '').match(/[A-Za-z_]\w*(?!\w*\s*\()/g) ?? [];
  if (columns.every((column) => column === 'session_date')) return undefined;
  return `is partitioned by ${found.partitionKey}: only functions of session_date keep a file in one part`;
}

export function compareColumns(
  table: SchemaTable,
  found: TableState,
  define: (column: SchemaColumn) => string,
): Finding[] {
  const columns = new Map(found.columns.map((column) => [column.name, column]));
  return table.columns.flatMap((column, index): Finding[] => {
    const where = `${found.database}.${found.name}.${column.name}`;
    const alter = `ALTER TABLE ${quoteTable(found.database, found.name)}`;
    const has = columns.get(column.name);
    if (has === undefined) {
      const before = table.columns[index - 1];
      const place = before === undefined ? 'FIRST' : `AFTER ${quoteName(before.name)}`;
      const statement = `${alter} ADD COLUMN IF NOT EXISTS ${define(column)} ${place}`;
      return [{ action: 'add column', where, what: 'there is no such column', statement, onlyAdds: true }];
    }
    const what = columnProblem(column, has);
    if (what === undefined) return [];
    // a definition without MATERIALIZED leaves it as it is
    const asItShould = isComputed(column, has)
      ? `${quoteName(column.name)} REMOVE ${has.kind}`
      : define(column);
    const statement = `${alter} MODIFY COLUMN ${asItShould}`;
    return [{ action: 'change', where, what, statement, onlyAdds: false }];
  });
}

/** Columns beyond ours need no look: every type has a default, and a file that lacks a column gets it. */
function columnProblem(wanted: SchemaColumn, found: ColumnState): string | undefined {
  if (isComputed(wanted, found)) return `is ${found.kind}, and files bring it`;
  if (!holdsAll(found.type, wanted.type)) return `is ${found.type} and must hold ${wanted.type}`;
  if (wanted.materialized !== null && found.kind === '') return 'must be MATERIALIZED: files do not bring it';
  return undefined;
}

/** Does ClickHouse compute what it must be given? */
function isComputed(wanted: SchemaColumn, { kind }: ColumnState): boolean {
  return wanted.materialized === null && kind !== '' && kind !== 'DEFAULT';
}
