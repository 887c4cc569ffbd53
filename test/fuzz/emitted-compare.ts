import { crc32c } from '@node-rs/crc32';
import type { CompiledModel, DeadLetter, Row } from '#src/model/types.js';
import { decodeRow } from '#src/reference/row-bytes.js';
import { addCrc, encodeRow } from '#src/reference/row-crc.js';
import type { DayRows, Emitted } from '../../workers/engines/engine.js';
import { readColumns } from '../support/columnar-read.js';
import { Difference, expectSame, expectSameBag, show } from './difference.js';
import type { Side } from './side.js';

/** What two engines emitted between two cuts, compared; and each of them with what it says of itself. */

export function compareEmitted(model: CompiledModel, left: Emitted, right: Emitted): void {
  const [leftRows, rightRows] = [ownRows(model, left), ownRows(model, right)];
  const render = (text: string) => renderRow(model, Buffer.from(text, 'latin1'));
  compareLetters(left.deadLetters, right.deadLetters);
  expectSameBag('rows', leftRows, rightRows, render);
  expectSame('number of rows', left.rows, right.rows);
  expectSame('crc of rows', left.crc, right.crc);
  const days = ({ days: all }: Emitted) =>
    [...all].map(([day, { rows }]) => [day, rows]).sort((a, b) => a[0]! - b[0]!);
  expectSame('rows by day', days(left), days(right));
}

/** By offset: those of one engine may come later than those of the other. */
function compareLetters(left: readonly DeadLetter[], right: readonly DeadLetter[]): void {
  const inOrder = (letters: readonly DeadLetter[]) =>
    letters.toSorted((a, b) => (a.offset === b.offset ? 0 : a.offset < b.offset ? -1 : 1));
  const others = inOrder(right);
  for (const [index, letter] of inOrder(left).entries()) {
    const other = others[index];
    if (other !== undefined && sameLetter(letter, other)) continue;
    expectSame('dead letter', plainLetter(letter), other && plainLetter(other));
  }
  if (left.length < right.length) expectSame('dead letter', undefined, plainLetter(others[left.length]!));
}

function sameLetter(a: DeadLetter, b: DeadLetter): boolean {
  return (
    a.offset === b.offset &&
    a.reason === b.reason &&
    a.detail === b.detail &&
    a.timestampMs === b.timestampMs &&
    a.item === b.item &&
    sameBytes(a.key, b.key) &&
    sameBytes(a.value, b.value)
  );
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

function plainLetter({ offset, item, reason, detail, timestampMs, key, value }: DeadLetter) {
  return { offset, item, reason, detail, timestampMs, key, value };
}

/** Canonical bytes of an engine's rows, as texts, once it is sure that number, sum and days are those of the rows. */
function ownRows(model: CompiledModel, emitted: Emitted): string[] {
  const texts: string[] = [];
  let crc = 0;
  for (const [day, rows] of emitted.days) {
    const all = rowBytes(model, rows);
    expectSame(`rows of day ${day}, counted and there`, rows.rows, all.length);
    for (const bytes of all) {
      crc = addCrc(crc, crc32c(bytes));
      const start = decodeRow(model, bytes)[model.columnIndex.session_start] as number;
      if (Math.floor(start / 86_400_000) !== day)
        throw new Difference(`a row of ${start} ms lies in day ${day}`);
      texts.push(Buffer.from(bytes).toString('latin1'));
    }
  }
  expectSame('rows, counted and there', emitted.rows, texts.length);
  expectSame('sum of the rows that are there', emitted.crc, crc);
  return texts;
}

/** The reference holds its rows as values, the kernel as canonical bytes. */
function rowBytes(model: CompiledModel, rows: DayRows): readonly Uint8Array[] {
  const held = rows as DayRows & { rowBytes?(): Uint8Array[]; list?: readonly Row[] };
  if (held.rowBytes !== undefined) return held.rowBytes();
  return held.list!.map((row) => new Uint8Array(encodeRow(model, row)));
}

function renderRow(model: CompiledModel, bytes: Uint8Array): string {
  const row = decodeRow(model, bytes);
  return show(Object.fromEntries(model.columns.map(({ name, index }) => [name, row[index]])));
}

const SEAL = { createdAtMs: 1_767_225_600_123, batchId: 7n, fileId: 2n ** 63n - 1n };

/** The days that were emitted, as the Parquet files of both engines. */
export function compareFiles(left: Side, right: Side, a: Emitted, b: Emitted): void {
  for (const [day, rows] of a.days) {
    const files = [left.engine.encode([rows], SEAL), right.engine.encode([b.days.get(day)!], SEAL)] as const;
    expectSame('rows of a file', files[0].rows, files[1].rows);
    expectSame('stats of a file', JSON.parse(files[0].stats), JSON.parse(files[1].stats));
    const [mine, others] = files.map(({ bytes, rows: count }) => {
      const columns = readColumns(bytes);
      return Array.from({ length: count }, (_, i) =>
        show(Object.entries(columns).map(([name, values]) => [name, values[i]])),
      );
    });
    expectSameBag('rows of a file', mine!, others!, (text) => text);
  }
}
