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
  payloadBytesMax,
  READ_AHEAD_BYTES,
  RECORD_HEADER_BYTES,
  RecordType,
  type RingPlace,
  recordBytes,
  TAIL_BYTES_AT,
  TYPE_AT,
} from './layout.js';

/** A place in the ring that was promised to one record and is not published yet. At most one is open at a time. */
export interface Claim {
  /** The payload's bytes, to be filled by the claimer before `commit`. */
  readonly bytes: Uint8Array;
}

/** What the header of a record says. */
export interface RecordHeader {
  type: RecordType;
  partition: number;
  incarnation: number;
  offset: bigint;
  aux: bigint;
}

/** The writing end of a ring. Used by one thread only; never blocks: a full ring is the return value null. */
export class RingProducer {
  readonly capacityBytes: number;
  readonly payloadBytesMax: number;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #head: BigInt64Array;
  readonly #tail: BigInt64Array;
  #position = 0n;
  /** The consumer's position when last looked at; read again only when the ring looks full. */
  #headSeen = 0n;
  #claim: { startBytes: number; payloadBytes: number; bytes: Uint8Array } | null = null;

  constructor(place: RingPlace) {
    const { buffer, baseBytes, capacityBytes } = place;
    invariant(Number.isInteger(Math.log2(capacityBytes)), 'ring capacity must be a power of two', {
      capacityBytes,
    });
    this.capacityBytes = capacityBytes;
    this.payloadBytesMax = payloadBytesMax(capacityBytes);
    this.#view = new DataView(buffer, baseBytes + DATA_AT, capacityBytes);
    this.#bytes = new Uint8Array(buffer, baseBytes + DATA_AT, capacityBytes);
    this.#tail = new BigInt64Array(buffer, baseBytes + TAIL_BYTES_AT, 1);
    this.#head = new BigInt64Array(buffer, baseBytes + HEAD_BYTES_AT, 1);
    this.#position = Atomics.load(this.#tail, 0);
    this.#headSeen = Atomics.load(this.#head, 0);
  }

  /** Bytes that records could still take now. A record of this size may yet not fit, because of padding. */
  freeBytes(): number {
    this.#headSeen = Atomics.load(this.#head, 0);
    return this.capacityBytes - Number(this.#position - this.#headSeen);
  }

  /** The consumer's position cell, for Atomics.waitAsync while the ring is full. */
  get headCell(): BigInt64Array {
    return this.#head;
  }

  /**
   * Promises `payloadBytes` of contiguous space, or null when the ring is full now. Throws when the payload could never
   * fit (over `payloadBytesMax`). The claim ends by `commit` or `abort`.
   */
  tryClaim(payloadBytes: number): Claim | null {
    invariant(this.#claim === null, 'a claim is still open');
    invariant(payloadBytes <= this.payloadBytesMax, 'record larger than the ring can hold', { payloadBytes });
    const need = recordBytes(payloadBytes);
    let index = indexOf(this.#position, this.capacityBytes);
    const untilEnd = this.capacityBytes - index;
    const padding = need > untilEnd ? untilEnd : 0;
    if (!this.#fits(need + padding)) return null;
    if (padding > 0) {
      this.#view.setInt32(index + LENGTH_AT, padding - RECORD_HEADER_BYTES, true);
      this.#view.setInt32(index + TYPE_AT, RecordType.padding, true);
      this.#publish(padding);
      index = 0;
    }
    const startBytes = index;
    const bytes = this.#bytes.subarray(
      startBytes + RECORD_HEADER_BYTES,
      startBytes + RECORD_HEADER_BYTES + payloadBytes,
    );
    this.#claim = { startBytes, payloadBytes, bytes };
    return this.#claim;
  }

  /** Publishes the open claim with the first `payloadBytes` of it (all of it when left out). */
  commit(header: RecordHeader, payloadBytes?: number): void {
    const claim = this.#claim;
    invariant(claim !== null, 'no claim is open');
    const length = payloadBytes ?? claim.payloadBytes;
    invariant(length <= claim.payloadBytes, 'more committed than claimed');
    const at = claim.startBytes;
    this.#view.setInt32(at + LENGTH_AT, length, true);
    this.#view.setInt32(at + TYPE_AT, header.type, true);
    this.#view.setInt32(at + PARTITION_AT, header.partition, true);
    this.#view.setInt32(at + INCARNATION_AT, header.incarnation, true);
    this.#view.setBigInt64(at + OFFSET_AT, header.offset, true);
    this.#view.setBigInt64(at + AUX_AT, header.aux, true);
    const payloadEnd = at + RECORD_HEADER_BYTES + length;
    this.#bytes.fill(0, payloadEnd, payloadEnd + READ_AHEAD_BYTES);
    this.#claim = null;
    this.#publish(recordBytes(length));
  }

  /** Gives the open claim back; nothing was published. */
  abort(): void {
    invariant(this.#claim !== null, 'no claim is open');
    this.#claim = null;
  }

  /** Claims, copies and publishes in one step. False: the ring is full now. */
  tryWrite(header: RecordHeader, payload: Uint8Array): boolean {
    const claim = this.tryClaim(payload.byteLength);
    if (claim === null) return false;
    claim.bytes.set(payload);
    this.commit(header);
    return true;
  }

  #fits(bytes: number): boolean {
    const room = () => this.capacityBytes - Number(this.#position - this.#headSeen);
    if (room() >= bytes) return true;
    this.#headSeen = Atomics.load(this.#head, 0);
    return room() >= bytes;
  }

  #publish(bytes: number): void {
    this.#position += BigInt(bytes);
    Atomics.store(this.#tail, 0, this.#position);
    Atomics.notify(this.#tail, 0);
  }
}
