import { type Layout, onCluster, storedName } from './layout.js';
import { quoteName, quoteTable } from './sql.js';

/**
 * A table is held by a constraint that no row satisfies: ClickHouse checks it before a row is written anywhere, to the table or
 * behind its views, so an insert that meets it has certainly done nothing, and comes again.
 */

export const HOLD = 'headrace_held';
/** The same beside it while partitions are replaced: until that is over the table is neither what it was nor what it will be. */
export const REBUILDING = 'headrace_rebuilding';

interface HeldTable {
  database: string;
  table: string;
  layout: Layout;
}

export function holdStatement(held: HeldTable, name = HOLD): string {
  return `${alter(held)} ADD CONSTRAINT IF NOT EXISTS ${quoteName(name)} CHECK 0`;
}

export function releaseStatement(held: HeldTable, name = HOLD): string {
  return `${alter(held)} DROP CONSTRAINT IF EXISTS ${quoteName(name)}`;
}

/** By what SHOW CREATE TABLE says of it. */
export function isHeld(createQuery: string): boolean {
  return hasConstraint(createQuery, HOLD) || isRebuilding(createQuery);
}

export function isRebuilding(createQuery: string): boolean {
  return hasConstraint(createQuery, REBUILDING);
}

function hasConstraint(createQuery: string, name: string): boolean {
  return new RegExp(`CONSTRAINT \`?${name}\`? CHECK`).test(createQuery);
}

function alter({ database, table, layout }: HeldTable): string {
  return `ALTER TABLE ${quoteTable(database, storedName(layout, table))}${onCluster(layout)}`;
}
