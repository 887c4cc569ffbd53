import { invariant } from '../invariant.js';
import { BatchFault } from '../reference/batch-fault.js';
import type { BatchCodecs, Codec } from '../reference/batch-reader.js';
import { PLAIN_CODECS, uncompressed } from '../reference/codecs/plain.js';
import { READ_AHEAD_BYTES } from './abi.js';
import * as fault from './fault.js';

/**
 * Batches become records in the kernel's memory. LZ4 and snappy are decompressed there from where they lie in the ring; the
 * rest goes through the plain codecs and is copied.
 *
 * The kernel never has the last word on a bad batch: what it refuses, the plain codec reads again and says what is wrong. So
 * both engines halt a lane at the same batch with the same words, as long as what the kernel accepts is right.
 */

/** What it takes of the kernel. Addresses are below 2³². */
export interface ByteKernel {
  /** Bytes of the content, or a negative number: refused. Writes up to 64 bytes behind the most that the content may have. */
  lz4Frame(from: number, bytes: number, to: number, bytesMax: number): number;
  snappy(from: number, bytes: number, to: number, bytesMax: number): number;
  /** 0, or the number of a fault. */
  walkRecords(at: number, bytes: number, count: number, lastOffsetDelta: number): number;
}

/** Where batches are decompressed to; its last 64 bytes are only read and cleared. */
export interface DecompressionRegion {
  at: number;
  bytes: number;
}

/** The words of src/reference/record-walk.ts. */
export const WALK_FAULTS: ReadonlyMap<number, string> = new Map([
  [fault.FAULT_RECORD_COUNT, 'more records than bytes for them'],
  [fault.FAULT_OFFSETS, 'record offsets that do not grow within their batch'],
  [fault.FAULT_BEHIND_RECORDS, 'bytes behind the last record'],
  [fault.FAULT_RECORD_LONG, 'a record longer than its batch'],
  [fault.FAULT_RECORD_SHORT, 'a record shorter than it says'],
  [fault.FAULT_HEADER_COUNT, 'a lying header count'],
  [fault.FAULT_LENGTH, 'a length beyond its record'],
  [fault.FAULT_VARINT_CUT, 'a varint that is cut off'],
  [fault.FAULT_VARINT_32, 'a varint of more than 32 bits'],
  [fault.FAULT_VARINT_LONG_5, 'a varint longer than 5 bytes'],
  [fault.FAULT_VARINT_LONG_10, 'a varint longer than 10 bytes'],
  [fault.FAULT_TIMESTAMP, 'a timestamp beyond 2^52'],
]);

export class KernelCodecs implements BatchCodecs {
  readonly #kernel: ByteKernel;
  readonly #memory: Uint8Array;
  readonly #region: DecompressionRegion;

  /** `memory` is the kernel's and of its last size. */
  constructor(kernel: ByteKernel, memory: WebAssembly.Memory, region: DecompressionRegion) {
    this.#kernel = kernel;
    this.#memory = new Uint8Array(memory.buffer);
    this.#region = region;
  }

  /** The records lie in the kernel's memory, decompressed ones with 64 zero bytes behind them. */
  decompress(codec: Codec, payload: Uint8Array, bytesMax: number): Uint8Array {
    invariant(
      bytesMax <= this.#region.bytes - READ_AHEAD_BYTES,
      'the limit of a decompressed batch is larger than the room for it',
    );
    if (payload.byteLength === 0) return payload;
    if (this.#holds(payload)) {
      if (codec === 'none') return uncompressed(payload, bytesMax);
      const bytes = this.#decompressHere(codec, payload, bytesMax);
      if (bytes >= 0) return this.#memory.subarray(this.#region.at, this.#region.at + bytes);
    }
    return this.#keep(PLAIN_CODECS.decompress(codec, payload, bytesMax));
  }

  checkRecords(records: Uint8Array, count: number, lastOffsetDelta: number): void {
    if (!this.#holds(records)) {
      PLAIN_CODECS.checkRecords(records, count, lastOffsetDelta);
      return;
    }
    const found = this.#kernel.walkRecords(records.byteOffset, records.byteLength, count, lastOffsetDelta);
    if (found === 0) return;
    const words = WALK_FAULTS.get(found);
    invariant(words !== undefined, `the kernel found fault ${found}, which has no words`);
    throw new BatchFault('corrupt', words);
  }

  /** Negative: not by the kernel. */
  #decompressHere(codec: Codec, payload: Uint8Array, bytesMax: number): number {
    const { byteOffset, byteLength } = payload;
    if (codec === 'lz4') return this.#kernel.lz4Frame(byteOffset, byteLength, this.#region.at, bytesMax);
    if (codec === 'snappy') return this.#kernel.snappy(byteOffset, byteLength, this.#region.at, bytesMax);
    return -1;
  }

  #holds(bytes: Uint8Array): boolean {
    return bytes.buffer === this.#memory.buffer;
  }

  #keep(records: Uint8Array): Uint8Array {
    const { at } = this.#region;
    const end = at + records.byteLength;
    this.#memory.set(records, at);
    this.#memory.fill(0, end, end + READ_AHEAD_BYTES);
    return this.#memory.subarray(at, end);
  }
}
