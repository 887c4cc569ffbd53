/** Definition and repetition levels: which values are there, and where a row's list begins. */
import { clearBehind, clearBit, copyBits, countBits, writeLevelsHead, writeSameLevels } from './parquet-bits';

/** The most that both levels of so many values take. */
export function levelsBytesMax(values: u64): u64 {
  return 2 * ((values >> 3) + 16);
}

/** Of a column that may have nulls, and `validity` of 0 has none. */
export function writePresence(to: usize, validity: usize, from: u32, until: u32): usize {
  const count = until - from;
  const present = validity == 0 ? count : countBits(validity, from, until);
  if (present == count) return writeSameLevels(to, 1, count);
  if (present == 0) return writeSameLevels(to, 0, count);
  return copyBits(writeLevelsHead(to, count), validity, from, count);
}

export function emptyLists(offsets: usize, from: u32, until: u32): u32 {
  let empty: u32 = 0;
  for (let r = from; r < until; r++) {
    const at = offsets + (<usize>r << 2);
    empty += u32(load<u32>(at) == load<u32>(at, 4));
  }
  return empty;
}

/** Repetition, 0 where a row begins, then definition, 0 where a list is empty. */
export function writeListLevels(to: usize, offsets: usize, from: u32, until: u32): usize {
  const items = load<u32>(offsets + (<usize>until << 2)) - load<u32>(offsets + (<usize>from << 2));
  const empty = emptyLists(offsets, from, until);
  const count = items + empty;
  to = count == until - from ? writeSameLevels(to, 0, count) : writeRepetition(to, offsets, from, until, count);
  if (empty == 0) return writeSameLevels(to, 1, count);
  return items == 0 ? writeSameLevels(to, 0, count) : writeDefinition(to, offsets, from, until, count);
}

function writeRepetition(to: usize, offsets: usize, from: u32, until: u32, count: u32): usize {
  const bits = allOnes(to, count);
  let place: u32 = 0;
  for (let r = from; r < until; r++) {
    const at = offsets + (<usize>r << 2);
    clearBit(bits, place);
    place += max<u32>(load<u32>(at, 4) - load<u32>(at), 1);
  }
  return bits + ((count + 7) >> 3);
}

function writeDefinition(to: usize, offsets: usize, from: u32, until: u32, count: u32): usize {
  const bits = allOnes(to, count);
  let place: u32 = 0;
  for (let r = from; r < until; r++) {
    const at = offsets + (<usize>r << 2);
    const items = load<u32>(at, 4) - load<u32>(at);
    if (items == 0) clearBit(bits, place);
    place += max<u32>(items, 1);
  }
  return bits + ((count + 7) >> 3);
}

function allOnes(to: usize, count: u32): usize {
  const bits = writeLevelsHead(to, count);
  memory.fill(bits, 0xff, (count + 7) >> 3);
  clearBehind(bits, count);
  return bits;
}
