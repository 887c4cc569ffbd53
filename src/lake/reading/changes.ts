import type { MetaDataAction } from '../delta/actions.js';
import { TABLE_FORMAT_KEY } from '../delta/table-format.js';
import type { CellColumn } from './cell.js';

/**
 * Tables of changes, ours: a row has a sign, and a row with −1 takes back the one that it repeats. Both are in the same
 * partition, since that follows from session_start. The columns go by their names: each of our tables has them.
 */
export const SIGN = 'sign';

/** By these ClickHouse collapses rows, and so do we: a session's row by its revision. */
export const IDENTITY = ['session_id', 'session_start', 'revision'] as const;

/** What a row says of the cut and file that it came with: a row that takes another back has its own. */
export const OF_THE_CUT: ReadonlySet<string> = new Set(['created_at', 'batch_id', 'file_id']);

/** Others' tables may have a column of that name too. */
export function isOfChanges({ configuration }: Pick<MetaDataAction, 'configuration'>): boolean {
  return configuration[TABLE_FORMAT_KEY] !== undefined;
}

/** What a row says of its session: all but its sign and what is of its cut. */
export function contentColumns(columns: readonly CellColumn[]): CellColumn[] {
  return columns.filter(({ name }) => name !== SIGN && !OF_THE_CUT.has(name));
}
