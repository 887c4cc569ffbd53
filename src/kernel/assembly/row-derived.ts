/** Columns made of those before them in the row in the making; src/reference/formula.ts says the same of formulas. */
import {
  CODE_ABS,
  CODE_ADD,
  CODE_AND,
  CODE_AT_MOST,
  CODE_BELOW,
  CODE_COLUMN,
  CODE_DIVIDE,
  CODE_EQUAL,
  CODE_FLOOR,
  CODE_MAX,
  CODE_MIN,
  CODE_MULTIPLY,
  CODE_NEGATE,
  CODE_NOT,
  CODE_NUMBER,
  CODE_OR,
  CODE_ROUND,
  CODE_SUBTRACT,
  CODE_UNEQUAL,
  COLUMN_ARGUMENT,
  COLUMN_BOOL,
  COLUMN_BYTES,
  COLUMN_TYPE,
  FORMULA_STACK,
  FORMULA_STEP_BYTES,
  FORMULA_STEPS,
  JOINED_COLUMNS,
  JOINED_SEPARATOR,
  JOINED_SEPARATOR_BYTES,
  P_COLUMNS,
  TAG_FLOAT,
  TAG_NULL,
  TAG_STRING,
} from '../abi';
import { reserve } from './memory';
import { collectionBytesMax, program } from './model';
import { bufferAdd, bufferAt, bufferBytes, bufferCut, bufferRoom, putBytes, putSigned, stringBegin, stringEnd } from './row-buffer';
import { roundHalfUp } from './row-numbers';

/** By column: where its value begins in the buffer, u32. */
let places: usize = 0;
let stack: usize = 0;

export function derivedInit(columns: u32): void {
  places = reserve((columns << 2) + 4);
  stack = reserve(FORMULA_STACK << 3);
}

/** Notes where a column's value begins: before it is put. */
// @ts-ignore: decorator
@inline
export function notePlace(index: u32): void {
  store<u32>(places + (index << 2), bufferBytes);
}

// @ts-ignore: decorator
@inline
function valueOfColumn(index: u32): usize {
  return bufferAt + load<u32>(places + (index << 2));
}

/** A column as a number, NaN for null. */
function columnNumber(index: u32): f64 {
  const at = valueOfColumn(index);
  const tag = load<u8>(at);
  if (tag == TAG_NULL) return NaN;
  return tag == TAG_FLOAT ? load<f64>(at + 1) : <f64>load<i64>(at + 1);
}

/** A column's formula, NaN for null. */
export function calculated(column: usize): f64 {
  const formula = program + load<u32>(column + COLUMN_ARGUMENT);
  const end = formula + FORMULA_STEPS + load<u32>(formula) * FORMULA_STEP_BYTES;
  // behind the value on top
  let top = stack;
  for (let step = formula + FORMULA_STEPS; step < end; step += FORMULA_STEP_BYTES) {
    const code = load<u32>(step);
    if (code == CODE_NUMBER) {
      store<f64>(top, load<f64>(step + 8));
      top += 8;
    } else if (code == CODE_COLUMN) {
      store<f64>(top, columnNumber(load<u32>(step + 4)));
      top += 8;
    } else if (isOfOne(code)) {
      store<f64>(top - 8, ofOne(code, load<f64>(top - 8)));
    } else {
      top -= 8;
      store<f64>(top - 8, ofTwo(code, load<f64>(top - 8), load<f64>(top)));
    }
  }
  return load<f64>(stack);
}

// @ts-ignore: decorator
@inline
function isOfOne(code: u32): bool {
  return code == CODE_NEGATE || code == CODE_NOT || code == CODE_FLOOR || code == CODE_ROUND || code == CODE_ABS;
}

function ofOne(code: u32, value: f64): f64 {
  if (isNaN(value)) return NaN;
  switch (code) {
    case CODE_NEGATE:
      return -value;
    case CODE_NOT:
      return <f64>u32(value == 0);
    case CODE_FLOOR:
      return floor<f64>(value);
    case CODE_ROUND:
      return roundHalfUp(value);
    default:
      return abs<f64>(value);
  }
}

function ofTwo(code: u32, a: f64, b: f64): f64 {
  if (isNaN(a) || isNaN(b)) return NaN;
  switch (code) {
    case CODE_ADD:
      return a + b;
    case CODE_SUBTRACT:
      return a - b;
    case CODE_MULTIPLY:
      return a * b;
    case CODE_DIVIDE:
      return b == 0 ? NaN : a / b;
    case CODE_EQUAL:
      return <f64>u32(a == b);
    case CODE_UNEQUAL:
      return <f64>u32(a != b);
    case CODE_BELOW:
      return <f64>u32(a < b);
    case CODE_AT_MOST:
      return <f64>u32(a <= b);
    case CODE_AND:
      return <f64>u32(a != 0 && b != 0);
    case CODE_OR:
      return <f64>u32(a != 0 || b != 0);
    case CODE_MIN:
      return b < a ? b : a;
    case CODE_MAX:
      return b > a ? b : a;
  }
  return NaN;
}

/** Several columns as one text. True: some were left out that would not fit. */
export function putConcat(column: usize): bool {
  const joined = program + load<u32>(column + COLUMN_ARGUMENT);
  const count = load<u32>(joined);
  const lengthAt = stringBegin();
  const endAt = bufferBytes + collectionBytesMax;
  let isFirst = true;
  let isCut = false;
  for (let index: u32 = 0; index < count; index++) {
    const each = load<u32>(joined + JOINED_COLUMNS + (index << 2));
    if (load<u8>(valueOfColumn(each)) == TAG_NULL) continue;
    const partAt = bufferBytes;
    if (!isFirst) {
      putBytes(program + load<u32>(joined + JOINED_SEPARATOR), load<u32>(joined + JOINED_SEPARATOR_BYTES));
    }
    putPart(each);
    if (bufferBytes > endAt) {
      bufferCut(partAt);
      isCut = true;
      break;
    }
    isFirst = false;
  }
  stringEnd(lengthAt);
  return isCut;
}

function putPart(each: u32): void {
  const at = valueOfColumn(each);
  if (load<u8>(at) == TAG_STRING) {
    putFromBuffer(load<u32>(places + (each << 2)) + 5, load<u32>(at + 1));
    return;
  }
  const value = load<i64>(at + 1);
  const type = load<u32>(program + load<u32>(program + P_COLUMNS) + each * COLUMN_BYTES + COLUMN_TYPE);
  if (type == COLUMN_BOOL) putTruth(value != 0);
  else putSigned(value);
}

/** The words as numbers, so that the kernel has no static data. */
export function putTruth(value: bool): void {
  store<u64>(bufferRoom(8), value ? 0x65757274 : 0x65736c6166);
  bufferAdd(value ? 4 : 5);
}

/** A text that lies in the buffer itself, which may move. */
function putFromBuffer(from: u32, bytes: u32): void {
  const to = bufferRoom(bytes);
  memory.copy(to, bufferAt + from, bytes);
  bufferAdd(bytes);
}
