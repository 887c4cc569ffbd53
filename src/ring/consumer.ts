import { invariant } from '../invariant.js';
import {
  AUX_AT,
  DATA_AT,
  HEAD_BYTES_AT,
  INCARNATION_AT,
  indexOf,
  LENGTH_AT,
  OFFSET_AT,
  PARTITION_AT,
  RECORD_HEADER_BYTES,
  RecordType,
  type RingPlace,
  recordBytes,
  TAIL_BYTES_AT,
  TYPE_AT,
} from './layout.js';

/** One record where it lies. `bytes` is shared memory: valid until the next `advance`. */
export interface RingRecord {
  type: RecordType;
  partition: number;
  incarnation: number;
  offset: bigint;
  aux: bigint;
  bytes: Uint8Array;
}

/** The reading end of a ring. Used by one thread only; never blocks. */
export class RingConsumer {
  readonly capacityBytes: number;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #head: BigInt64Array;
  readonly #tail: BigInt64Array;
  #position: bigint;
  /** Bytes of the record last peeked at, 0 when none. */
  #peeked = 0;

  constructor(place: RingPlace) {
    const { buffer, baseBytes, capacityBytes } = place;
    this.capacityBytes = capacityBytes;
    this.#view = new DataView(buffer, baseBytes + DATA_AT, capacityBytes);
    this.#bytes = new Uint8Array(buffer, baseBytes + DATA_AT, capacityBytes);
    this.#tail = new BigInt64Array(buffer, baseBytes + TAIL_BYTES_AT, 1);
    this.#head = new BigInt64Array(buffer, baseBytes + HEAD_BYTES_AT, 1);
    this.#position = Atomics.load(this.#head, 0);
  }

  /** Bytes published and not yet consumed. */
  filledBytes(): number {
    return Number(Atomics.load(this.#tail, 0) - this.#position);
  }

  /** The next record, or null when the ring is empty. Its bytes stay valid until `advance`. */
  peek(): RingRecord | null {
    for (;;) {
      const tail = Atomics.load(this.#tail, 0);
      if (tail === this.#position) return null;
      const at = indexOf(this.#position, this.capacityBytes);
      const length = this.#view.getInt32(at + LENGTH_AT, true);
      const type = this.#view.getInt32(at + TYPE_AT, true) as RecordType;
      invariant(
        length >= 0 && at + RECORD_HEADER_BYTES + length <= this.capacityBytes,
        'ring record out of bounds',
      );
      if (type === RecordType.padding) {
        this.#release(RECORD_HEADER_BYTES + length);
        continue;
      }
      this.#peeked = recordBytes(length);
      const from = at + RECORD_HEADER_BYTES;
      return {
        type,
        partition: this.#view.getInt32(at + PARTITION_AT, true),
        incarnation: this.#view.getInt32(at + INCARNATION_AT, true),
        offset: this.#view.getBigInt64(at + OFFSET_AT, true),
        aux: this.#view.getBigInt64(at + AUX_AT, true),
        bytes: this.#bytes.subarray(from, from + length),
      };
    }
  }

  /** Gives the space of the peeked record back to the producer. */
  advance(): void {
    invariant(this.#peeked > 0, 'nothing was peeked at');
    this.#release(this.#peeked);
    this.#peeked = 0;
  }

  /**
   * Resolves when something was published, or after `timeoutMs` at the latest. The thread's other I/O goes on
   * meanwhile, which a blocking Atomics.wait would stop. It does not keep the thread's event loop alive: an open
   * MessagePort or a timer must.
   */
  async wait(timeoutMs: number): Promise<void> {
    const result = Atomics.waitAsync(this.#tail, 0, this.#position, timeoutMs);
    if (result.async) await result.value;
  }

  #release(bytes: number): void {
    this.#position += BigInt(bytes);
    Atomics.store(this.#head, 0, this.#position);
    Atomics.notify(this.#head, 0);
  }
}
