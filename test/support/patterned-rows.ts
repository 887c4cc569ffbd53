import type { Column, ColumnType, Row, RowValue } from '#src/model/types.js';
import { type Random, seededRandom } from '#src/random.js';
import { modelOf } from './columnar-model.js';

/**
 * Rows of which each column has a pattern of its own: one value, few values, ever new ones, the ends of its type, rising ones;
 * with no, few, many or nothing but nulls. What a writer of Parquet has a different way for.
 */

const TYPES: ColumnType[] = [
  ...(['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'] as const),
  ...(['float', 'bool', 'time', 'string', 'list<string>'] as const),
];

/** Each type with and without nulls; `id` is the row's number. */
export const patterned = modelOf('patterned', [
  ['id', 'uint32'],
  ...TYPES.flatMap((type): [string, ColumnType, boolean][] => {
    const name = type.replace(/\W/g, '_');
    return [
      [`${name}_full`, type, false],
      [`${name}_null`, type, true],
    ];
  }),
  ['batch_id', 'uint64', false, false, { op: 'batch_id' }],
  ['created_at', 'time', false, false, { op: 'created_at' }],
]);

const RANGES: Partial<Record<ColumnType, [bigint, bigint]>> = {
  int8: [-128n, 127n],
  int16: [-32_768n, 32_767n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 255n],
  uint16: [0n, 65_535n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 63n - 1n],
  time: [0n, BigInt(Date.UTC(2261, 11, 31))],
};
const PATTERNS = ['constant', 'few', 'many', 'ends', 'rising'] as const;
const NULL_SHARES = [0, 0.001, 0.1, 0.5, 0.999, 1];

export function patternedRows(seed: number, count: number): Row[] {
  const random = seededRandom(seed);
  const columns = patterned.columns.map((column) => cells(column, random, count));
  return Array.from({ length: count }, (_, row) => columns.map((values) => values[row]!));
}

function cells(column: Column, random: Random, count: number): RowValue[] {
  if (column.name === 'id') return Array.from({ length: count }, (_, row) => row);
  if (column.op.op === 'batch_id') return Array(count).fill(0n);
  if (column.op.op === 'created_at') return Array(count).fill(0);
  const pattern = PATTERNS[random.below(PATTERNS.length)]!;
  const nullShare = column.nullable ? NULL_SHARES[random.below(NULL_SHARES.length)]! : 0;
  const value = valuesOf(column.type, pattern, random);
  return Array.from({ length: count }, (_, row) => (random.float() < nullShare ? null : value(row)));
}

type Pattern = (typeof PATTERNS)[number];

function valuesOf(type: ColumnType, pattern: Pattern, random: Random): (row: number) => RowValue {
  const range = RANGES[type];
  if (range !== undefined) return wholeNumbers(type, range, pattern, random);
  if (type === 'bool') return () => pattern === 'constant' || random.below(pattern === 'few' ? 50 : 2) === 0;
  if (type === 'float') return floats(pattern, random);
  const text = texts(pattern, random);
  if (type === 'string') return text;
  const most = [1, 3, 12][random.below(3)]!;
  const isOne = random.below(4) === 0;
  return (row) => Array.from({ length: isOne ? 1 : random.below(most + 1) }, () => text(row));
}

function wholeNumbers(type: ColumnType, [min, max]: [bigint, bigint], pattern: Pattern, random: Random) {
  const span = max - min + 1n;
  const any = () => min + ((2n * random.id63() + BigInt(random.below(2))) % span);
  const start = any();
  const few = [any(), any(), any()];
  const next = (row: number): bigint => {
    if (pattern === 'constant') return start;
    if (pattern === 'few') return few[random.below(few.length)]!;
    if (pattern === 'many') return any();
    if (pattern === 'ends') return [min, max, 0n][random.below(3)]!;
    return min + (BigInt(row * 7 + random.below(5)) % span);
  };
  const isBig = type === 'int64' || type === 'uint64';
  return (row: number) => (isBig ? next(row) : Number(next(row)));
}

function floats(pattern: Pattern, random: Random) {
  const some = [0, -0, 1.5, Number.MAX_VALUE, Number.MIN_VALUE];
  const ends = [...some, Infinity, -Infinity, Number.NaN];
  return (row: number): number => {
    if (pattern === 'constant') return -0;
    if (pattern === 'few') return some[random.below(some.length)]!;
    if (pattern === 'ends') return ends[random.below(ends.length)]!;
    return pattern === 'rising' ? row / 3 : random.float() * 180 - 90;
  };
}

function texts(pattern: Pattern, random: Random): (row: number) => string {
  const few = [
    '',
    'a',
    'Berlin',
    'São Paulo',
    '\ufeff東京',
    'x'.repeat(17),
    'https://example.org/a/long/path?with=query',
  ];
  const odd = ['', '\u0000', '\u{10ffff}'.repeat(20), 'y'.repeat(5_000), 'y'.repeat(5_001)];
  return (row) => {
    if (pattern === 'constant') return 'the same one';
    if (pattern === 'few') return few[random.below(few.length)]!;
    if (pattern === 'ends' && random.below(500) === 0) return odd[random.below(odd.length)]!;
    if (pattern === 'rising') return `session-${row}:${row * 1_000}`;
    return `${random.id63().toString(36)}${'-'.repeat(random.below(30))}`;
  };
}
