/** What a step of the scan finds behind a key, by number. */

/** Nothing that a selected key may hold. */
export const KIND_NONE: u8 = 0;
/** null, true or false; the text includes it. A selected field is null. */
export const KIND_WORD: u8 = 3;
/** Behind the quote of a string that nobody selected. */
export const KIND_ANY_STRING: u8 = 1;
export const KIND_STRING: u8 = 2;
export const KIND_ISO: u8 = 4;
/** Behind the bracket of an object or array that nobody selected. */
export const KIND_ANY_CONTAINER: u8 = 5;
/** The text includes the word. */
export const KIND_TRUE: u8 = 6;
export const KIND_FALSE: u8 = 7;
/** From here on, up to the end, the text alone doesn't say what follows. */
export const KIND_UNSURE: u8 = 8;
/** At the first byte of a number that nobody selected. */
export const KIND_ANY_NUMBER: u8 = 8;
export const KIND_NUMBER: u8 = 9;
export const KIND_UINT32: u8 = 10;
export const KIND_EPOCH_MS: u8 = 11;
export const KIND_EPOCH_S: u8 = 12;
export const KIND_INT32: u8 = 13;
/** The record's end. */
export const KIND_END: u8 = 14;
/** A piece of a text that is longer than a shape's node holds. */
export const KIND_PART: u8 = 15;

/** How the loop over a learned shape reads a value (scan-step.ts). A string that ends within sixteen bytes: */
export const WAY_SHORT: u32 = 0;
/** one that is always as long; */
export const WAY_SHORT_FIXED: u32 = 1;
/** longer ones: always as long, but not more than 47 bytes; */
export const WAY_FIXED: u32 = 2;
/** any other. */
export const WAY_WIDE: u32 = 3;
export const WAY_ISO: u32 = 4;
export const WAY_NUMBER: u32 = 5;
export const WAY_WORD: u32 = 6;
/** By kind. */
export const WAY_ANY: u32 = 7;

export function firstWay(kind: u32): u32 {
  switch (kind) {
    case KIND_ANY_STRING:
    case KIND_STRING:
      return WAY_SHORT_FIXED;
    case KIND_ISO:
      return WAY_ISO;
    case KIND_NUMBER:
      return WAY_NUMBER;
    case KIND_WORD:
      return WAY_WORD;
    default:
      return WAY_ANY;
  }
}
