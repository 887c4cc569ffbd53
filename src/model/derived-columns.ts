import { suggest } from '../config/suggest.js';
import type { CompiledColumn } from './columns.js';
import type { Complain } from './fields.js';
import { parseFormula } from './formula.js';
import type { ColumnFileOf } from './schema.js';
import type { Column, ColumnOp, Formula } from './types.js';

/**
 * Columns made of other columns of the row, which stand above them: so a row is made in one pass, and none can be made of
 * itself.
 */

export type DerivedFile = ColumnFileOf<'concat' | 'calculate' | 'overflow'>;

/** The names of all columns of the file, and those that were compiled before this one. */
export interface ColumnsSoFar {
  names: readonly string[];
  columns: readonly Column[];
}

export function compileDerived(
  file: DerivedFile,
  path: string,
  soFar: ColumnsSoFar,
  complain: Complain,
): CompiledColumn | null {
  switch (file.op) {
    case 'concat':
      return compileConcat(file, path, soFar, complain);
    case 'calculate':
      return compileCalculate(file, path, soFar, complain);
    case 'overflow': {
      const of = findColumn(file.of, soFar, (op) => COLLECTIONS.has(op), 'a list, a set or records');
      if (typeof of === 'string') {
        complain(`${path}.of`, of);
        return null;
      }
      return {
        type: file.type,
        nullable: false,
        lowCardinality: false,
        op: { op: 'overflow', of: of.index },
      };
    }
  }
}

const COLLECTIONS: ReadonlySet<ColumnOp['op']> = new Set(['list', 'set', 'records']);
/** They are filled in or changed when the row is there: what is made of them would be wrong. */
const LATER: ReadonlySet<ColumnOp['op']> = new Set(['created_at', 'batch_id', 'file_id', 'revision', 'sign']);

function compileConcat(
  file: ColumnFileOf<'concat'>,
  path: string,
  soFar: ColumnsSoFar,
  complain: Complain,
): CompiledColumn | null {
  const joined = (op: ColumnOp['op'], type: Column['type']) =>
    !COLLECTIONS.has(op) && !LATER.has(op) && type !== 'float' && type !== 'time' && type !== 'list<string>';
  const found = file.of.map((name) => findColumn(name, soFar, joined, 'a text, a whole number or a truth'));
  for (const [index, each] of found.entries()) {
    if (typeof each === 'string') complain(`${path}.of.${index}`, each);
  }
  const columns = found.filter((each) => typeof each !== 'string');
  if (columns.length < found.length) return null;
  const of = columns.map(({ index }) => index);
  const op: ColumnOp = { op: 'concat', of, separator: file.separator.toWellFormed() };
  return { type: 'string', nullable: false, lowCardinality: file.low_cardinality, op };
}

function compileCalculate(
  file: ColumnFileOf<'calculate'>,
  path: string,
  soFar: ColumnsSoFar,
  complain: Complain,
): CompiledColumn | null {
  const counted = (op: ColumnOp['op'], type: Column['type']) =>
    !LATER.has(op) && type !== 'string' && type !== 'list<string>';
  const parsed = parseFormula(file.formula, (name) => {
    const column = findColumn(name, soFar, counted, 'a number, a time or a truth');
    return typeof column === 'string' ? column : column.index;
  });
  if (!parsed.ok) {
    complain(`${path}.formula`, parsed.message);
    return null;
  }
  const { formula, isTruth } = parsed;
  const type = file.type ?? (isTruth ? 'bool' : 'float');
  const nullable = !Number.isFinite(greatest(formula, soFar.columns));
  return { type, nullable, lowCardinality: false, op: { op: 'calculate', formula } };
}

/** What the value is at most, above or below 0; infinite where it could be null, or no number on the way to it. */
function greatest(formula: Formula, columns: readonly Column[]): number {
  if ('number' in formula) return formula.number;
  if ('column' in formula) {
    const { nullable, type } = columns[formula.column]!;
    return nullable || type === 'float' ? Number.POSITIVE_INFINITY : 2 ** 64;
  }
  const parts = formula.of.map((each) => greatest(each, columns));
  switch (formula.call) {
    case 'divide':
      return Number.POSITIVE_INFINITY;
    case 'multiply':
      return parts.includes(Number.POSITIVE_INFINITY) ? Number.POSITIVE_INFINITY : parts[0]! * parts[1]!;
    default:
      return parts.reduce((sum, part) => sum + part, 1);
  }
}

/** The column, or what is wrong with the name. */
function findColumn(
  name: string,
  { names, columns }: ColumnsSoFar,
  fits: (op: ColumnOp['op'], type: Column['type']) => boolean,
  wanted: string,
): Column | string {
  const column = columns.find((each) => each.name === name);
  if (column === undefined) {
    if (names.includes(name)) return `takes ${name}, which must stand above it and be right itself`;
    const near = suggest(name, names);
    return `takes ${name}, which is no column${near === undefined ? '' : `; did you mean ${near}?`}`;
  }
  return fits(column.op.op, column.type) ? column : `takes ${name}, which is not ${wanted} of the session`;
}
