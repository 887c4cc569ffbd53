import type { Column, ColumnOp, ColumnType, CompiledModel, Formula } from '../model/types.js';
import type { SqlWords } from './types.js';

/**
 * The last step of every job: what a session was reduced to (`raw.name`: times in ms, truths 1 and 0, numbers unbounded) → the
 * columns in their types, and those that are made of other columns.
 */
export interface RowDialect extends SqlWords {
  double(sql: string): string;
  /** Of what is true or false: 1 or 0. */
  truth(condition: string): string;
  /** A number or a text as text. */
  textOf(sql: string): string;
  /** Those that are not null, with the separator between them. */
  joinTexts(parts: readonly string[], separator: string): string;
  time(ms: string): string;
  /** As the column's type, which holds it. */
  cast(sql: string, column: Column): string;
}

export function rawName(column: Column): string {
  return `raw.${column.name}`;
}

/** Is a column made of other columns, and not of events? */
export function isDerived({ op }: Column): boolean {
  return op.op === 'calculate' || op.op === 'concat';
}

export function rowColumn(dialect: RowDialect, model: CompiledModel, column: Column): string {
  return dialect.cast(shown(dialect, column, rawSql(dialect, model, column)), column);
}

function rawSql(dialect: RowDialect, model: CompiledModel, column: Column): string {
  const { op } = column;
  if (op.op === 'calculate') return formulaSql(dialect, model, op.formula);
  if (op.op !== 'concat') return dialect.name(rawName(column));
  const parts = op.of.map((index) => textSql(dialect, model, model.columns[index]!));
  return dialect.joinTexts(parts, op.separator);
}

/** Whole numbers from 0 on, never null. */
const COUNTING: ReadonlySet<ColumnOp['op']> = new Set([
  ...(['duration_sec', 'count', 'count_if', 'count_distinct', 'count_values', 'overflow'] as const),
  ...(['partition', 'first_offset', 'last_offset'] as const),
]);
const ENGINES: ReadonlySet<ColumnOp['op']> = new Set(['batch_id', 'file_id', 'revision', 'sign']);

/** In the column's type; what does not fit is clamped. */
function shown(dialect: RowDialect, { type, op: { op } }: Column, raw: string): string {
  if (ENGINES.has(op)) return raw;
  if (COUNTING.has(op) && type in RANGES) {
    return type.endsWith('64') ? raw : `LEAST(${raw}, ${RANGES[type as keyof typeof RANGES][1]})`;
  }
  switch (type) {
    case 'time':
      return dialect.time(raw);
    case 'bool':
      return `${raw} <> 0`;
    case 'float':
      return dialect.double(raw);
    case 'string':
    case 'list<string>':
      return raw;
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
      return clamped(dialect, type, raw);
    default:
      return type satisfies never;
  }
}

/** 64 bits: the last doubles before their ends. */
const RANGES = {
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  int32: [-2_147_483_648, 2_147_483_647],
  int64: ['-9223372036854775808', '9223372036854774784'],
  uint8: [0, 255],
  uint16: [0, 65_535],
  uint32: [0, 4_294_967_295],
  uint64: [0, '9223372036854774784'],
} as const;

/** To the nearest whole number. CASE, since least and greatest of engines differ about null. */
function clamped(dialect: RowDialect, type: keyof typeof RANGES, raw: string): string {
  const [least, most] = RANGES[type];
  const [low, high] = [dialect.double(`${least}`), dialect.double(`${most}`)];
  const value = dialect.double(raw);
  return `CASE WHEN ${value} < ${low} THEN ${low} WHEN ${value} > ${high} THEN ${high} ELSE FLOOR(${value} + 0.5) END`;
}

/** A column's value as formulas have it. */
function numberSql(dialect: RowDialect, model: CompiledModel, column: Column): string {
  const raw = rawSql(dialect, model, column);
  if (column.type === 'time') return dialect.double(raw);
  if (column.type === 'bool') return dialect.truth(`${raw} <> 0`);
  return dialect.double(shown(dialect, column, raw));
}

const TEXTS: readonly ColumnType[] = ['string', 'time'];

function textSql(dialect: RowDialect, model: CompiledModel, column: Column): string {
  const raw = rawSql(dialect, model, column);
  if (TEXTS.includes(column.type)) return dialect.textOf(raw);
  return dialect.textOf(dialect.cast(shown(dialect, column, raw), column));
}

/** Null wherever something in it is null: by arithmetic, since AND, LEAST and their like have rules of their own. */
function formulaSql(dialect: RowDialect, model: CompiledModel, formula: Formula): string {
  if ('number' in formula) return dialect.double(`${formula.number}`);
  if ('column' in formula) return numberSql(dialect, model, model.columns[formula.column]!);
  const values = formula.of.map((each) => formulaSql(dialect, model, each));
  const [a, b] = values as [string, string];
  const isTrue = (value: string) => dialect.truth(`${value} <> 0`);
  const nullIfAny = values.map((value) => `0 * ${value}`).join(' + ');
  switch (formula.call) {
    case 'add':
      return `(${a} + ${b})`;
    case 'subtract':
      return `(${a} - ${b})`;
    case 'multiply':
      return `(${a} * ${b})`;
    case 'divide':
      return `(${a} / NULLIF(${b}, ${dialect.double('0')}))`;
    case 'negate':
      return `(0 - ${a})`;
    case 'equal':
      return dialect.truth(`${a} = ${b}`);
    case 'unequal':
      return dialect.truth(`${a} <> ${b}`);
    case 'below':
      return dialect.truth(`${a} < ${b}`);
    case 'at_most':
      return dialect.truth(`${a} <= ${b}`);
    case 'and':
      return `(${isTrue(a)} * ${isTrue(b)})`;
    case 'or':
      return dialect.double(`SIGN(${isTrue(a)} + ${isTrue(b)})`);
    case 'not':
      return dialect.truth(`${a} = 0`);
    case 'floor':
      return `FLOOR(${a})`;
    case 'round':
      return `FLOOR(${a} + 0.5)`;
    case 'min':
      return `(LEAST(${values.join(', ')}) + ${nullIfAny})`;
    case 'max':
      return `(GREATEST(${values.join(', ')}) + ${nullIfAny})`;
    case 'abs':
      return `ABS(${a})`;
    default:
      return formula.call satisfies never;
  }
}
