import { suggest } from '../../config/suggest.js';
import { HeadraceError } from '../../errors.js';
import type { Add } from '../delta/actions.js';
import type { Cell, CellColumn } from './cell.js';
import { parseCell, partitionCell } from './partition-value.js';
import { boundsOf } from './stats-bounds.js';

/**
 * Which rows are wanted: `column=value`, also with !=, <, <=, >, >=, or `column is null`, `column is not null`. As in SQL no
 * comparison holds for null. Files are passed over when their partition, or their statistics, say that no row can match.
 */
export interface Condition {
  column: CellColumn;
  /** A row's value. */
  holds(cell: Cell): boolean;
  /** False: no row of the file matches. */
  mayHold(file: Add): boolean;
}

const FORM = /^\s*("[^"]+"|[^\s=!<>]+)\s*(?:(<=|>=|!=|<>|=|<|>)(.*)|\s+is\s+(not\s+)?null\s*)$/is;

/** Throws HeadraceError USAGE for what is no condition on one of the columns. `flag`: with which it was typed. */
export function parseWhere(text: string, columns: readonly CellColumn[], flag = '--where'): Condition {
  const match = FORM.exec(text);
  if (match === null) {
    throw new HeadraceError(
      'USAGE',
      `${flag} must be like session_date=2026-01-31, not ${JSON.stringify(text)}`,
      {
        remedy: 'headrace lake read --help shows how',
      },
    );
  }
  const [, name = '', comparison, value = '', not] = match;
  const column = columnNamed(flag, name.replace(/^"(.*)"$/, '$1'), columns);
  if (comparison === undefined) return nullness(column, not === undefined);
  const typed = value.trim().replace(/^(['"])(.*)\1$/s, '$2');
  const wanted = parseCell(column.type, typed);
  if (wanted === undefined || wanted instanceof Uint8Array) {
    throw new HeadraceError(
      'USAGE',
      `${flag}: ${JSON.stringify(typed)} is no ${column.type.kind}, as ${column.name} is`,
    );
  }
  return comparisonOf(column, comparison, wanted);
}

/** Throws HeadraceError USAGE. */
export function columnNamed(flag: string, name: string, columns: readonly CellColumn[]): CellColumn {
  const column = columns.find((each) => each.name === name);
  if (column !== undefined) return column;
  const names = columns.map((each) => each.name);
  const near = suggest(name, names);
  throw new HeadraceError('USAGE', `${flag}: the table has no column ${JSON.stringify(name)}`, {
    remedy: near === undefined ? `it has ${names.join(', ')}` : `did you mean ${near}?`,
  });
}

function nullness(column: CellColumn, isNull: boolean): Condition {
  const holds = (cell: Cell) => (cell === null) === isNull;
  return {
    column,
    holds,
    mayHold: (file) => {
      if (column.isPartition) return holds(partitionCell(column.type, file.partitionValues[column.name]));
      const { nulls, rows } = boundsOf(file, column);
      if (isNull) return nulls !== 0;
      return nulls === null || nulls !== rows;
    },
  };
}

type Comparable = string | number | bigint | boolean;

function comparisonOf(column: CellColumn, comparison: string, value: Exclude<Cell, null>): Condition {
  const wanted = value as Comparable;
  const order = (cell: Cell) => compareCells(column, cell as Comparable, wanted);
  const test = TESTS[comparison]!;
  const holds = (cell: Cell) => cell !== null && test(order(cell));
  return {
    column,
    holds,
    mayHold: (file) => {
      if (column.isPartition) return holds(partitionCell(column.type, file.partitionValues[column.name]));
      const { min, max } = boundsOf(file, column);
      const [low, high] = [min === null ? -1 : order(min), max === null ? 1 : order(max)];
      switch (comparison) {
        case '=':
          return low <= 0 && high >= 0;
        case '<':
          return low < 0;
        case '<=':
          return low <= 0;
        case '>':
          return high > 0;
        case '>=':
          return high >= 0;
        default:
          return true;
      }
    },
  };
}

/** By the sign of how a value compares with the wanted one; of NaN, which compares with nothing, it is NaN. */
const TESTS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Texts by their UTF-8 bytes, as Delta's statistics have them. */
export function compareCells({ type }: Pick<CellColumn, 'type'>, a: Comparable, b: Comparable): number {
  if (type.kind === 'decimal') return compareDecimals(a as string, b as string);
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b ? 0 : Number.NaN;
}

/** Both with the same number of digits behind the point. */
function compareDecimals(a: string, b: string): number {
  const [left, right] = [BigInt(a.replace('.', '')), BigInt(b.replace('.', ''))];
  return left < right ? -1 : left > right ? 1 : 0;
}
