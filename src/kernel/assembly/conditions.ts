/** The constants that columns compare values with. They are values like any other: interned, and held for ever. */
import {
  COLUMN_ARGUMENT,
  COLUMN_BYTES,
  COLUMN_OP,
  COLUMN_WHERE,
  OP_COUNT_IF,
  OP_LIST,
  P_COLUMN_COUNT,
  P_COLUMNS,
  SET_COUNT,
  SET_TEXT_BYTES,
  SET_TEXTS,
} from '../abi';
import { hold, intern, poolOf } from './intern';
import { reserve } from './memory';
import { placeOf, program } from './model';

/** By column: where its constants' entries are (count u32 │ entries u32), each once; 0: none. */
let constants: usize = 0;

/** After the pools are there. */
export function conditionsInit(): void {
  const columns = program + load<u32>(program + P_COLUMNS);
  const count = load<u32>(program + P_COLUMN_COUNT);
  constants = reserve((count << 2) + 4);
  for (let index: u32 = 0; index < count; index++) {
    const column = columns + index * COLUMN_BYTES;
    const op = load<u32>(column + COLUMN_OP);
    const where = load<u32>(column + COLUMN_WHERE);
    if (op == OP_COUNT_IF) store<u32>(constants + (index << 2), <u32>entriesOf(column, placeOf(column)));
    else if (op == OP_LIST && where != 0) {
      store<u32>(constants + (index << 2), <u32>entriesOf(column, where - 1));
    }
  }
}

/** The constants of a column, 0: it has none. */
// @ts-ignore: decorator
@inline
export function constantsOf(index: u32): usize {
  return load<u32>(constants + (index << 2));
}

/** Is an entry, of the place that the constants are of, one of them? */
export function isOneOf(list: usize, entry: u32): bool {
  const end = list + 4 + (<usize>load<u32>(list) << 2);
  for (let at = list + 4; at < end; at += 4) {
    if (load<u32>(at) == entry) return true;
  }
  return false;
}

function entriesOf(column: usize, place: u32): usize {
  const set = program + load<u32>(column + COLUMN_ARGUMENT);
  const count = load<u32>(set + SET_COUNT);
  const list = reserve((count << 2) + 4);
  const pool = poolOf(place);
  for (let each: u32 = 0; each < count; each++) {
    const text = set + SET_TEXTS + each * SET_TEXT_BYTES;
    const entry = <u32>intern(pool, program + load<u32>(text), load<u32>(text + 4));
    hold(entry);
    if (isOneOf(list, entry)) continue;
    const listed = load<u32>(list);
    store<u32>(list + 4 + (listed << 2), entry);
    store<u32>(list, listed + 1);
  }
  return list;
}
