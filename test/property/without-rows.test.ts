import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import { matchingRows, withoutRows } from '#src/columnar/without-rows.js';
import { everyType } from '../support/columnar-model.js';
import { everyTypeRow, SEAL } from '../support/columnar-rows.js';
import { propertySettings } from '../support/property-seed.js';

/** Rows that are taken out of a file: what is left is what the engine would have written without them. */
const somewhere = fc
  .array(everyTypeRow, { minLength: 1, maxLength: 40 })
  .chain((rows) => fc.tuple(fc.constant(rows), fc.subarray([...rows.keys()])));

it('leaves the very bytes and statistics of a file that never had them', () => {
  fc.assert(
    fc.property(somewhere, ([rows, gone]) => {
      const left = withoutRows(everyType, encodeRows(everyType, rows, SEAL).bytes, gone);
      const wanted = rows.filter((_, row) => !gone.includes(row));
      if (wanted.length === 0) expect(left).toBeNull();
      else expect(left).toEqual(encodeRows(everyType, wanted, SEAL));
    }),
    propertySettings({ numRuns: 150 }),
  );
});

it('finds exactly the rows in which a column has a text', () => {
  const column = everyType.columns.find(({ type, nullable }) => type === 'string' && nullable)!;
  fc.assert(
    fc.property(fc.array(everyTypeRow, { minLength: 1, maxLength: 40 }), fc.nat(), (rows, pick) => {
      const value = rows[pick % rows.length]![column.index];
      fc.pre(typeof value === 'string' && value.isWellFormed());
      const wanted = [...rows.keys()].filter((row) => rows[row]![column.index] === value);
      const { bytes } = encodeRows(everyType, rows, SEAL);
      expect(matchingRows(bytes, [{ column: column.name, value: value as string }])).toEqual(wanted);
    }),
    propertySettings({ numRuns: 100 }),
  );
});

it('finds a whole number, also one beyond 31 bits', () => {
  const column = everyType.columns.find(({ type }) => type === 'uint32')!;
  fc.assert(
    fc.property(fc.array(everyTypeRow, { minLength: 1, maxLength: 20 }), fc.nat(), (rows, pick) => {
      const value = rows[pick % rows.length]![column.index];
      fc.pre(typeof value === 'number');
      const wanted = [...rows.keys()].filter((row) => rows[row]![column.index] === value);
      const { bytes } = encodeRows(everyType, rows, SEAL);
      expect(matchingRows(bytes, [{ column: column.name, value: value as number }])).toEqual(wanted);
    }),
    propertySettings({ numRuns: 60 }),
  );
});
