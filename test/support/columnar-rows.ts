import fc from 'fast-check';
import type { Row } from '#src/model/types.js';
import { everyType } from './columnar-model.js';

/** Random rows of `everyType`, session_start on one UTC date, with the ends of every type among them. */

const DAY_MS = Date.UTC(2026, 0, 31);

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    'NULL',
    '\u0000',
    '"quoted"\n',
    'x'.repeat(5000),
    '\u{10ffff}'.repeat(40),
    '東京',
    '👩‍💻',
    '\ufeffbom',
  ),
);
const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { freq: 5 });
const between = (min: number, max: number) =>
  fc.oneof(fc.constantFrom(min, max, 0), fc.integer({ min, max }));
const uint63 = fc.oneof(fc.constantFrom(0n, 2n ** 53n + 1n, 2n ** 63n - 1n), fc.bigInt(0n, 2n ** 63n - 1n));
const int64 = fc.oneof(
  fc.constantFrom(-(2n ** 63n), -1n, 2n ** 63n - 1n),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
);
const timeMs = fc.oneof(
  fc.constantFrom(0, 1, Date.UTC(2261, 11, 31, 23, 59, 59, 999)),
  fc.integer({ min: 0, max: Date.UTC(2261, 11, 31) }),
);

export const everyTypeRow: fc.Arbitrary<Row> = fc
  .tuple(
    text,
    fc.integer({ min: DAY_MS, max: DAY_MS + 86_399_999 }),
    nullable(between(-128, 127)),
    nullable(between(0, 65_535)),
    nullable(between(0, 4_294_967_295)),
    nullable(uint63),
    nullable(fc.double({ noNaN: true })),
    nullable(timeMs),
    nullable(text),
    nullable(fc.constantFrom('a', 'b', 'é')),
    fc.array(text, { maxLength: 5 }),
    nullable(between(-32_768, 32_767)),
    nullable(between(-2_147_483_648, 2_147_483_647)),
    nullable(int64),
    nullable(between(0, 255)),
    nullable(fc.boolean()),
    fc.boolean(),
  )
  .chain((known) =>
    fc
      .tuple(fc.constantFrom('gap', 'early'), fc.integer({ min: 0, max: 3 }), fc.constantFrom(1, -1))
      .map(([closedBy, revision, sign]) => [...known, 0, 0n, 0n, closedBy, revision, sign] as Row),
  );

export const SEAL = { createdAtMs: 1_767_225_600_123, batchId: 2n ** 62n + 1n, fileId: 2n ** 63n - 1n };

/** What readers should give for a row: 64-bit integers and times (µs) as bigints, the seal filled in. */
export function expectedValue(row: Row, index: number): unknown {
  const column = everyType.columns[index]!;
  if (column.name === 'created_at') return BigInt(SEAL.createdAtMs) * 1000n;
  if (column.name === 'batch_id') return SEAL.batchId;
  if (column.name === 'file_id') return SEAL.fileId;
  const value = row[index]!;
  if (value === null) return column.type === 'list<string>' ? [] : null;
  if (column.type === 'time') return BigInt(value as number) * 1000n;
  if (column.type === 'uint32' || column.type === 'int64' || column.type === 'uint64') {
    return BigInt(value as number);
  }
  if (column.type === 'string') return wellFormed(value as string);
  if (column.type === 'list<string>') return (value as string[]).map(wellFormed);
  return value;
}

function wellFormed(value: string): string {
  return Buffer.from(value).toString();
}
