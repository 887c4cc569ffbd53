import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import type { Column, ColumnOp, ColumnType, CompiledModel, Row, RowValue } from '#src/model/types.js';
import { decodeRow } from '#src/reference/row-bytes.js';
import { encodeRow } from '#src/reference/row-crc.js';
import { everyType, modelOf } from '../support/columnar-model.js';
import { everyTypeRow, SEAL } from '../support/columnar-rows.js';
import { KernelColumns } from '../support/kernel-columns.js';
import { propertySettings } from '../support/property-seed.js';

const kernel = await KernelColumns.start(1024);

function expectSameFile(model: CompiledModel, rows: readonly Row[]): void {
  const ours = kernel.encode(model, rows, SEAL);
  const expected = encodeRows(model, rows, SEAL);
  expect(ours.stats).toBe(expected.stats);
  expect(Buffer.compare(ours.bytes, expected.bytes)).toBe(0);
}

const TYPES: ColumnType[] = [
  ...(['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'] as const),
  ...(['float', 'bool', 'time', 'string', 'list<string>'] as const),
];
const SEALED: [ColumnType, ColumnOp][] = [
  ['time', { op: 'created_at' }],
  ['uint64', { op: 'batch_id' }],
  ['uint64', { op: 'file_id' }],
];

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    'a',
    'a\u0000',
    'same prefix 1',
    'same prefix 2',
    'x'.repeat(200),
    '\u{10ffff}'.repeat(33),
  ),
);

/** Values of a type with its ends among them. */
function valueOfType(type: ColumnType): fc.Arbitrary<RowValue> {
  switch (type) {
    case 'int8':
      return fc.integer({ min: -128, max: 127 });
    case 'int16':
      return fc.integer({ min: -32_768, max: 32_767 });
    case 'int32':
      return fc.integer({ min: -2_147_483_648, max: 2_147_483_647 });
    case 'int64':
      return fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(-(2n ** 63n), -1n, 0n));
    case 'uint8':
      return fc.integer({ min: 0, max: 255 });
    case 'bool':
      return fc.boolean();
    case 'uint16':
      return fc.integer({ min: 0, max: 65_535 });
    case 'uint32':
      return fc.integer({ min: 0, max: 4_294_967_295 });
    case 'uint64':
      return fc.oneof(fc.bigInt(0n, 2n ** 63n - 1n), fc.constantFrom(0n, 2n ** 53n + 1n, 2n ** 63n - 1n));
    case 'float':
      return fc.double();
    case 'time':
      return fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });
    case 'string':
      return text;
    case 'list<string>':
      return fc.array(text, { maxLength: 4 });
  }
}

const modelArbitrary = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...TYPES), fc.constant(undefined)) },
      { weight: 1, arbitrary: fc.constantFrom(...SEALED) },
    ),
    { minLength: 1, maxLength: 10 },
  )
  .chain((columns) =>
    fc.tuple(
      fc.constant(columns),
      fc.array(fc.tuple(fc.boolean(), fc.boolean()), {
        minLength: columns.length,
        maxLength: columns.length,
      }),
    ),
  )
  .map(([columns, flags]) =>
    modelOf(
      'random',
      columns.map(([type, op], i) =>
        op === undefined ? [`c${i}`, type, ...flags[i]!] : [`c${i}`, type, false, false, op],
      ),
    ),
  );

function cell({ type, nullable, op }: Column): fc.Arbitrary<RowValue> {
  if (['created_at', 'batch_id', 'file_id'].includes(op.op)) return fc.constant(null);
  return nullable ? fc.option(valueOfType(type), { freq: 4 }) : valueOfType(type);
}

it('the kernel’s columns give the file and the stats of the reference, byte for byte, for any model', () => {
  const cases = modelArbitrary.chain((model) =>
    fc.tuple(fc.constant(model), fc.array(fc.tuple(...model.columns.map(cell)), { maxLength: 300 })),
  );
  fc.assert(
    fc.property(cases, ([model, rows]) => {
      const before = kernel.used;
      // from the canonical bytes, so that both see the same well-formed texts
      const wellFormed = rows.map((row) => decodeRow(model, encodeRow(model, row as Row)));
      expectSameFile(model, wellFormed);
      expect(kernel.used).toBe(before);
    }),
    propertySettings({ numRuns: 100 }),
  );
});

it('and for rows of every type, with lone surrogates, where the reference writes U+FFFD', () => {
  fc.assert(
    fc.property(fc.array(everyTypeRow, { maxLength: 40 }), (rows) => {
      expectSameFile(everyType, rows);
    }),
    propertySettings({ numRuns: 100 }),
  );
});
