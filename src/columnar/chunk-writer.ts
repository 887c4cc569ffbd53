import type { Data } from 'apache-arrow';
import { invariant } from '../invariant.js';
import * as layout from '../kernel/chunk-layout.js';
import type { Column } from '../model/types.js';
import type { BuiltColumn } from './built-column.js';
import type { ChunkMemory } from './chunk-memory.js';
import { fileType, isNullable } from './schema.js';

/** One column of one row group as Parquet has it: its pages, the dictionary before those that it serves. */
export interface Chunk {
  pages: Uint8Array[];
  /** Of the first of them; 0: there is no dictionary. */
  dictionaryBytes: number;
  bytes: number;
  /** Before compression. */
  rawBytes: number;
  /** With nulls, and one for each empty list. */
  values: number;
  /** Pages of each encoding, without the dictionary. */
  encodings: Map<number, number>;
}

/**
 * `built` has `rows` rows. `hasDictionary`: one is tried, for texts and for numbers of eight bytes. Throws what the memory
 * throws when it has no room.
 */
export function writeChunk(
  memory: ChunkMemory,
  column: Column,
  built: BuiltColumn,
  rows: number,
  hasDictionary: boolean,
): Chunk {
  begin(memory, column, built, rows, hasDictionary);
  const chunk: Chunk = {
    pages: [],
    dictionaryBytes: 0,
    bytes: 0,
    rawBytes: 0,
    values: 0,
    encodings: new Map(),
  };
  const { exports, report } = memory;
  for (let bytes = exports.chunkNext(); bytes !== 0; bytes = exports.chunkNext()) {
    const told = new DataView(memory.memory.buffer, report, layout.REPORT_BYTES);
    const at = told.getUint32(layout.REPORT_AT, true);
    // leaves the shared memory
    const page = new Uint8Array(memory.memory.buffer, at, bytes >>> 0).slice();
    chunk.bytes += page.length;
    chunk.rawBytes += told.getUint32(layout.REPORT_RAW_BYTES, true);
    if (told.getUint32(layout.REPORT_KIND, true) === layout.PAGE_DICTIONARY) {
      chunk.dictionaryBytes = page.length;
      chunk.pages.unshift(page);
      continue;
    }
    chunk.pages.push(page);
    chunk.values += told.getUint32(layout.REPORT_VALUES, true);
    const encoding = told.getUint32(layout.REPORT_ENCODING, true);
    chunk.encodings.set(encoding, (chunk.encodings.get(encoding) ?? 0) + 1);
  }
  return chunk;
}

function begin(
  memory: ChunkMemory,
  column: Column,
  { data, nullCount, isConstant }: BuiltColumn,
  rows: number,
  hasDictionary: boolean,
): void {
  const form = formOf(column);
  const isList = form === layout.FORM_LIST;
  const isText = isList || form === layout.FORM_TEXT;
  const texts = isList ? (data.children[0] as Data) : data;
  invariant(data.offset === 0 && texts.offset === 0, 'a column is a part of another');
  memory.clear();
  const validity = nullCount > 0 ? memory.place(data.nullBitmap) : 0;
  const values = memory.place(texts.values as ArrayBufferView);
  const offsets = isText ? memory.place(data.valueOffsets) : 0;
  const children = isList ? memory.place(texts.valueOffsets) : 0;
  const stride =
    isConstant === true || isText ? 0 : (texts.values as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  const scratch = memory.lend(memory.exports.chunkNeeds(form, rows, offsets, children));
  memory.exports.chunkBegin(
    form,
    stride,
    hasDictionary ? 1 : 0,
    isNullable(column) ? 1 : 0,
    rows,
    nullCount,
    validity,
    values,
    offsets,
    children,
    scratch,
  );
}

function formOf(column: Column): number {
  switch (fileType(column)) {
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'int32':
      return layout.FORM_INT32;
    case 'uint32':
    case 'int64':
    case 'uint64':
    case 'time':
      return layout.FORM_INT64;
    case 'float':
      return layout.FORM_DOUBLE;
    case 'bool':
      return layout.FORM_BOOL;
    case 'string':
      return layout.FORM_TEXT;
    case 'list<string>':
      return layout.FORM_LIST;
  }
}
