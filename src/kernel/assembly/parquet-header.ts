/** A page's header, in Thrift's compact protocol. */
import { ENCODING_RLE, PAGE_DICTIONARY } from '../chunk-layout';
import { writeZigzag } from './parquet-bits';

/** Room before a page for its header. */
export const PAGE_HEADER_BYTES: usize = 64;

/** Fields one behind the other: a step of 1 to the next number, and an i32. */
const NEXT_I32: u8 = 0x15;
/** Fields 5 and 7, both behind field 3. */
const DATA_HEADER: u8 = 0x2c;
const DICTIONARY_HEADER: u8 = 0x4c;

/** Ends where the page begins, at `page`; made at `scratch`. Gives its length. */
export function writePageHeader(
  scratch: usize,
  page: usize,
  kind: u32,
  rawBytes: u32,
  packedBytes: u32,
  count: u32,
  encoding: u32,
): u32 {
  let at = writeI32(scratch, kind);
  at = writeI32(at, rawBytes);
  at = writeI32(at, packedBytes);
  const isDictionary = kind == PAGE_DICTIONARY;
  store<u8>(at++, isDictionary ? DICTIONARY_HEADER : DATA_HEADER);
  at = writeI32(at, count);
  at = writeI32(at, encoding);
  if (!isDictionary) {
    at = writeI32(at, ENCODING_RLE);
    at = writeI32(at, ENCODING_RLE);
  }
  store<u16>(at, 0);
  const bytes = at + 2 - scratch;
  memory.copy(page - bytes, scratch, bytes);
  return <u32>bytes;
}

function writeI32(at: usize, value: u32): usize {
  store<u8>(at, NEXT_I32);
  return writeZigzag(at + 1, value);
}
