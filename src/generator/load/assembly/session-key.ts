import { nextWord } from './words';
import { putHex, putUuid } from './text';

/**
 * Sessions that are a record's key must belong into its partition: the last word of the key is drawn until Kafka's murmur2
 * says so. What goes before it is hashed once.
 */

const SEED: u32 = 0x9747b28c;
const MULTIPLIER: u32 = 0x5bd1e995;
const KEY_BYTES: u32 = 36;
const key = memory.data(40);

/** `session`: its four words, `words`: the partition's chance. */
export function placeSession(session: usize, words: usize, partition: u32, partitions: u32): void {
  putUuid(key, session);
  let before = SEED ^ KEY_BYTES;
  for (let at: usize = 0; at < KEY_BYTES - 4; at += 4) before = withWord(before, load<u32>(key + at));
  const last = load<u32>(session, 12);
  let bits = last & 0xffff;
  while ((finished(withWord(before, load<u32>(key, KEY_BYTES - 4))) & 0x7fffffff) % partitions != partition) {
    bits = nextWord(words) >> 16;
    putHex(key + KEY_BYTES - 4, bits);
  }
  store<u32>(session, (last & 0xffff0000) | bits, 12);
}

// @ts-ignore: decorator
@inline
function withWord(hash: u32, word: u32): u32 {
  let mixed = word * MULTIPLIER;
  mixed ^= mixed >> 24;
  return (hash * MULTIPLIER) ^ (mixed * MULTIPLIER);
}

// @ts-ignore: decorator
@inline
function finished(hash: u32): u32 {
  const mixed = (hash ^ (hash >> 13)) * MULTIPLIER;
  return mixed ^ (mixed >> 15);
}
