/**
 * What columnsBuild gives, read by both compilers, so nothing but literals. An address of 0 is none; all of it stays until
 * columnsFree.
 * ```
 *   0  rows u32 │ columns u32 │ columns × 64 bytes
 *      a column:  nulls u32 │ validity │ values │ bytes of values u32 │ offsets │ child offsets │ children u32 │ bounds u32
 *                 least 8 bytes │ greatest 8 bytes │ 16 of columnsBuild's own
 * ```
 * Buffers are Arrow's: validity one bit a row, 1 = there, only with nulls; offsets (rows + 1) × i32, into the values of a
 * string, into the child offsets of a list, whose (children + 1) × i32 lead into its values. Values of numbers: i8 to i64
 * (times in µs) or f64; of truths one bit a row. Columns that only the seal knows (created_at, batch_id, file_id) are all zero.
 */
export const COLUMNS_ROWS = 0;
export const COLUMNS_COUNT = 4;
export const COLUMNS_HEADER_BYTES = 8;

export const BUILT_BYTES = 64;
export const BUILT_NULLS = 0;
export const BUILT_VALIDITY = 4;
export const BUILT_VALUES = 8;
export const BUILT_VALUES_BYTES = 12;
export const BUILT_OFFSETS = 16;
export const BUILT_CHILD_OFFSETS = 20;
export const BUILT_CHILDREN = 24;
/** BOUNDS_… */
export const BUILT_BOUNDS = 28;
/** Integers i64 (times in ms), floats f64, strings: address u32 │ bytes u32. */
export const BUILT_LEAST = 32;
export const BUILT_GREATEST = 40;
/** Of strings: the first eight bytes of least and greatest, big-endian, zeros behind shorter ones. */
export const BUILT_LEAST_PREFIX = 48;
export const BUILT_GREATEST_PREFIX = 56;

/** A list, or a column of nulls. */
export const BOUNDS_NONE = 0;
export const BOUNDS_KNOWN = 1;
/** A float that is not finite was among the values. */
export const BOUNDS_REFUSED = 2;

/** Instead of a descriptor: memory is full, and nothing was kept. */
export const COLUMNS_FULL = 0;
/** Instead of a descriptor: a row is not one of this program. */
export const COLUMNS_NOT_ROWS = 1;
