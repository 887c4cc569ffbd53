import { DATA_AT, type RecordType, type RingPlace, ringBytes } from '#src/ring/layout.js';
import type { RecordHeader } from '#src/ring/producer.js';

/**
 * A ring in its own shared buffer, with its data area full of 0xFF: what the ring does not zero itself, shows.
 * `startPosition` (a multiple of 64) is where both ends begin, as after that many bytes of traffic.
 */
export function dirtyRing(capacityBytes: number, startPosition = 0n, baseBytes = 0): RingPlace {
  const buffer = new SharedArrayBuffer(baseBytes + ringBytes(capacityBytes));
  new Uint8Array(buffer, baseBytes + DATA_AT).fill(0xff);
  const cells = new BigInt64Array(buffer, baseBytes, DATA_AT / 8);
  cells[0] = startPosition;
  cells[128 / 8] = startPosition;
  return { buffer, baseBytes, capacityBytes };
}

/** `length` bytes that depend on `seed`, none of them zero. */
export function payloadOf(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) bytes[i] = ((seed * 31 + i * 7) % 255) + 1;
  return bytes;
}

export function headerOf(type: RecordType, number: number): RecordHeader {
  return {
    type,
    partition: number % 24,
    incarnation: number >> 3,
    offset: BigInt(number),
    aux: -BigInt(number),
  };
}
