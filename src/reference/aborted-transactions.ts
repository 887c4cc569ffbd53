import { invariant } from '../invariant.js';

/**
 * Read committed: which batches of a fetched answer belong to aborted transactions. The broker names, beside the records,
 * the aborted transactions that reach into them; where each of them ends is said by an ABORT marker in the log. The rules
 * are those of Kafka's own client (CompletedFetch), one filter for each answer.
 */
export interface AbortedTransaction {
  producerId: bigint;
  /** Of its first record, which may lie before the answer. */
  firstOffset: bigint;
}

/** What the filter looks at of a batch. */
export interface TransactionalBatch {
  /** −1: none. */
  producerId: bigint;
  lastOffset: bigint;
  transactional: boolean;
  /** A control batch whose record ends a transaction by abort. */
  abortMarker: boolean;
}

const NO_PRODUCER = -1n;

export class AbortedFilter {
  /** By first offset; the next one to begin is at `#next`. */
  readonly #transactions: readonly AbortedTransaction[];
  #next = 0;
  readonly #producers = new Set<bigint>();

  /** In any order. */
  constructor(transactions: readonly AbortedTransaction[]) {
    this.#transactions = [...transactions].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** Whether the batch is part of an aborted transaction. To be asked of every batch of the answer, in their order. */
  isAborted({ producerId, lastOffset, transactional, abortMarker }: TransactionalBatch): boolean {
    if (producerId <= NO_PRODUCER) return false;
    this.#beginUpTo(lastOffset);
    if (abortMarker) {
      this.#producers.delete(producerId);
      return false;
    }
    return transactional && this.#producers.has(producerId);
  }

  #beginUpTo(offset: bigint): void {
    for (; this.#next < this.#transactions.length; this.#next++) {
      const { producerId, firstOffset } = this.#transactions[this.#next]!;
      if (firstOffset > offset) return;
      this.#producers.add(producerId);
    }
  }
}

/**
 * The payload of a ring record `dataWithAborted`:
 *
 *   count u32 │ count × (producer id i64 │ first offset i64) │ batches …          little-endian
 */
const COUNT_BYTES = 4;
const ENTRY_BYTES = 16;

/** Bytes in front of the batches. */
export function abortedBytes(count: number): number {
  return COUNT_BYTES + count * ENTRY_BYTES;
}

/** Writes the list to the front of `target`; the batches belong behind `abortedBytes` of them. */
export function encodeAborted(transactions: readonly AbortedTransaction[], target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setUint32(0, transactions.length, true);
  transactions.forEach(({ producerId, firstOffset }, index) => {
    view.setBigInt64(COUNT_BYTES + index * ENTRY_BYTES, producerId, true);
    view.setBigInt64(COUNT_BYTES + index * ENTRY_BYTES + 8, firstOffset, true);
  });
}

/** What `encodeAborted` wrote, and the bytes behind it, not copied. */
export function decodeAborted(payload: Uint8Array): { aborted: AbortedTransaction[]; batches: Uint8Array } {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const count = view.getUint32(0, true);
  invariant(abortedBytes(count) <= payload.byteLength, 'a list of aborted transactions beyond its record', {
    count,
  });
  const aborted: AbortedTransaction[] = [];
  for (let at = COUNT_BYTES; at < abortedBytes(count); at += ENTRY_BYTES) {
    aborted.push({ producerId: view.getBigInt64(at, true), firstOffset: view.getBigInt64(at + 8, true) });
  }
  return { aborted, batches: payload.subarray(abortedBytes(count)) };
}
