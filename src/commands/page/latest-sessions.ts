import { deltaSchema } from '../../columnar/schema.js';
import type { Add } from '../../lake/delta/actions.js';
import { parseSchema } from '../../lake/delta/schema.js';
import { type CellColumn, columnsOf } from '../../lake/reading/cell.js';
import { textWriter } from '../../lake/reading/cell-text.js';
import { SIGN } from '../../lake/reading/changes.js';
import { readVersions } from '../../lake/reading/table-at.js';
import { readRows, rowAt } from '../../lake/reading/table-rows.js';
import { openStore } from '../../lake/store/open-store.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { loadModel } from '../../model/load.js';
import type { CompiledModel } from '../../model/types.js';
import type { TailAnswer, TailRow } from '../../page/client/tail-answers.js';
import { printable } from '../dlq/printable.js';
import { placeOf } from '../ledger/open-table.js';
import type { PageRequest } from './requests.js';

/** Rows of the table's newest versions, as they came: change rows, with their sign. What is beyond the bounds is counted. */

const VERSIONS_MAX = 10;
const FILE_BYTES_MAX = 16 << 20;
const ROWS_LOOKED_MAX = 20_000;
const ROWS_MAX = 50;
/** The first plain ones, and what a row's fate is told by. */
const COLUMNS_MAX = 10;
const FATE = ['closed_by', 'revision', SIGN];
const CELL_CHARACTERS = 80;

/** Throws HeadraceError LAKE_…. */
export async function latestSessions({
  lake,
  model,
  ...wanted
}: Extract<PageRequest, { kind: 'sessions' }>): Promise<TailAnswer> {
  const store = await openStore(await placeOf(lake));
  return await rowsBehind(store, shownColumns(columnsOfModel(loadModel(model))), wanted);
}

/** Of versions behind `after` up to `upTo`, the newest of them. */
export async function rowsBehind(
  store: ObjectStore,
  columns: readonly CellColumn[],
  { after, upTo, filter }: { after: number; upTo: number; filter: string },
): Promise<TailAnswer> {
  const tail = new Tail(filter, columns);
  const files: { add: Add; version: number }[] = [];
  const first = Math.max(0, after + 1, upTo - VERSIONS_MAX + 1);
  for await (const { version, actions } of readVersions(store, first, upTo)) {
    for (const action of actions) {
      // files that only have rows of before in another order bring nothing
      if ('add' in action && action.add.dataChange) files.push({ add: action.add, version });
    }
  }
  for (const { add, version } of files.reverse()) await tail.take(store, add, version);
  return tail.answer;
}

/** Lists and records are for other tools. */
export function shownColumns(all: readonly CellColumn[]): CellColumn[] {
  const plain = all.filter(({ type }) => !['array', 'map', 'struct', 'binary'].includes(type.kind));
  const first = plain.filter(({ name }) => !FATE.includes(name)).slice(0, COLUMNS_MAX);
  return [...first, ...plain.filter(({ name }) => FATE.includes(name))];
}

function columnsOfModel(model: CompiledModel): CellColumn[] {
  const schema = parseSchema(JSON.stringify(deltaSchema(model)), {});
  return columnsOf({ schema, partitionColumns: [model.partitionColumn] });
}

class Tail {
  readonly answer: TailAnswer;
  readonly #filter: string;
  readonly #columns: readonly CellColumn[];

  constructor(filter: string, columns: readonly CellColumn[]) {
    this.#filter = filter.toLowerCase();
    this.#columns = columns;
    const names = columns.map(({ name }) => name);
    this.answer = { columns: ['version', ...names], rows: [], looked: 0, passed: 0, trouble: null };
  }

  async take(store: ObjectStore, file: Add, version: number): Promise<void> {
    const { answer } = this;
    if (file.size > FILE_BYTES_MAX) {
      answer.trouble = `a file of version ${version} is too large to be looked at here`;
      return;
    }
    const writers = this.#columns.map(({ type }) => textWriter(type));
    for await (const { rows, cells } of readRows(store, { files: [file], columns: this.#columns })) {
      for (const place of [...rows].reverse()) {
        if (answer.looked >= ROWS_LOOKED_MAX || answer.rows.length >= ROWS_MAX) {
          answer.passed++;
          continue;
        }
        answer.looked++;
        const row = rowAt(cells, place).map((cell, at) =>
          cell === null ? null : printable(writers[at]!(cell), CELL_CHARACTERS),
        );
        if (this.#matches(row)) answer.rows.push([String(version), ...row]);
      }
    }
  }

  #matches(row: TailRow): boolean {
    return this.#filter === '' || row.some((text) => text?.toLowerCase().includes(this.#filter) === true);
  }
}
