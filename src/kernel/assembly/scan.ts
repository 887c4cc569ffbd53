/**
 * JSON event → the values of the model's fields, validated as strictly as a fatal TextDecoder and JSON.parse do.
 *
 * Says only «valid, these are the values» or «undecided»; src/reference/event.ts decides then. Each step goes from behind a
 * value to behind the next: along a learned shape where the bytes repeat (scan-shapes.ts), else by the walk (scan-walk.ts).
 * Either way every byte of the record is looked at.
 *
 * Behind a record lie READ_AHEAD_BYTES that may be read, of any content. Loops end at the record's end; a step may run
 * some bytes over it and is then refused, since the next text has to end before it.
 */
import {
  FIELD_BYTES,
  FIELD_REQUIRED,
  FIELD_TYPE,
  NULL_NUMBER_HIGH,
  P_FIELD_COUNT,
  P_FIELDS,
  TYPE_STRING,
  VALUE_BYTES,
} from '../abi';
import { reserve } from './memory';
import { keysInit } from './scan-keys';
import { numberInit } from './scan-number';
import { shapesInit } from './scan-shapes';
import { DEPTH_BYTES, skipInit } from './scan-skip';
import { readValues, stepInit } from './scan-step';
import { stringInit } from './scan-string';
import { timeInit } from './scan-time';
import {
  scratchFree,
  scratchInit,
  scratchPlace,
  scratchReset,
  scratchReturn,
} from './scan-unescape';

/** An event's values when all are null. */
let nulls: usize = 0;
let valueBytes: u32 = 0;
/** count u32 │ offsets of required fields' values, u32 each */
let required: usize = 0;

/** What an event's values take where it writes them: one more, too, for what nobody selected. */
export function scanValueBytes(fields: u32): u32 {
  return ((fields + 1) * VALUE_BYTES + 31) & ~31;
}

/** Builds what it needs from the program (abi.ts) at this address, which stays where it is. */
export function scanInit(program: usize): void {
  const fields = load<u32>(program + P_FIELD_COUNT);
  const table = program + load<u32>(program + P_FIELDS);
  // one more takes what nobody selected
  valueBytes = scanValueBytes(fields);
  nulls = reserve(valueBytes);
  required = reserve((fields + 1) << 2);
  let count: u32 = 0;
  for (let i: u32 = 0; i < fields; i++) {
    const field = table + i * FIELD_BYTES;
    if (load<u32>(field + FIELD_TYPE) != TYPE_STRING) store<u32>(nulls + (i << 3), NULL_NUMBER_HIGH, 4);
    if (load<u32>(field + FIELD_REQUIRED) != 0) store<u32>(required + (++count << 2), i << 3);
  }
  store<u32>(required, count);
  stepInit(keysInit(program), fields);
  skipInit(reserve(DEPTH_BYTES));
  stringInit();
  numberInit();
  timeInit();
  shapesInit();
}

/** Sets the space for unescaped strings. They stay valid until the next reset. */
export function scanScratch(at: usize, bytes: u32): void {
  scratchInit(at, bytes);
}

/** Bytes left of it; an event needs at most as many as it has. */
export function scanScratchFree(): u32 {
  return scratchFree();
}

export function scanScratchReset(): void {
  scratchReset();
}

/**
 * Scans one record value. True: a valid event, its values (abi.ts) are at `values`. False: undecided, and `values` holds
 * anything.
 */
export function scanEvent(at: usize, bytes: u32, values: usize): bool {
  const scratch = scratchPlace();
  clear(values);
  const isValid = readValues(at, at + bytes, values, nulls);
  if (isValid && hasRequired(values)) return true;
  scratchReturn(scratch);
  return false;
}

/** memory.copy is a call into the engine, dearer than these few moves. */
@inline
function clear(values: usize): void {
  for (let offset: usize = 0; offset < <usize>valueBytes; offset += 32) {
    v128.store(values + offset, v128.load(nulls + offset));
    v128.store(values + offset, v128.load(nulls + offset, 16), 16);
  }
}

@inline
function hasRequired(values: usize): bool {
  const count = load<u32>(required);
  for (let i: u32 = 1; i <= count; i++) {
    const offset = load<u32>(required + (i << 2));
    if (load<u64>(values + offset) == load<u64>(nulls + offset)) return false;
  }
  return true;
}
