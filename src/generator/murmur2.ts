/**
 * Kafka's murmur2: the hash by which Java's producer, and librdkafka's `murmur2_random`, give a keyed record its
 * partition. Computed here too, so that the generator knows an event's lane before it is sent.
 *
 * Source: org.apache.kafka.common.utils.Utils#murmur2 (32 bits, seed 0x9747b28c, little-endian words).
 */

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** The hash as a signed 32-bit number, as Java prints it. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  let hash = SEED ^ length;
  const wordsEnd = length & ~3;
  for (let at = 0; at < wordsEnd; at += 4) hash = withWord(hash, bytes, at);
  const left = length & 3;
  if (left === 3) hash ^= bytes[wordsEnd + 2]! << 16;
  if (left >= 2) hash ^= bytes[wordsEnd + 1]! << 8;
  if (left >= 1) hash = Math.imul(hash ^ bytes[wordsEnd]!, MULTIPLIER);
  return finished(hash);
}

/** The partition of a record with this key (UTF-8) in a topic of `partitions`. */
export function partitionOf(key: string, partitions: number): number {
  return partitionOfBytes(Buffer.from(key), partitions);
}

/** The same of a key's bytes. */
export function partitionOfBytes(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/**
 * Keys of one length that differ in their last word only: what goes before is hashed once. Their length is a multiple of 4.
 */
export class LastWordHash {
  readonly #before: number;

  /** `bytes`: a key; its last 4 bytes don't matter. */
  constructor(bytes: Uint8Array) {
    let hash = SEED ^ bytes.length;
    for (let at = 0; at < bytes.length - 4; at += 4) hash = withWord(hash, bytes, at);
    this.#before = hash;
  }

  /** As `partitionOf`; only the last word of `bytes` is read. */
  partition(bytes: Uint8Array, partitions: number): number {
    return (finished(withWord(this.#before, bytes, bytes.length - 4)) & 0x7fffffff) % partitions;
  }
}

function withWord(hash: number, bytes: Uint8Array, at: number): number {
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  let mixed = Math.imul(word, MULTIPLIER);
  mixed ^= mixed >>> 24;
  return Math.imul(hash, MULTIPLIER) ^ Math.imul(mixed, MULTIPLIER);
}

function finished(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return mixed ^ (mixed >>> 15);
}
