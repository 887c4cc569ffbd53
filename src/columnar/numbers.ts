import {
  Bool,
  type DataType,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  makeData,
  TimestampMicrosecond,
} from 'apache-arrow';
import type { Column, Row } from '../model/types.js';
import { type BuiltColumn, refuseValue, Validity } from './built-column.js';

/**
 * Columns of numbers and times, over typed arrays. 64-bit values are stored as two 32-bit words: a BigInt for each
 * would cost more than all the rest of the column. Little-endian hosts only, as Arrow itself.
 */

const TWO_32 = 2 ** 32;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Years 0 to 9999, what an ISO string with a four-digit year can say. */
const TIME_MS_MIN = -62_167_219_200_000;
const TIME_MS_MAX = 253_402_300_799_999;

/** Whole numbers of up to 32 bits. `type`: the file's, unsigned ones in the next wider signed one. */
export function buildInteger(
  column: Column,
  rows: readonly Row[],
  type: 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32',
): BuiltColumn {
  const { arrow, data } = integersOf(type, rows.length);
  const validity = new Validity(column, rows.length);
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![column.index];
    if (value === null) {
      validity.setNull(i);
      continue;
    }
    if (typeof value !== 'number' || (value | 0) !== value) refuseValue(column, value);
    data[i] = value;
    if (data[i] !== value) refuseValue(column, value);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return {
    data: makeData({
      type: arrow as Int32,
      length: rows.length,
      data: data as Int32Array,
      ...validity.props,
    }),
    nullCount: validity.nullCount,
    bounds: min <= max ? { min: String(min), max: String(max) } : null,
  };
}

function integersOf(
  type: 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32',
  rows: number,
): { arrow: DataType; data: Int8Array | Int16Array | Int32Array } {
  switch (type) {
    case 'int8':
      return { arrow: new Int8(), data: new Int8Array(rows) };
    case 'uint8':
    case 'int16':
      return { arrow: new Int16(), data: new Int16Array(rows) };
    case 'uint16':
    case 'int32':
      return { arrow: new Int32(), data: new Int32Array(rows) };
  }
}

/** One bit a row. They have no bounds: Delta's readers know none of them. */
export function buildBool(column: Column, rows: readonly Row[]): BuiltColumn {
  const data = new Uint8Array(Math.ceil(rows.length / 8));
  const validity = new Validity(column, rows.length);
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![column.index];
    if (value === null) validity.setNull(i);
    else if (typeof value !== 'boolean') refuseValue(column, value);
    else if (value) data[i >> 3]! |= 1 << (i & 7);
  }
  return {
    data: makeData({ type: new Bool(), length: rows.length, data, ...validity.props }),
    nullCount: validity.nullCount,
    bounds: null,
  };
}

/** Numbers up to 2⁵³ or bigints below 2⁶³; the bounds are exact literals, also beyond 2⁵³. */
export function buildInt64(column: Column, rows: readonly Row[]): BuiltColumn {
  const data = new BigInt64Array(rows.length);
  const words = new Int32Array(data.buffer);
  const validity = new Validity(column, rows.length);
  let min: number | bigint = Infinity;
  let max: number | bigint = -Infinity;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![column.index];
    if (value === null) {
      validity.setNull(i);
      continue;
    }
    if (typeof value === 'number' && Number.isSafeInteger(value)) {
      words[2 * i] = value;
      words[2 * i + 1] = Math.floor(value / TWO_32);
    } else if (typeof value === 'bigint' && value <= INT64_MAX && value >= INT64_MIN) {
      data[i] = value;
    } else refuseValue(column, value);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return {
    data: makeData({ type: new Int64(), length: rows.length, data, ...validity.props }),
    nullCount: validity.nullCount,
    bounds: min <= max ? { min: String(min), max: String(max) } : null,
  };
}

/** NaN and the infinities have no JSON form: a column that holds one has no bounds. */
export function buildFloat(column: Column, rows: readonly Row[]): BuiltColumn {
  const data = new Float64Array(rows.length);
  const validity = new Validity(column, rows.length);
  let min = Infinity;
  let max = -Infinity;
  let finite = true;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![column.index];
    if (value === null) {
      validity.setNull(i);
      continue;
    }
    if (typeof value !== 'number') refuseValue(column, value);
    data[i] = value;
    if (!Number.isFinite(value)) finite = false;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return {
    data: makeData({ type: new Float64(), length: rows.length, data, ...validity.props }),
    nullCount: validity.nullCount,
    bounds: finite && min <= max ? { min: JSON.stringify(min), max: JSON.stringify(max) } : null,
  };
}

/** Milliseconds in the rows, microseconds in the file. The product passes 2⁵³ in the year 2255: hence word by word. */
export function buildTime(column: Column, rows: readonly Row[]): BuiltColumn {
  const data = new BigInt64Array(rows.length);
  const words = new Int32Array(data.buffer);
  const validity = new Validity(column, rows.length);
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![column.index];
    if (value === null) {
      validity.setNull(i);
      continue;
    }
    if (typeof value !== 'number' || !isTimeMs(value)) refuseValue(column, value);
    const high = Math.floor(value / TWO_32);
    const low = (value - high * TWO_32) * 1000;
    words[2 * i] = low;
    words[2 * i + 1] = high * 1000 + Math.floor(low / TWO_32);
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return {
    data: makeData({ type: new TimestampMicrosecond('UTC'), length: rows.length, data, ...validity.props }),
    nullCount: validity.nullCount,
    bounds: min <= max ? { min: timeJson(min), max: timeJson(max) } : null,
  };
}

/** One value for every row: what the seal fills in. */
export function buildConstant(type: 'int64' | 'timestamp', value: bigint, rows: number): BuiltColumn {
  const data = BigInt64Array.of(value);
  const arrow: DataType = type === 'int64' ? new Int64() : new TimestampMicrosecond('UTC');
  const json = type === 'int64' ? String(value) : timeJson(Number(value / 1000n));
  return {
    data: makeData({ type: arrow as Int64, length: 1, data, nullCount: 0 }),
    isConstant: true,
    nullCount: 0,
    bounds: rows > 0 ? { min: json, max: json } : null,
  };
}

export function isTimeMs(value: number): boolean {
  return Number.isInteger(value) && value >= TIME_MS_MIN && value <= TIME_MS_MAX;
}

/** Times are whole milliseconds, Delta's unit for bounds: rounding outwards changes nothing. */
export function timeJson(ms: number): string {
  return `"${new Date(ms).toISOString()}"`;
}
