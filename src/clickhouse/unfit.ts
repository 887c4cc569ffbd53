import { HeadraceError } from '../errors.js';
import type { Finding } from './compare.js';
import type { ClickHouseTarget } from './target.js';

/** One thing that keeps an engine from inserting into ClickHouse. */
export interface UnfitProblem {
  /** `database.table`, `database.table.column`, a user, a setting. */
  where: string;
  what: string;
  /** The statement that mends it, or a command or sentence where no statement does. */
  mend: string;
  /** Does `headrace clickhouse migrate` do it? */
  byMigrate: boolean;
}

/** A table's statement fills a screen: the command that runs it says as much. */
export function problemOf({ where, what, statement, onlyAdds }: Finding): UnfitProblem {
  const mend = statement.includes('\n') ? '`headrace clickhouse migrate` makes it' : statement;
  return { where, what, mend, byMigrate: onlyAdds };
}

/** CLICKHOUSE_UNFIT with all problems, one line each. */
export function unfitError(problems: readonly UnfitProblem[], target: ClickHouseTarget): HeadraceError {
  const lines = problems.map(({ where, what, mend }) => `${where}: ${what} — ${mend}`);
  const all = problems.every(({ byMigrate }) => byMigrate);
  const some = problems.some(({ byMigrate }) => byMigrate);
  const remedy = some
    ? `\`headrace clickhouse migrate\` does ${all ? 'this' : 'what only adds; the rest is for a person'}`
    : undefined;
  if (lines.length === 1) {
    const options = remedy === undefined || lines[0]!.includes('clickhouse migrate') ? {} : { remedy };
    return new HeadraceError('CLICKHOUSE_UNFIT', lines[0]!, { where: { url: target.url }, ...options });
  }
  const head = `${lines.length} problems in ClickHouse at ${target.url}`;
  const tail = remedy === undefined ? [] : [remedy];
  return new HeadraceError('CLICKHOUSE_UNFIT', [head, ...lines, ...tail].join('\n  '));
}
