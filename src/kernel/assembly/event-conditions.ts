/** A condition asked of one event's values, as they were scanned: what decides where the event goes. */
import {
  CONDITION_ARGUMENT,
  CONDITION_FIELD,
  CONDITION_KIND,
  CONDITION_LEAST,
  CONDITION_MOST,
  IS_ABSENT,
  IS_ALL,
  IS_ANY,
  IS_NONE_OF,
  IS_ONE_OF,
  IS_PRESENT,
  IS_WITHIN,
  NULL_NUMBER_HIGH,
  PARTS,
  SET_COUNT,
  SET_TEXT_BYTES,
  SET_TEXTS,
  TYPE_STRING,
  VALUE_BYTES,
} from '../abi';
import { sameBytes } from './bytes';
import { conditionAt } from './conditions';
import { program, typeOfField } from './model';

/** Values as in abi.ts. */
export function holds(index: u32, values: usize): bool {
  const condition = conditionAt(index);
  const kind = load<u32>(condition + CONDITION_KIND);
  if (kind == IS_ALL || kind == IS_ANY) return combined(condition, values, kind == IS_ALL);
  const field = load<u32>(condition + CONDITION_FIELD);
  const value = values + field * VALUE_BYTES;
  if (kind == IS_ONE_OF) return isOneOf(condition, value);
  if (kind == IS_NONE_OF) return !isOneOf(condition, value);
  const isNull =
    typeOfField(field) == TYPE_STRING ? load<u32>(value) == 0 : load<u32>(value, 4) == NULL_NUMBER_HIGH;
  if (kind == IS_PRESENT) return !isNull;
  if (kind == IS_ABSENT) return isNull;
  if (isNull) return false;
  const number = load<f64>(value);
  const least = load<f64>(condition + CONDITION_LEAST);
  return kind == IS_WITHIN ? number >= least && number <= load<f64>(condition + CONDITION_MOST) : number == least;
}

function combined(condition: usize, values: usize, all: bool): bool {
  const parts = program + load<u32>(condition + CONDITION_ARGUMENT);
  const count = load<u32>(parts);
  for (let part: u32 = 0; part < count; part++) {
    if (holds(load<u32>(parts + PARTS + (part << 2)), values) != all) return !all;
  }
  return all;
}

/** Of a string's value; null is none of them. */
function isOneOf(condition: usize, value: usize): bool {
  const at = load<u32>(value);
  if (at == 0) return false;
  const bytes = load<u32>(value + 4);
  const set = program + load<u32>(condition + CONDITION_ARGUMENT);
  const count = load<u32>(set + SET_COUNT);
  for (let index: u32 = 0; index < count; index++) {
    const text = set + SET_TEXTS + index * SET_TEXT_BYTES;
    if (load<u32>(text + 4) == bytes && sameBytes(program + load<u32>(text), at, bytes)) return true;
  }
  return false;
}
