import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import { JsonRows } from '#src/columnar/json-rows.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { everyType } from '../support/columnar-model.js';
import { everyTypeRow, expectedValue, SEAL } from '../support/columnar-rows.js';
import { propertySettings } from '../support/property-seed.js';

/** Keyed by its first column, a text. */
const model: CompiledModel = {
  ...everyType,
  columns: everyType.columns.map((column, index) =>
    index === 0 ? { ...column, op: { op: 'key' } } : column,
  ),
};

/** What JSON holds of a row. */
function expected(row: Row): Record<string, unknown> {
  return Object.fromEntries(
    model.columns.map(({ name, type }, index) => {
      const value = expectedValue(row, index);
      if (value === null || type === 'list<string>') return [name, value];
      if (type === 'time') return [name, new Date(Number((value as bigint) / 1_000n)).toISOString()];
      if (type === 'int64' || type === 'uint64') return [name, String(value)];
      if (type === 'float') return [name, Number.isFinite(value) ? (value as number) + 0 : null];
      return [name, typeof value === 'bigint' ? Number(value) : value];
    }),
  );
}

function expectRows(rows: readonly Row[]): void {
  const read = new JsonRows(model, encodeRows(model, rows, SEAL).bytes);
  expect(read.rows).toBe(rows.length);
  for (const [index, row] of rows.entries()) {
    const wanted = expected(row);
    expect(JSON.parse(read.json(index))).toEqual(wanted);
    expect(Buffer.from(read.key(index)).toString()).toBe(wanted[model.columns[0]!.name]);
  }
}

describe('rows of a data file as JSON', () => {
  it('hold what went into it: numbers, 64-bit ones as text, times in ISO 8601, lists, nulls', () => {
    fc.assert(
      fc.property(fc.array(everyTypeRow, { minLength: 1, maxLength: 20 }), expectRows),
      propertySettings({ numRuns: 60 }),
    );
  });

  it('are found in files of several batches', () => {
    expectRows(fc.sample(everyTypeRow, { numRuns: 2_500, seed: 1 }));
  });
});
