/**
 * The Parquet writer's words, read by both compilers, so nothing but literals. A column comes as Arrow's buffers
 * (columns-layout.ts) and goes as pages: chunkNext gives one after the other, and reports of each
 * ```
 *   0  address │ kind u32 │ values u32, nulls and empty lists among them │ encoding u32 │ bytes before compression u32
 * ```
 * Both counts of bytes are with the page's header. The dictionary, which a file has before the pages that it serves, comes last.
 */
export const REPORT_AT = 0;
export const REPORT_KIND = 4;
export const REPORT_VALUES = 8;
export const REPORT_ENCODING = 12;
export const REPORT_RAW_BYTES = 16;
export const REPORT_BYTES = 64;

/** What a column is in Parquet, and how its values are written when they have no dictionary. */
export const FORM_TEXT = 0;
export const FORM_LIST = 1;
/** As differences, whatever their width in Arrow. */
export const FORM_INT32 = 2;
export const FORM_INT64 = 3;
export const FORM_DOUBLE = 4;
export const FORM_BOOL = 5;

/** Parquet's numbers. */
export const PAGE_DATA = 0;
export const PAGE_DICTIONARY = 2;
export const ENCODING_PLAIN = 0;
export const ENCODING_RLE = 3;
export const ENCODING_DELTA = 5;
export const ENCODING_INDEX = 8;
