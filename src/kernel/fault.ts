/**
 * What the kernel can find wrong with a batch, by number: read by both compilers, so nothing but literals. FAULT_NONE is in
 * abi.ts, the words are in bytes.ts. A decompression gives bytes or one of these, negated.
 */

export const FAULT_RECORD_COUNT = 1;
export const FAULT_OFFSETS = 2;
export const FAULT_BEHIND_RECORDS = 3;
export const FAULT_RECORD_LONG = 4;
export const FAULT_RECORD_SHORT = 5;
export const FAULT_HEADER_COUNT = 6;
export const FAULT_LENGTH = 7;
export const FAULT_VARINT_CUT = 8;
export const FAULT_VARINT_32 = 9;
export const FAULT_VARINT_LONG_5 = 10;
export const FAULT_VARINT_LONG_10 = 11;
export const FAULT_TIMESTAMP = 12;
/** The words for it are the plain codec's. */
export const FAULT_COMPRESSION = 13;
