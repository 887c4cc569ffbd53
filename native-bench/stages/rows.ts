import assert from 'node:assert/strict';
import { crc32c } from '@node-rs/crc32';
import { tableFromIPC } from 'apache-arrow';
import { Packr } from 'msgpackr';
import { readParquet } from 'parquet-wasm';
import { type EncodedFile, encodeColumns, encodeRows, groupByDate, type Seal } from '#src/columnar/encode.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { addCrc, encodeRow, rowCrc } from '#src/reference/row-crc.js';
import { contender, type Stage } from '../stage.js';
import type { Workload } from '../workload.js';
import { copyOf, KernelRows, proveColumns } from './kernel-rows.js';

/** Stages on the rows of closed sessions. */

const SEAL: Seal = { createdAtMs: Date.UTC(2026, 0, 31), batchId: 42n, fileId: 7n };

export function rowCrcStage({ model, events }: Workload, rows: readonly Row[]): Stage {
  const encoded = rows.map((row) => Buffer.from(encodeRow(model, row)));
  const sumOf = (crcs: readonly number[]) => crcs.reduce(addCrc, 0);
  const expected = sumOf(encoded.map((bytes) => crc32c(bytes)));
  const prove = (sum: number) => {
    assert.equal(sum, expected);
    assert.equal(new Set(rows.map((row) => rowCrc(model, row))).size > 0.99 * rows.length, true);
  };
  return {
    name: 'row crc',
    unit: 'row',
    units: rows.length,
    events: events.length,
    contenders: [
      contender('stage', 'rowCrc', () => sumOf(rows.map((row) => rowCrc(model, row))), prove),
      contender('floor', 'crc32c of encoded rows', () => sumOf(encoded.map((b) => crc32c(b))), prove),
    ],
  };
}

/** Canonical bytes → Arrow columns, in the kernel. */
export function arrowStage(workload: Workload, rows: readonly Row[]): Stage {
  const { model, events } = workload;
  const kernel = new KernelRows(model, rows);
  const packr = new Packr({ useRecords: false, int64AsType: 'bigint' });
  return {
    name: 'arrow columns',
    unit: 'row',
    units: rows.length,
    events: events.length,
    contenders: [
      contender(
        'stage',
        `columnsBuild, ${model.columns.length} columns`,
        () => kernel.build(() => null),
        () => proveColumns(model, rows, kernel.build(copyOf)),
      ),
      contender(
        'floor',
        "memcpy of the rows' bytes",
        () => kernel.copyRows(),
        (bytes) => assert.equal(crc32c(bytes), crc32c(kernel.rowBytes)),
      ),
      contender(
        'rival',
        'msgpackr pack of objects',
        () => packr.pack(rows),
        (bytes) => assert.deepEqual(packr.unpack(bytes), rows),
      ),
    ],
  };
}

/** Rows → files: from the kernel's columns, and from objects. */
export function parquetStage({ model, events }: Workload, rows: readonly Row[]): Stage {
  const kernel = new KernelRows(model, rows);
  const expected = encodeAll(model, rows);
  const proveSame = (files: readonly EncodedFile[]) => {
    assert.deepEqual(
      files.map(({ bytes, stats }) => [crc32c(bytes), stats]),
      expected.map(({ bytes, stats }) => [crc32c(bytes), stats]),
    );
    proveFiles(model, rows, files);
  };
  return {
    name: 'parquet',
    unit: 'row',
    units: rows.length,
    events: events.length,
    contenders: [
      contender(
        'stage',
        'columnsBuild and encodeColumns',
        () => kernel.build((columns, count, memory) => encodeColumns(model, columns, count, SEAL, memory)),
        proveSame,
      ),
      contender('floor', 'columnsBuild', () => kernel.build(() => null), assert.ok),
      contender('rival', 'encodeRows of objects', () => encodeAll(model, rows), proveSame),
    ],
  };
}

/** A file a date, as a cut writes them. */
export function encodeAll(model: CompiledModel, rows: readonly Row[]): EncodedFile[] {
  return [...groupByDate(model, rows).values()].map((group) => encodeRows(model, group, SEAL));
}

/** Reads the files back. */
export function proveFiles(model: CompiledModel, rows: readonly Row[], files: readonly EncodedFile[]): void {
  const tables = files.map(({ bytes }) => tableFromIPC(readParquet(bytes).intoIPCStream()));
  for (const name of ['session_id', 'total_events', 'country']) {
    const index = model.columns.findIndex((column) => column.name === name);
    const text = (value: unknown) => (value === null ? null : String(value));
    const read = tables.flatMap((table) => [...table.getChild(name)!].map(text));
    const written = [...groupByDate(model, rows).values()].flatMap((group) =>
      group.map((row) => text(row[index])),
    );
    assert.deepEqual(read, written);
  }
}
