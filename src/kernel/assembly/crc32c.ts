/** CRC-32C, sixteen bytes a step by sixteen tables of 256: half the steps that wait for each other, twice the look-ups that do not. */
import { reserve } from './memory';

const POLYNOMIAL: u32 = 0x82f63b78;
const TABLES: u32 = 16;
let tables: usize = 0;

export function crcInit(): void {
  tables = reserve(TABLES * 1024);
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
    store<u32>(tables + (byte << 2), crc);
  }
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = load<u32>(tables + (byte << 2));
    for (let table: u32 = 1; table < TABLES; table++) {
      crc = (crc >> 8) ^ load<u32>(tables + ((crc & 0xff) << 2));
      store<u32>(tables + (table << 10) + (byte << 2), crc);
    }
  }
}

export function crc32c(at: usize, bytes: u32): u32 {
  let crc: u32 = ~0;
  const t = tables;
  const end = at + bytes;
  while (at + 16 <= end) {
    const a = load<u64>(at) ^ <u64>crc;
    const b = load<u64>(at, 8);
    crc = ofWord(t + 8192, a) ^ ofWord(t, b);
    at += 16;
  }
  if (at + 8 <= end) {
    crc = ofWord(t, load<u64>(at) ^ <u64>crc);
    at += 8;
  }
  while (at < end) {
    crc = (crc >> 8) ^ load<u32>(t + (((crc ^ load<u8>(at)) & 0xff) << 2));
    at++;
  }
  return ~crc;
}

/** What eight bytes come to, `t`: the table of the last one. */
// @ts-ignore: decorator
@inline
function ofWord(t: usize, word: u64): u32 {
  return (
    load<u32>(t + ((<u32>word & 0xff) << 2), 7168) ^
    load<u32>(t + ((<u32>(word >> 8) & 0xff) << 2), 6144) ^
    load<u32>(t + ((<u32>(word >> 16) & 0xff) << 2), 5120) ^
    load<u32>(t + ((<u32>(word >> 24) & 0xff) << 2), 4096) ^
    load<u32>(t + ((<u32>(word >> 32) & 0xff) << 2), 3072) ^
    load<u32>(t + ((<u32>(word >> 40) & 0xff) << 2), 2048) ^
    load<u32>(t + ((<u32>(word >> 48) & 0xff) << 2), 1024) ^
    load<u32>(t + (<u32>(word >> 56) << 2))
  );
}
