import type { Finding } from './compare.js';
import { DEDUPLICATION_WINDOW, WINDOW_SECONDS } from './layout.js';
import { quoteTable } from './sql.js';
import type { TableState } from './state.js';

/**
 * Does a table recognise an insert that comes again? The table of change rows must, and so must every table that a view fills from
 * it: set on the source alone, a repeat is left out there and doubles the rows behind the view.
 */

export interface Deduplicating {
  table: TableState;
  /** The view that fills it; null: files do. */
  view: string | null;
}

export function compareWindow(
  { table, view }: Deduplicating,
  defaults: ReadonlyMap<string, number>,
  window: number,
): Finding[] {
  const where = `${table.database}.${table.name}`;
  const filled = view === null ? '' : ` (the view ${view} fills it)`;
  // keeps nothing, so there is nothing to double
  if (table.engine === 'Null') return [];
  if (!table.engine.endsWith('MergeTree')) {
    const what = `is of the engine ${table.engine}, which can't recognise an insert that comes again${filled}: let the view fill a MergeTree table`;
    return [{ action: 'change', where, what, statement: `DROP VIEW ${quoteView(view)}`, onlyAdds: false }];
  }
  const replicated = /^(Replicated|Shared)/.test(table.engine);
  const wanted: [string, number][] = replicated
    ? [
        ['replicated_deduplication_window', window],
        ['replicated_deduplication_window_seconds', WINDOW_SECONDS],
      ]
    : [['non_replicated_deduplication_window', window]];
  return wanted.flatMap(([setting, least]): Finding[] => {
    const value = settingOf(table, setting) ?? defaults.get(setting) ?? 0;
    if (value >= least) return [];
    return [
      {
        action: 'raise',
        where,
        what: `${setting} is ${value} and must be ${least} or more, or an insert that comes again doubles its rows${filled}`,
        statement: `ALTER TABLE ${quoteTable(table.database, table.name)} MODIFY SETTING ${setting} = ${least}`,
        // more than what migrate gives every table is somebody's decision about memory
        onlyAdds: least === WINDOW_SECONDS || least <= DEDUPLICATION_WINDOW,
      },
    ];
  });
}

/** What the table's own definition says; undefined: nothing. */
function settingOf(table: TableState, setting: string): number | undefined {
  const settings = / SETTINGS (.*)$/s.exec(table.engineFull)?.[1] ?? '';
  const value = new RegExp(`(?:^|, )${setting} = '?(\\d+)`).exec(settings)?.[1];
  return value === undefined ? undefined : Number(value);
}

function quoteView(view: string | null): string {
  const [database = '', ...name] = (view ?? '').split('.');
  return quoteTable(database, name.join('.'));
}
