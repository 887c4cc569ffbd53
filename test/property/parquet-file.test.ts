import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import type { Row } from '#src/model/types.js';
import { modelOf } from '../support/columnar-model.js';
import { readColumns, readFooter } from '../support/columnar-read.js';
import { KernelColumns } from '../support/kernel-columns.js';
import { patterned, patternedRows } from '../support/patterned-rows.js';
import { propertySettings } from '../support/property-seed.js';

/** Files of our own writer, read by two readers that share no code with it: parquet-wasm (arrow-rs) and hyparquet. */

const SEAL = { createdAtMs: 1_767_225_600_123, batchId: 2n ** 62n + 1n, fileId: 3n };
const NAMES = patterned.columns.map(({ name }) => name);

/** By column, 64-bit integers and times (µs) as bigints. */
function expectedColumns(rows: readonly Row[]): Record<string, unknown[]> {
  return Object.fromEntries(
    patterned.columns.map(({ name, index, type, op }) => [
      name,
      rows.map((row) => {
        if (op.op === 'batch_id') return SEAL.batchId;
        if (op.op === 'created_at') return BigInt(SEAL.createdAtMs) * 1000n;
        const value = row[index]!;
        if (type === 'list<string>') return value ?? [];
        if (value === null) return null;
        if (type === 'time') return BigInt(value as number) * 1000n;
        return ['uint32', 'int64', 'uint64'].includes(type) ? BigInt(value as number) : value;
      }),
    ]),
  );
}

async function readHyparquet(bytes: Uint8Array): Promise<Record<string, unknown[]>> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const rows = await parquetReadObjects({
    file,
    parsers: {
      timestampFromMicroseconds: (us: bigint) => us,
      stringFromBytes: (text: Uint8Array) => text && Buffer.from(text).toString(),
    } as never,
  });
  return Object.fromEntries(NAMES.map((name) => [name, rows.map((row) => row[name] ?? null)]));
}

async function expectRead(bytes: Uint8Array, expected: Record<string, unknown[]>): Promise<void> {
  const [theirs, others] = [readColumns(bytes), await readHyparquet(bytes)];
  for (const name of NAMES) {
    // compared as a whole first: a report on each of many thousand values takes long
    if (!isSame(theirs[name]!, expected[name]!))
      expect(theirs[name], `${name}, parquet-wasm`).toEqual(expected[name]);
    if (!isSame(others[name]!, expected[name]!))
      expect(others[name], `${name}, hyparquet`).toEqual(expected[name]);
  }
}

function isSame(values: unknown[], expected: unknown[]): boolean {
  return (
    values.length === expected.length &&
    values.every((value, at) => {
      const wanted = expected[at];
      return Array.isArray(value) && Array.isArray(wanted) ? isSame(value, wanted) : Object.is(value, wanted);
    })
  );
}

const size = fc.oneof(fc.constantFrom(1, 2, 7, 8, 9, 127, 128, 129, 130), fc.integer({ min: 1, max: 1_000 }));

it('is read as it was written, whatever the pattern of a column', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), size, async (seed, count) => {
      const rows = patternedRows(seed, count);
      await expectRead(encodeRows(patterned, rows, SEAL).bytes, expectedColumns(rows));
    }),
    propertySettings({ numRuns: 12 }),
  );
});

it('is the same file where the kernel’s columns lie and where they are copied to', async () => {
  const kernel = await KernelColumns.start(4_096);
  fc.assert(
    fc.property(fc.integer(), size, (seed, count) => {
      const rows = patternedRows(seed, count);
      const before = kernel.used;
      const ours = kernel.encode(patterned, rows, SEAL);
      const others = encodeRows(patterned, rows, SEAL);
      expect(Buffer.compare(ours.bytes, others.bytes)).toBe(0);
      expect(kernel.used).toBe(before);
    }),
    propertySettings({ numRuns: 8 }),
  );
});

it('keeps a dictionary only where it pays, and gives it up where it grows too large', () => {
  const model = modelOf('texts', [['text', 'string']]);
  const encodings = (texts: readonly string[]) => {
    const { bytes } = encodeRows(
      model,
      texts.map((text) => [text]),
      SEAL,
    );
    expect(readColumns(bytes).text).toEqual(texts);
    return readFooter(bytes).row_groups[0]!.columns[0]!.meta_data!.encoding_stats!.map(
      ({ page_type, encoding }) => `${page_type} ${encoding}`,
    );
  };
  const many = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i));
  expect(encodings(many(1_000, (i) => `city ${i % 20}`))).toEqual([
    'DATA_PAGE RLE_DICTIONARY',
    'DICTIONARY_PAGE PLAIN',
  ]);
  expect(encodings(many(1_000, (i) => `session ${i}`))).toEqual(['DATA_PAGE PLAIN']);
  // the first page is of few texts, those behind it of new ones only
  const tooMany = many(120_000, (i) => (i < 40_000 ? `few ${i % 9}` : `a new one each time, ${i}`));
  expect(encodings(tooMany)).toEqual([
    'DATA_PAGE RLE_DICTIONARY',
    'DATA_PAGE PLAIN',
    'DICTIONARY_PAGE PLAIN',
  ]);
});

it('holds texts of a megabyte and lists of many items', () => {
  const model = modelOf('large', [
    ['text', 'string', true],
    ['list', 'list<string>'],
  ]);
  const long = 'long '.repeat(200_000);
  const rows: Row[] = [
    [long, []],
    [null, Array.from({ length: 100_000 }, (_, i) => `item ${i % 77}`)],
    [`${long}.`, Array.from({ length: 40_000 }, (_, i) => `new ${i}`)],
    ['', [long, long, '']],
    [long, ['']],
  ];
  const columns = readColumns(encodeRows(model, rows, SEAL).bytes);
  expect(
    isSame(
      columns.text!,
      rows.map(([text]) => text),
    ),
  ).toBe(true);
  expect(
    isSame(
      columns.list!,
      rows.map(([, list]) => list),
    ),
  ).toBe(true);
});
