import { HeadraceError } from '../../errors.js';
import { parseVersion } from '../../lake/reading/as-of.js';
import { type CellColumn, columnsOf } from '../../lake/reading/cell.js';
import { rowDifference } from '../../lake/reading/row-difference.js';
import { sessionDifferences } from '../../lake/reading/session-difference.js';
import { parseWhere } from '../../lake/reading/where.js';
import { diffJson, diffText } from './diff-text.js';
import { type LakeName, openLake, tableAt } from './open-lake.js';

export interface LakeDiffOptions {
  lake: LakeName;
  from: string;
  to: string;
  where: readonly string[];
  /** How many sessions are shown; null: all. */
  limit: number | null;
  /** Exit code 1 when they differ. */
  check: boolean;
  json: boolean;
  stdout(text: string): void;
}

const SHOWN = 20;

/**
 * `headrace lake diff`: how the sessions of two versions differ. Resolves to 0; with `check` to 1 when they do. Throws HeadraceError
 * USAGE (also when more differ than can be held), LAKE_FILE_BROKEN and what opening throws.
 */
export async function lakeDiff(options: LakeDiffOptions): Promise<number> {
  const lake = await openLake(options.lake);
  const [before, after] = [
    await tableAt(lake, { version: parseVersion('the first version', options.from) }),
    await tableAt(lake, { version: parseVersion('the second version', options.to) }),
  ];
  const columns = columnsOfBoth(columnsOf(before.metaData), columnsOf(after.metaData));
  const where = options.where.map((text) => parseWhere(text, columns));
  const rows = await rowDifference(lake.store, [before, after], columns, where);
  if (rows === null) throw tooMany(lake.table);
  const found = sessionDifferences(rows);
  const report = {
    table: lake.table,
    from: before.version,
    to: after.version,
    columns: rows.columns,
    filesRead: rows.filesRead,
    found,
    limit: options.limit ?? (options.json ? found.length : SHOWN),
  };
  options.stdout(options.json ? `${diffJson(report)}\n` : diffText(report));
  return options.check && found.length > 0 ? 1 : 0;
}

/** Those of the later version, then what only the earlier one has. */
function columnsOfBoth(before: readonly CellColumn[], after: readonly CellColumn[]): CellColumn[] {
  const names = new Set(after.map(({ name }) => name));
  return [...after, ...before.filter(({ name }) => !names.has(name))];
}

function tooMany(table: string): HeadraceError {
  return new HeadraceError('USAGE', 'more than a million rows differ', {
    where: { table },
    remedy: 'compare a part: --where session_date=2026-01-31, or versions that lie closer together',
  });
}
