import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import type { Row } from '#src/model/types.js';
import { everyType } from '../support/columnar-model.js';
import { readColumns } from '../support/columnar-read.js';
import { everyTypeRow, expectedValue, SEAL } from '../support/columnar-rows.js';

const rowsArbitrary = fc.array(everyTypeRow, { maxLength: 40 });

interface Stats {
  numRecords: number;
  minValues: Record<string, unknown>;
  maxValues: Record<string, unknown>;
  nullCount: Record<string, number>;
}

it('gives back every value of every row that was written', () => {
  fc.assert(
    fc.property(rowsArbitrary, (rows) => {
      const file = encodeRows(everyType, rows, SEAL);
      const columns = readColumns(file.bytes);
      expect(file.rows).toBe(rows.length);
      expect(Object.keys(columns)).toEqual(everyType.columns.map(({ name }) => name));
      for (const { name, index } of everyType.columns) {
        expect(columns[name], name).toEqual(rows.map((row) => expectedValue(row, index)));
      }
    }),
    { numRuns: 150 },
  );
});

it('gives the same bytes for the same rows', () => {
  fc.assert(
    fc.property(rowsArbitrary, (rows) => {
      const again = rows.map((row) => [...row]);
      expect(encodeRows(everyType, rows, SEAL)).toEqual(encodeRows(everyType, again, SEAL));
    }),
    { numRuns: 30 },
  );
});

it('puts every value between the bounds of its column in the stats, in the order of Delta', () => {
  fc.assert(
    fc.property(rowsArbitrary, (rows) => {
      const json = encodeRows(everyType, rows, SEAL).stats;
      const stats = JSON.parse(json) as Stats;
      expect(stats.numRecords).toBe(rows.length);
      for (const { name, index, type } of everyType.columns) {
        if (type === 'list<string>') {
          expect(stats.nullCount).not.toHaveProperty(name);
          continue;
        }
        const values = rows.map((row) => expectedValue(row, index)).filter((value) => value !== null);
        expect(stats.nullCount[name]).toBe(rows.length - values.length);
        const compare =
          type === 'string' ? byBytes : byNumber(literal(json, name, 'min'), literal(json, name, 'max'));
        for (const value of values) {
          if (name in stats.minValues)
            expect(compare(stats.minValues[name], value, 'min')).toBeLessThanOrEqual(0);
          if (name in stats.maxValues)
            expect(compare(stats.maxValues[name], value, 'max')).toBeGreaterThanOrEqual(0);
        }
      }
    }),
    { numRuns: 150 },
  );
});

it('has bounds for every column of finite values', () => {
  fc.assert(
    fc.property(fc.array(everyTypeRow, { minLength: 1, maxLength: 20 }), (rows) => {
      const stats = JSON.parse(encodeRows(everyType, rows, SEAL).stats) as Stats;
      for (const { name, index, type } of everyType.columns) {
        if (type === 'list<string>') continue;
        if (type === 'bool') {
          expect(stats.minValues).not.toHaveProperty(name);
          continue;
        }
        const values = rows.map((row) => expectedValue(row, index)).filter((value) => value !== null);
        const known =
          values.length > 0 && values.every((value) => typeof value !== 'number' || Number.isFinite(value));
        expect(name in stats.minValues, name).toBe(known);
        if (type !== 'string') expect(name in stats.maxValues, name).toBe(known);
      }
    }),
    { numRuns: 60 },
  );
});

/** The bound's own digits, since JSON.parse loses those beyond 2⁵³. */
function literal(json: string, name: string, end: 'min' | 'max'): string | undefined {
  const from = json.indexOf(`"${end}Values":{`);
  return new RegExp(`[{,]"${name}":(-?\\d+)[,}]`).exec(json.slice(from))?.[1];
}

function byBytes(bound: unknown, value: unknown): number {
  return Buffer.compare(Buffer.from(bound as string), Buffer.from(value as string));
}

function byNumber(min: string | undefined, max: string | undefined) {
  return (bound: unknown, value: unknown, end: 'min' | 'max'): number => {
    if (typeof value === 'number') return (bound as number) - value;
    const digits = end === 'min' ? min : max;
    const exact = typeof bound === 'string' ? BigInt(Date.parse(bound)) * 1000n : BigInt(digits!);
    return exact < (value as bigint) ? -1 : exact > (value as bigint) ? 1 : 0;
  };
}

it('refuses a row whose value is of another type than its column', () => {
  const [row] = fc.sample(everyTypeRow, { numRuns: 1, seed: 1 }) as [Row];
  for (const [index, value] of [
    [0, null],
    [0, 7],
    [1, '2026-01-01'],
    [1, 1.5],
    [2, 2 ** 31],
    [4, 0.5],
    [5, 2n ** 63n],
    [6, '1'],
    [10, ['a', 1]],
    [10, 'a'],
  ] as [number, Row[number]][]) {
    const wrong = row.with(index, value);
    expect(() => encodeRows(everyType, [wrong], SEAL), `${index}: ${String(value)}`).toThrow(
      /INVARIANT|type|null/,
    );
  }
});
