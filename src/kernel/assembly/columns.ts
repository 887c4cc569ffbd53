/**
 * Rows as canonical bytes → Arrow columns. Two passes: the first adds up what every column needs, so that each buffer is
 * taken once and whole; the second goes through the rows in blocks that stay in the cache, and within a block column by
 * column, so that one loop handles one type (columns-fill.ts).
 */
import {
  COLUMN_BOOL,
  COLUMN_BYTES,
  COLUMN_LIST,
  COLUMN_OP,
  COLUMN_STRING,
  COLUMN_TYPE,
  OP_BATCH_ID,
  OP_CREATED_AT,
  OP_FILE_ID,
  P_COLUMN_COUNT,
  P_COLUMNS,
  TAG_LIST,
  TAG_NULL,
  TAG_STRING,
} from '../abi';
import {
  BUILT_BYTES,
  BUILT_CHILD_OFFSETS,
  BUILT_CHILDREN,
  BUILT_NULLS,
  BUILT_OFFSETS,
  BUILT_VALIDITY,
  BUILT_VALUES,
  BUILT_VALUES_BYTES,
  COLUMNS_COUNT,
  COLUMNS_FULL,
  COLUMNS_HEADER_BYTES,
  COLUMNS_NOT_ROWS,
  COLUMNS_ROWS,
} from '../columns-layout';
import { fillColumn, tagOf, widthOf } from './columns-fill';
import { alloc, free } from './memory';

/** 100 KB of rows: they come from the second-level cache when the next column is read. */
const BLOCK_ROWS: u32 = 128;
/** Texts are copied sixteen bytes at a time, over their end. */
const SLACK_BYTES: u64 = 16;
const ARROW_BYTES_MAX: u64 = 0x7fffffff;

/**
 * `rows` addresses of canonical rows at `rowPtrs`, u32 each → the descriptor of columns-layout.ts, COLUMNS_FULL or
 * COLUMNS_NOT_ROWS. Reads up to 16 bytes behind a row.
 */
export function columnsBuild(program: usize, rowPtrs: usize, rows: u32): usize {
  const count = load<u32>(program + P_COLUMN_COUNT);
  const columns = program + load<u32>(program + P_COLUMNS);
  const bytes = COLUMNS_HEADER_BYTES + count * BUILT_BYTES;
  const built = alloc(bytes);
  if (built == 0) return COLUMNS_FULL;
  memory.fill(built, 0, bytes);
  store<u32>(built + COLUMNS_ROWS, rows);
  store<u32>(built + COLUMNS_COUNT, count);
  // where in each row the next column begins
  const cursors = alloc(rows << 2);
  let at: usize = COLUMNS_FULL;
  if (cursors != 0) {
    at = buildWith(cursors, columns, built, rowPtrs);
    free(cursors);
  }
  if (at == COLUMNS_FULL || at == COLUMNS_NOT_ROWS) columnsFree(built);
  return at;
}

export function columnsFree(built: usize): void {
  const count = load<u32>(built + COLUMNS_COUNT);
  for (let c: u32 = 0; c < count; c++) {
    const column = built + COLUMNS_HEADER_BYTES + c * BUILT_BYTES;
    const values = load<u32>(column + BUILT_VALUES);
    const offsets = load<u32>(column + BUILT_OFFSETS);
    const children = load<u32>(column + BUILT_CHILD_OFFSETS);
    const validity = load<u32>(column + BUILT_VALIDITY);
    if (values != 0) free(values);
    if (offsets != 0) free(offsets);
    if (children != 0) free(children);
    if (validity != 0) free(validity);
  }
  free(built);
}

function buildWith(cursors: usize, columns: usize, built: usize, rowPtrs: usize): usize {
  const rows = load<u32>(built + COLUMNS_ROWS);
  const count = load<u32>(built + COLUMNS_COUNT);
  for (let r: u32 = 0; r < rows; r++) {
    if (!measureRow(load<u32>(rowPtrs + (r << 2)), columns, built)) return COLUMNS_NOT_ROWS;
  }
  for (let c: u32 = 0; c < count; c++) {
    const column = columns + c * COLUMN_BYTES;
    if (isSealed(column)) continue;
    const out = built + COLUMNS_HEADER_BYTES + c * BUILT_BYTES;
    if (!takeBuffers(out, load<u32>(column + COLUMN_TYPE), rows)) return COLUMNS_FULL;
  }
  memory.copy(cursors, rowPtrs, rows << 2);
  for (let from: u32 = 0; from < rows; from += BLOCK_ROWS) {
    const until = min(from + BLOCK_ROWS, rows);
    for (let c: u32 = 0; c < count; c++) {
      const column = columns + c * COLUMN_BYTES;
      if (isSealed(column)) continue;
      const out = built + COLUMNS_HEADER_BYTES + c * BUILT_BYTES;
      fillColumn(load<u32>(column + COLUMN_TYPE), out, cursors, from, until);
    }
  }
  return built;
}

/** Adds a row to the sizes of the columns. False: it has a value of another type than its column's. */
function measureRow(at: usize, columns: usize, built: usize): bool {
  const count = load<u32>(built + COLUMNS_COUNT);
  for (let c: u32 = 0; c < count; c++) {
    const column = columns + c * COLUMN_BYTES;
    if (isSealed(column)) continue;
    const out = built + COLUMNS_HEADER_BYTES + c * BUILT_BYTES;
    const tag: u32 = load<u8>(at++);
    if (tag == TAG_NULL) {
      store<u32>(out + BUILT_NULLS, load<u32>(out + BUILT_NULLS) + 1);
      continue;
    }
    if (tag != tagOf(load<u32>(column + COLUMN_TYPE))) return false;
    if (tag == TAG_STRING) {
      const bytes = load<u32>(at);
      addBytes(out, bytes);
      at += 4 + bytes;
    } else if (tag == TAG_LIST) {
      at = measureList(at, out);
    } else {
      at += 8;
    }
  }
  return true;
}

function measureList(at: usize, out: usize): usize {
  const items = load<u32>(at);
  let sum: u64 = 0;
  at += 4;
  for (let i: u32 = 0; i < items; i++) {
    const bytes = load<u32>(at);
    sum += bytes;
    at += 4 + bytes;
  }
  store<u32>(out + BUILT_CHILDREN, load<u32>(out + BUILT_CHILDREN) + items);
  addBytes(out, sum);
  return at;
}

/** Stays at the greatest number where it would pass it: rows may share their bytes. */
// @ts-ignore: decorator
@inline
function addBytes(out: usize, bytes: u64): void {
  const sum = <u64>load<u32>(out + BUILT_VALUES_BYTES) + bytes;
  store<u32>(out + BUILT_VALUES_BYTES, sum > <u64>u32.MAX_VALUE ? u32.MAX_VALUE : <u32>sum);
}

/** False: memory is full, or Arrow's offsets would not reach. What was taken is in the descriptor. */
function takeBuffers(out: usize, type: u32, rows: u32): bool {
  const isList = type == COLUMN_LIST;
  const isText = isList || type == COLUMN_STRING;
  let bytes: u64 = isText ? load<u32>(out + BUILT_VALUES_BYTES) : <u64>rows * widthOf(type);
  if (type == COLUMN_BOOL) bytes = <u64>((rows + 7) >> 3);
  const nulls = load<u32>(out + BUILT_NULLS);
  if (!take(out + BUILT_VALUES, bytes + SLACK_BYTES)) return false;
  if (type == COLUMN_BOOL) memory.fill(load<u32>(out + BUILT_VALUES), 0, <usize>bytes);
  store<u32>(out + BUILT_VALUES_BYTES, <u32>bytes);
  if (isText && !takeOffsets(out + BUILT_OFFSETS, rows)) return false;
  if (isList) {
    // an absent list is an empty one
    store<u32>(out + BUILT_NULLS, 0);
    return takeOffsets(out + BUILT_CHILD_OFFSETS, load<u32>(out + BUILT_CHILDREN));
  }
  if (nulls == 0) return true;
  const validity = <u64>((rows + 7) >> 3);
  if (!take(out + BUILT_VALIDITY, validity)) return false;
  memory.fill(load<u32>(out + BUILT_VALIDITY), 0xff, <usize>validity);
  return true;
}

function takeOffsets(place: usize, entries: u32): bool {
  if (!take(place, (<u64>entries + 1) << 2)) return false;
  store<u32>(load<u32>(place), 0);
  return true;
}

function take(place: usize, bytes: u64): bool {
  if (bytes > ARROW_BYTES_MAX) return false;
  const at = alloc(<u32>bytes);
  store<u32>(place, <u32>at);
  return at != 0;
}

// @ts-ignore: decorator
@inline
function isSealed(column: usize): bool {
  const op = load<u32>(column + COLUMN_OP);
  return op == OP_CREATED_AT || op == OP_BATCH_ID || op == OP_FILE_ID;
}
