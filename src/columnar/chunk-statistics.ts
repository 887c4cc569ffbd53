import type { Column } from '../model/types.js';
import type { Bounds } from './built-column.js';
import { DOUBLE, INT32, physicalType } from './parquet-schema.js';
import type { ThriftWriter } from './thrift.js';

/**
 * Least and greatest value of a chunk, by which readers pass over a row group: Delta's bounds in Parquet's form. Those of
 * texts may be cut outwards and those of times be rounded so, which is said beside them.
 */

const NULL_COUNT = 3;
const MAX_VALUE = 5;
const MIN_VALUE = 6;
const IS_MAX_EXACT = 7;
const IS_MIN_EXACT = 8;

export function writeStatistics(
  thrift: ThriftWriter,
  column: Column,
  nullCount: number,
  bounds: Bounds | null,
): void {
  thrift.i64(NULL_COUNT, nullCount);
  if (bounds === null) return;
  const isExact = column.type !== 'string' && column.type !== 'time';
  if (bounds.max !== null) thrift.binary(MAX_VALUE, plainValue(column, bounds.max, 0));
  thrift.binary(MIN_VALUE, plainValue(column, bounds.min, -0));
  if (bounds.max !== null) thrift.bool(IS_MAX_EXACT, isExact);
  thrift.bool(IS_MIN_EXACT, isExact);
}

/** `zero`: which of its two a float has. It may be either of the two, and so the wider one is told. */
function plainValue(column: Column, json: string, zero: number): Uint8Array {
  if (column.type === 'string') return Buffer.from(JSON.parse(json) as string);
  const type = physicalType(column);
  const bytes = Buffer.alloc(type === INT32 ? 4 : 8);
  if (type === DOUBLE) bytes.writeDoubleLE(Number(json) || zero);
  else if (type === INT32) bytes.writeInt32LE(Number(json));
  else if (column.type === 'time')
    bytes.writeBigInt64LE(BigInt(Date.parse(JSON.parse(json) as string)) * 1000n);
  else bytes.writeBigInt64LE(BigInt(json));
  return bytes;
}
