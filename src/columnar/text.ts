import { Field, List, makeData, Utf8 } from 'apache-arrow';
import { invariant } from '../invariant.js';
import type { Column, Row } from '../model/types.js';
import { type BuiltColumn, refuseValue, Validity } from './built-column.js';
import { asciiBounds, utf8Bounds } from './text-bounds.js';

/**
 * Columns of strings and of lists of strings. The strings of a column are joined and encoded in one call: when the
 * bytes are as many as the UTF-16 units, all of it is ASCII and the lengths of the strings are the offsets.
 */

const encoder = new TextEncoder();
const INT32_MAX = 2 ** 31 - 1;

interface Encoded {
  bytes: Uint8Array;
  /** strings + 1 offsets into `bytes`. */
  offsets: Int32Array;
  ascii: boolean;
}

export function buildString(column: Column, rows: readonly Row[]): BuiltColumn {
  const validity = new Validity(column, rows.length);
  const strings: string[] = new Array(rows.length);
  const isNull: boolean[] = [];
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![column.index];
    if (value === null) {
      validity.setNull(i);
      isNull[i] = true;
      strings[i] = '';
      continue;
    }
    if (typeof value !== 'string') refuseValue(column, value);
    strings[i] = value;
  }
  const encoded = encodeStrings(column, strings);
  const present = (i: number) => isNull[i] !== true;
  return {
    data: makeData({
      type: new Utf8(),
      length: rows.length,
      valueOffsets: encoded.offsets,
      data: encoded.bytes,
      ...validity.props,
    }),
    nullCount: validity.nullCount,
    bounds: encoded.ascii
      ? asciiBounds(strings, present)
      : utf8Bounds(encoded.bytes, encoded.offsets, present),
  };
}

/** A null list is written as an empty one. */
export function buildStringList(column: Column, rows: readonly Row[]): BuiltColumn {
  const listOffsets = new Int32Array(rows.length + 1);
  const strings: string[] = [];
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![column.index];
    if (Array.isArray(value)) {
      for (const item of value) {
        if (typeof item !== 'string') refuseValue(column, item);
        strings.push(item);
      }
    } else if (value !== null) refuseValue(column, value);
    listOffsets[i + 1] = strings.length;
  }
  const encoded = encodeStrings(column, strings);
  const child = makeData({
    type: new Utf8(),
    length: strings.length,
    nullCount: 0,
    valueOffsets: encoded.offsets,
    data: encoded.bytes,
  });
  const type = new List(new Field('element', new Utf8(), false));
  return {
    data: makeData({ type, length: rows.length, nullCount: 0, valueOffsets: listOffsets, child }),
    nullCount: 0,
    bounds: null,
  };
}

function encodeStrings(column: Column, strings: readonly string[]): Encoded {
  const joined = strings.join('');
  const bytes = encoder.encode(joined);
  invariant(bytes.length <= INT32_MAX, 'a column of one file passes 2 GiB', { column: column.name });
  const offsets = new Int32Array(strings.length + 1);
  if (bytes.length === joined.length) {
    let offset = 0;
    for (let i = 0; i < strings.length; i++) {
      offset += strings[i]!.length;
      offsets[i + 1] = offset;
    }
    return { bytes, offsets, ascii: true };
  }
  let offset = 0;
  for (let i = 0; i < strings.length; i++) {
    offset += Buffer.byteLength(strings[i]!);
    offsets[i + 1] = offset;
  }
  if (offset !== bytes.length) return encodeStrings(column, strings.map(wellFormed));
  return { bytes, offsets, ascii: false };
}

/** Lone surrogates become U+FFFD. Left alone, two of them could meet at a seam of the joined text. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
