/** CRC-32C, eight bytes a step by eight tables of 256. */
import { reserve } from './memory';

const POLYNOMIAL: u32 = 0x82f63b78;
let tables: usize = 0;

export function crcInit(): void {
  tables = reserve(8 * 1024);
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
    store<u32>(tables + (byte << 2), crc);
  }
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = load<u32>(tables + (byte << 2));
    for (let table: u32 = 1; table < 8; table++) {
      crc = (crc >> 8) ^ load<u32>(tables + ((crc & 0xff) << 2));
      store<u32>(tables + (table << 10) + (byte << 2), crc);
    }
  }
}

export function crc32c(at: usize, bytes: u32): u32 {
  let crc: u32 = ~0;
  const t = tables;
  const end = at + bytes;
  while (at + 8 <= end) {
    const low = load<u32>(at) ^ crc;
    const high = load<u32>(at + 4);
    crc =
      load<u32>(t + 7168 + ((low & 0xff) << 2)) ^
      load<u32>(t + 6144 + (((low >> 8) & 0xff) << 2)) ^
      load<u32>(t + 5120 + (((low >> 16) & 0xff) << 2)) ^
      load<u32>(t + 4096 + ((low >> 24) << 2)) ^
      load<u32>(t + 3072 + ((high & 0xff) << 2)) ^
      load<u32>(t + 2048 + (((high >> 8) & 0xff) << 2)) ^
      load<u32>(t + 1024 + (((high >> 16) & 0xff) << 2)) ^
      load<u32>(t + ((high >> 24) << 2));
    at += 8;
  }
  while (at < end) {
    crc = (crc >> 8) ^ load<u32>(t + (((crc ^ load<u8>(at)) & 0xff) << 2));
    at++;
  }
  return ~crc;
}
