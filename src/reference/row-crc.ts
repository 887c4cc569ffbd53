import type { Column, CompiledModel, Row, RowValue } from '../model/types.js';
import { crc32c } from './native-codecs.js';

/**
 * What a replay is compared by: the CRC-32C of each row, summed modulo 2³² (so that the order of rows does not matter).
 * It covers a canonical encoding of the row, column by column in the model's order, without created_at, batch_id and
 * file_id, which differ from attempt to attempt. Little-endian, nothing between the values:
 *
 *   null                        00
 *   int8 … uint64, time (ms)    01 │ i64 (uint64: u64)
 *   bool                        01 │ i64, 1 or 0
 *   float                       02 │ f64
 *   string                      03 │ u32 bytes │ UTF-8
 *   list<string>                04 │ u32 count │ (u32 bytes │ UTF-8)*
 */

export const NULL = 0;
export const INTEGER = 1;
export const FLOAT = 2;
export const STRING = 3;
export const LIST = 4;

/** CRC-32C of a row, unsigned. */
export function rowCrc(model: CompiledModel, row: Row): number {
  return crc32c(encodeRow(model, row));
}

/** A sum of CRCs, unsigned. */
export function addCrc(a: number, b: number): number {
  return (a + b) >>> 0;
}

/** The canonical bytes of a row; valid until the next call. */
export function encodeRow(model: CompiledModel, row: Row): Uint8Array {
  scratch.at = 0;
  for (const column of model.columns) {
    const { op } = column.op;
    if (op === 'created_at' || op === 'batch_id' || op === 'file_id') continue;
    putValue(column, row[column.index]!);
  }
  return scratch.bytes.subarray(0, scratch.at);
}

/** Grows to the largest row and stays. */
const scratch = { bytes: Buffer.alloc(4096), at: 0 };

function putValue(column: Column, value: RowValue): void {
  if (value === null) {
    putTag(NULL, 0);
    return;
  }
  switch (column.type) {
    case 'float':
      putTag(FLOAT, 8);
      scratch.at = scratch.bytes.writeDoubleLE(value as number, scratch.at);
      return;
    case 'string':
      putTag(STRING, 0);
      putString(value as string);
      return;
    case 'list<string>': {
      const items = value as readonly string[];
      putTag(LIST, 4);
      scratch.at = scratch.bytes.writeUInt32LE(items.length, scratch.at);
      for (const item of items) putString(item);
      return;
    }
    default:
      putTag(INTEGER, 8);
      scratch.bytes.writeBigInt64LE(
        BigInt.asIntN(64, BigInt(value as number | bigint | boolean)),
        scratch.at,
      );
      scratch.at += 8;
  }
}

function putTag(tag: number, payloadBytes: number): void {
  reserve(1 + payloadBytes);
  scratch.bytes[scratch.at++] = tag;
}

function putString(text: string): void {
  // three bytes are the most that a UTF-16 unit becomes
  reserve(4 + text.length * 3);
  const bytes = scratch.bytes.write(text, scratch.at + 4, 'utf8');
  scratch.bytes.writeUInt32LE(bytes, scratch.at);
  scratch.at += 4 + bytes;
}

function reserve(bytes: number): void {
  if (scratch.bytes.length - scratch.at >= bytes) return;
  const larger = Buffer.alloc(Math.max(scratch.bytes.length * 2, scratch.at + bytes));
  scratch.bytes.copy(larger, 0, 0, scratch.at);
  scratch.bytes = larger;
}
