/**
 * One column → the pages of its chunk. Where the column lies it is read; pages are made one at a time in memory that the host
 * lends for the chunk, of a size that the column says (chunkNeeds). Pages end after so many rows or items, and without a
 * dictionary after so many bytes, always between two rows.
 *
 * Texts get a dictionary when the first page finds that it pays. A page in which it grows too large has plain values, and so
 * have those behind it.
 */
import {
  ENCODING_DELTA,
  ENCODING_INDEX,
  ENCODING_PLAIN,
  FORM_BOOL,
  FORM_DOUBLE,
  FORM_INT32,
  FORM_LIST,
  FORM_TEXT,
  PAGE_DATA,
  PAGE_DICTIONARY,
  REPORT_AT,
  REPORT_BYTES,
  REPORT_ENCODING,
  REPORT_KIND,
  REPORT_RAW_BYTES,
  REPORT_VALUES,
} from '../chunk-layout';
import { reserve } from './memory';
import { bitAt, copyBits, countBits, writeIndices } from './parquet-bits';
import { deltaBytesMax, deltaInit, writeDeltas } from './parquet-delta';
import {
  copyText,
  DICTIONARY_BYTES_MAX,
  dictionaryBegin,
  dictionaryBytes,
  dictionaryCount,
  dictionaryCut,
  dictionaryNeeds,
  dictionaryWrite,
  indexOf,
  NO_INDEX,
} from './parquet-dictionary';
import { emptyLists, levelsBytesMax, writeListLevels, writePresence } from './parquet-levels';
import { PAGE_HEADER_BYTES, writePageHeader } from './parquet-header';
import { snappyBytesMax, snappyWrite, snappyWriteInit } from './snappy-write';

/** Rows of a page, and items of a list's. */
const PAGE_ITEMS: u32 = 32768;
/** Of plain texts: they and their compressed form stay in the second-level cache. */
const PAGE_BYTES: u32 = 1 << 18;
const SLACK_BYTES: u64 = 64;

let report: usize = 0;

let form: u32 = 0;
/** From one number to the next; 0: one value is every row's. */
let stride: u32 = 0;
let isNullable: bool = false;
let rows: u32 = 0;
/** 0: no null is among them. */
let validity: usize = 0;
let values: usize = 0;
let offsets: usize = 0;
let children: usize = 0;

let raw: usize = 0;
let packed: usize = 0;
let indices: usize = 0;
/** The row that the next page begins with. */
let next: u32 = 0;
let isIndexed: bool = false;
/** Does any page need the dictionary? */
let dictionaryUsed: bool = false;

/** The most that a page of the chunk can come to. */
let pageItems: u64 = 0;
let rawBytes: u64 = 0;

/** First call; gives the address of the report. */
export function chunkInit(): usize {
  report = reserve(REPORT_BYTES);
  snappyWriteInit();
  deltaInit();
  return report;
}

/** Bytes that a chunk of this column is lent. Texts lead over `offsets` to values, lists over `childOffsets` besides. */
export function chunkNeeds(theForm: u32, theRows: u32, theOffsets: usize, theChildOffsets: usize): f64 {
  measure(theForm, theRows, theOffsets, theChildOffsets);
  const items = theForm == FORM_LIST ? load<u32>(theOffsets + (<usize>theRows << 2)) : theRows;
  return <f64>(
    rawBytes +
    <u64>PAGE_HEADER_BYTES +
    snappyBytesMax(rawBytes) +
    (pageItems << 2) +
    dictionaryNeeds(items) +
    4 * SLACK_BYTES
  );
}

function measure(theForm: u32, theRows: u32, theOffsets: usize, theChildOffsets: usize): void {
  const isText = theForm == FORM_TEXT;
  if (!isText && theForm != FORM_LIST) {
    pageItems = min(<u64>theRows, <u64>PAGE_ITEMS);
    const dictionary = min(<u64>theRows << 3, <u64>DICTIONARY_BYTES_MAX);
    rawBytes = levelsBytesMax(pageItems) + max(deltaBytesMax(pageItems), dictionary) + SLACK_BYTES;
    return;
  }
  // the row of most items, and the one of most bytes with the lengths of its texts
  let mostItems: u32 = isText ? 1 : 0;
  let mostBytes: u64 = 0;
  for (let r: u32 = 0; r < theRows; r++) {
    const first = load<u32>(theOffsets + (<usize>r << 2));
    const end = load<u32>(theOffsets + (<usize>r << 2), 4);
    let bytes: u64 = <u64>(end - first) + 4;
    if (!isText) {
      mostItems = max(mostItems, end - first);
      bytes = <u64>(load<u32>(theChildOffsets + (<usize>end << 2)) - load<u32>(theChildOffsets + (<usize>first << 2)));
      bytes += <u64>(end - first) << 2;
    }
    mostBytes = max(mostBytes, bytes);
  }
  const last = load<u32>(theOffsets + (<usize>theRows << 2));
  const items = isText ? theRows : last;
  const total = (<u64>items << 2) + (isText ? last : load<u32>(theChildOffsets + (<usize>last << 2)));
  pageItems = min(<u64>items, <u64>PAGE_ITEMS + mostItems) + 8;
  const plain = min(total, PAGE_BYTES + mostBytes);
  const dictionary = min(total, <u64>DICTIONARY_BYTES_MAX);
  const levels = levelsBytesMax(pageItems + min(theRows, PAGE_ITEMS));
  rawBytes = levels + max(max(plain, dictionary), (pageItems << 2) + SLACK_BYTES) + SLACK_BYTES;
}

/**
 * `memory`: as many bytes as chunkNeeds said, at a multiple of 8. `theNulls` of 0: `theValidity` is not looked at.
 * `dictionary`: is one tried?
 */
export function chunkBegin(
  theForm: u32,
  theStride: u32,
  dictionary: bool,
  nullable: bool,
  theRows: u32,
  theNulls: u32,
  theValidity: usize,
  theValues: usize,
  theOffsets: usize,
  theChildOffsets: usize,
  memory: usize,
): void {
  measure(theForm, theRows, theOffsets, theChildOffsets);
  form = theForm;
  stride = theStride;
  isNullable = nullable;
  rows = theRows;
  validity = theNulls == 0 ? 0 : theValidity;
  values = theValues;
  offsets = theOffsets;
  children = theChildOffsets;
  raw = memory;
  packed = roundUp(raw + <usize>rawBytes);
  indices = roundUp(packed + PAGE_HEADER_BYTES + <usize>snappyBytesMax(rawBytes));
  next = 0;
  isIndexed = dictionary;
  dictionaryUsed = false;
  if (!dictionary) return;
  const items = form == FORM_LIST ? load<u32>(offsets + (<usize>rows << 2)) : rows;
  dictionaryBegin(roundUp(indices + (<usize>pageItems << 2) + 32), items, isTextual());
}

/** The next page; 0: there is none. */
export function chunkNext(): u32 {
  if (next == rows) {
    if (!dictionaryUsed) return 0;
    dictionaryUsed = false;
    return finish(PAGE_DICTIONARY, dictionaryCount, ENCODING_PLAIN, dictionaryWrite(raw));
  }
  const from = next;
  if (isIndexed) {
    const count = dictionaryCount;
    const until = pageEnd(from, false);
    const body = writeLevels(from, until);
    const end = writeIndexed(body, from, until);
    if (end != 0 && (from > 0 || pays(from, until, <u32>(end - body)))) {
      next = until;
      dictionaryUsed = true;
      return finish(PAGE_DATA, slotsOf(from, until), ENCODING_INDEX, end);
    }
    isIndexed = false;
    dictionaryCut(count);
  }
  const until = pageEnd(from, true);
  const body = writeLevels(from, until);
  next = until;
  const isWhole = !isTextual() && form != FORM_DOUBLE && form != FORM_BOOL;
  const encoding = isWhole ? ENCODING_DELTA : ENCODING_PLAIN;
  return finish(PAGE_DATA, slotsOf(from, until), encoding, writePlain(body, from, until));
}

function finish(kind: u32, count: u32, encoding: u32, end: usize): u32 {
  const bytes = <u32>(end - raw);
  const at = packed + PAGE_HEADER_BYTES;
  const packedBytes = snappyWrite(raw, bytes, at);
  const header = writePageHeader(packed, at, kind, bytes, packedBytes, count, encoding);
  store<u32>(report + REPORT_AT, <u32>(at - header));
  store<u32>(report + REPORT_KIND, kind);
  store<u32>(report + REPORT_VALUES, count);
  store<u32>(report + REPORT_ENCODING, encoding);
  store<u32>(report + REPORT_RAW_BYTES, header + bytes);
  return header + packedBytes;
}

/** A page has one row at least. */
function pageEnd(from: u32, byBytes: bool): u32 {
  let least = from + 1;
  let most = min(<u64>rows, <u64>from + PAGE_ITEMS) as u32;
  if (!isTextual()) return most;
  while (least < most) {
    const middle = least + ((most - least + 1) >> 1);
    const items = itemAt(middle) - itemAt(from);
    const bytes = <u64>textAt(middle) - textAt(from) + (<u64>items << 2);
    if (items <= PAGE_ITEMS && (!byBytes || bytes <= PAGE_BYTES)) least = middle;
    else most = middle - 1;
  }
  return least;
}

/** The first text of a row. */
// @ts-ignore: decorator
@inline
function itemAt(row: u32): u32 {
  return form == FORM_LIST ? load<u32>(offsets + (<usize>row << 2)) : row;
}

/** Where it begins. */
// @ts-ignore: decorator
@inline
function textAt(row: u32): u32 {
  const place = load<u32>(offsets + (<usize>row << 2));
  return form == FORM_LIST ? load<u32>(children + (<usize>place << 2)) : place;
}

// @ts-ignore: decorator
@inline
function isTextual(): bool {
  return form == FORM_TEXT || form == FORM_LIST;
}

/** Values of a page as its header counts them: nulls too, and one for each empty list. */
function slotsOf(from: u32, until: u32): u32 {
  if (form != FORM_LIST) return until - from;
  return itemAt(until) - itemAt(from) + emptyLists(offsets, from, until);
}

function presentIn(from: u32, until: u32): u32 {
  if (form == FORM_LIST) return itemAt(until) - itemAt(from);
  return validity == 0 ? until - from : countBits(validity, from, until);
}

/** Where the values go. */
function writeLevels(from: u32, until: u32): usize {
  if (form == FORM_LIST) return writeListLevels(raw, offsets, from, until);
  return isNullable ? writePresence(raw, validity, from, until) : raw;
}

/** Are the dictionary and its indices shorter than the values of the first page, by enough to be worth the work? */
function pays(from: u32, until: u32, indexBytes: u32): bool {
  const present = presentIn(from, until);
  const plain: u64 = isTextual() ? <u64>textAt(until) - textAt(from) + (<u64>present << 2) : <u64>present << 3;
  return (<u64>dictionaryBytes + indexBytes) * 5 <= plain * 4;
}

/** 0: the dictionary would be too large. */
function writeIndexed(to: usize, from: u32, until: u32): usize {
  const present = presentIn(from, until);
  let count: u32 = 0;
  if (isTextual()) {
    const ends = form == FORM_LIST ? children : offsets;
    const last = itemAt(until);
    let at = load<u32>(ends + (<usize>itemAt(from) << 2));
    for (let item = itemAt(from); item < last; item++) {
      const end = load<u32>(ends + (<usize>item << 2), 4);
      if (form == FORM_LIST || validity == 0 || bitAt(validity, item) != 0) {
        const index = indexOf(values + at, end - at);
        if (index == NO_INDEX) return 0;
        store<u32>(indices + (<usize>count << 2), index);
        count++;
      }
      at = end;
    }
  } else {
    for (let r = from; r < until; r++) {
      if (validity != 0 && bitAt(validity, r) == 0) continue;
      const index = indexOf(values + <usize>r * stride, 8);
      if (index == NO_INDEX) return 0;
      store<u32>(indices + (<usize>count << 2), index);
      count++;
    }
  }
  const width = dictionaryCount <= 1 ? 0 : 32 - clz(dictionaryCount - 1);
  store<u8>(to, <u8>width);
  return present == 0 ? to + 1 : writeIndices(to + 1, indices, present, width);
}

function writePlain(to: usize, from: u32, until: u32): usize {
  if (isTextual()) return writeTexts(to, from, until);
  const present = presentIn(from, until);
  if (form == FORM_DOUBLE) return writeDoubles(to, from, until);
  if (form == FORM_BOOL) return writeTruths(to, from, until);
  const is32 = form == FORM_INT32;
  if (stride == 1) return writeDeltas<i8>(to, values, stride, validity, from, until, present, is32);
  if (stride == 2) return writeDeltas<i16>(to, values, stride, validity, from, until, present, is32);
  if (stride == 4) return writeDeltas<i32>(to, values, stride, validity, from, until, present, is32);
  return writeDeltas<i64>(to, values, stride, validity, from, until, present, is32);
}

function writeTexts(to: usize, from: u32, until: u32): usize {
  const ends = form == FORM_LIST ? children : offsets;
  const last = itemAt(until);
  let at = load<u32>(ends + (<usize>itemAt(from) << 2));
  for (let item = itemAt(from); item < last; item++) {
    const end = load<u32>(ends + (<usize>item << 2), 4);
    if (form == FORM_LIST || validity == 0 || bitAt(validity, item) != 0) {
      store<u32>(to, end - at);
      to = copyText(to + 4, values + at, end - at);
    }
    at = end;
  }
  return to;
}

function writeDoubles(to: usize, from: u32, until: u32): usize {
  if (validity == 0) {
    memory.copy(to, values + (<usize>from << 3), <usize>(until - from) << 3);
    return to + (<usize>(until - from) << 3);
  }
  for (let r = from; r < until; r++) {
    if (bitAt(validity, r) == 0) continue;
    store<u64>(to, load<u64>(values + (<usize>r << 3)));
    to += 8;
  }
  return to;
}

function writeTruths(to: usize, from: u32, until: u32): usize {
  if (validity == 0) return copyBits(to, values, from, until - from);
  let bits: u32 = 0;
  let count: u32 = 0;
  for (let r = from; r < until; r++) {
    if (bitAt(validity, r) == 0) continue;
    bits |= bitAt(values, r) << count;
    if (++count < 8) continue;
    store<u8>(to++, <u8>bits);
    bits = 0;
    count = 0;
  }
  if (count > 0) store<u8>(to++, <u8>bits);
  return to;
}

// @ts-ignore: decorator
@inline
function roundUp(at: usize): usize {
  return (at + 63) & ~63;
}
