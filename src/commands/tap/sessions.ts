import { systemClock } from '../../clock.js';
import { HeadraceError, messageOf } from '../../errors.js';
import { entryOf } from '../../followers/topics/sources.js';
import type { Action, Add } from '../../lake/delta/actions.js';
import { parseSchema } from '../../lake/delta/schema.js';
import { type Cell, type CellColumn, columnsOf } from '../../lake/reading/cell.js';
import { jsonWriter, textWriter } from '../../lake/reading/cell-text.js';
import { readRows, rowAt } from '../../lake/reading/table-rows.js';
import { type Condition, columnNamed, parseWhere } from '../../lake/reading/where.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { systemRandom } from '../../random.js';
import { coloursFor } from '../../telemetry/progress.js';
import { watchSignals } from '../demo-signals.js';
import { printable } from '../dlq/printable.js';
import { type LakeName, openLake, tableAt } from '../lake/open-lake.js';
import { newVersions } from './new-versions.js';
import { type TapOptions, TapOutput } from './tap-options.js';

export interface TapSessionsOptions extends TapOptions {
  /** The table, or what holds it. */
  lake: LakeName;
  /** Names with commas; null: all. */
  columns: string | null;
}

/** Which rows, and what of them. */
interface Wanted {
  columns: readonly CellColumn[];
  where: readonly Condition[];
}

/**
 * `headrace tap sessions`: rows as engines commit them, with their sign; what maintenance writes again is no new row. The model has
 * masked them before they were rows. Resolves as tapEvents does. Throws HeadraceError USAGE and what opening the table throws.
 */
export async function tapSessions(options: TapSessionsOptions): Promise<number> {
  const { from } = options;
  const lake = await openLake(options.lake);
  const { metaData } = await tableAt(lake, 'newest');
  let wanted = wantedOf(columnsOf({ ...metaData }), options);
  const output = new TapOutput(options, systemClock, systemRandom);
  const interrupt = watchSignals();
  try {
    output.begin(`sessions of ${lake.table}, version ${lake.log.newest}`);
    const onGone = (first: number, last: number) => output.gone(first, last);
    const how = { from, signal: interrupt.signal, clock: systemClock, onGone };
    for await (const { version, actions } of newVersions(lake, how)) {
      const columns = changedColumns(version, actions);
      // an older table may lack what the newest has: then it is null
      if (columns !== null && version > lake.log.newest) wanted = wantedOf(columns, options);
      if (!(await showRows(lake.store, { version, files: committedFiles(actions) }, wanted, options, output)))
        break;
    }
    output.end();
    return 0;
  } finally {
    interrupt.end();
  }
}

function wantedOf(all: readonly CellColumn[], { columns, filters }: TapSessionsOptions): Wanted {
  return {
    columns:
      columns === null ? all : columns.split(',').map((name) => columnNamed('--columns', name.trim(), all)),
    where: filters.map((text) => parseWhere(text, all, '--filter')),
  };
}

function changedColumns(version: number, actions: readonly Action[]): CellColumn[] | null {
  for (const action of actions) {
    if (!('metaData' in action)) continue;
    const { schemaString, partitionColumns } = action.metaData;
    return columnsOf({ schema: parseSchema(schemaString, { version }), partitionColumns });
  }
  return null;
}

/** Files that a version brought of cuts, in the order in which their rows were let out. */
function committedFiles(actions: readonly Action[]): Add[] {
  if ((entryOf(actions)?.cuts ?? []).length === 0) return [];
  return actions.flatMap((action) => ('add' in action && action.add.dataChange ? [action.add] : []));
}

/** False: it is enough. */
async function showRows(
  store: ObjectStore,
  { version, files }: { version: number; files: readonly Add[] },
  { columns, where }: Wanted,
  { json }: TapSessionsOptions,
  output: TapOutput,
): Promise<boolean> {
  const line = json ? jsonLine(columns) : textLine(columns);
  for (const file of files) {
    try {
      for await (const { cells, rows } of readRows(store, { files: [file], columns, where })) {
        for (const row of rows) {
          if (!output.isChosen()) continue;
          if (!(await output.show(() => line(version, rowAt(cells, row))))) return false;
        }
      }
    } catch (error) {
      // rewritten by maintenance and vacuumed since, when one begins with old versions
      if (!(error instanceof HeadraceError) || error.code !== 'LAKE_FILE_BROKEN') throw error;
      output.trouble(messageOf(error));
    }
  }
  return true;
}

type RowLine = (version: number, row: readonly Cell[]) => string;

function jsonLine(columns: readonly CellColumn[]): RowLine {
  const members = columns.map(({ name, type }) => {
    const [prefix, write] = [`${JSON.stringify(name)}:`, jsonWriter(type)];
    return (cell: Cell) => prefix + write(cell);
  });
  return (version, row) =>
    `{"version":${version},"session":{${row.map((cell, at) => members[at]!(cell)).join(',')}}}`;
}

const CELL_CHARACTERS_MAX = 60;

/** What is null is left out. */
function textLine(columns: readonly CellColumn[]): RowLine {
  const colours = coloursFor(process.stdout);
  const texts = columns.map(({ type }) => textWriter(type));
  return (version, row) => {
    const members = row.flatMap((cell, at) => {
      if (cell === null) return [];
      const text = printable(texts[at]!(cell), CELL_CHARACTERS_MAX);
      return [`${colours.dim(`${printable(columns[at]!.name)}=`)}${text}`];
    });
    return `${colours.dim(`v${version}`)}  ${members.join('  ')}`;
  };
}
