import type { LogBatch } from './transactional-log.js';

/**
 * The oracle of read committed: the steps of Apache Kafka's own client (clients, consumer/internals/CompletedFetch:
 * nextFetchedRecord, consumeAbortedTransactionsUpTo, containsAbortMarker, isBatchAborted), one by one and under their names,
 * over batches that were never bytes.
 */

export interface AbortedEntry {
  producerId: number;
  firstOffset: number;
}

const NO_PRODUCER_ID = -1;
const ABORT = 0;

export class CompletedFetch {
  readonly #batches: readonly LogBatch[];
  readonly #readCommitted: boolean;
  /** A queue by first offset. */
  readonly #abortedTransactions: AbortedEntry[];
  readonly #abortedProducerIds = new Set<number>();
  nextFetchOffset: number;

  constructor(
    batches: readonly LogBatch[],
    aborted: readonly AbortedEntry[],
    fetchOffset: number,
    isolation: 'read_committed' | 'read_uncommitted',
  ) {
    this.#batches = batches;
    this.#readCommitted = isolation === 'read_committed';
    this.#abortedTransactions = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
    this.nextFetchOffset = fetchOffset;
  }

  /** Offsets of the records that the application gets. */
  fetchedOffsets(): number[] {
    const fetched: number[] = [];
    for (const currentBatch of this.#batches) {
      if (this.#readCommitted && hasProducerId(currentBatch)) {
        this.#consumeAbortedTransactionsUpTo(currentBatch.lastOffset);
        if (containsAbortMarker(currentBatch)) {
          this.#abortedProducerIds.delete(currentBatch.producerId);
        } else if (this.#isBatchAborted(currentBatch)) {
          this.nextFetchOffset = currentBatch.lastOffset + 1;
          continue;
        }
      }
      for (const offset of currentBatch.offsets) {
        if (offset < this.nextFetchOffset) continue;
        if (!isControlBatch(currentBatch)) fetched.push(offset);
        this.nextFetchOffset = offset + 1;
      }
    }
    // the last batch's last offset may lie behind its last record
    const last = this.#batches.at(-1);
    if (last !== undefined) this.nextFetchOffset = last.lastOffset + 1;
    return fetched;
  }

  #consumeAbortedTransactionsUpTo(offset: number): void {
    while (this.#abortedTransactions.length > 0 && this.#abortedTransactions[0]!.firstOffset <= offset) {
      this.#abortedProducerIds.add(this.#abortedTransactions.shift()!.producerId);
    }
  }

  #isBatchAborted(batch: LogBatch): boolean {
    return batch.transactional && this.#abortedProducerIds.has(batch.producerId);
  }
}

function hasProducerId(batch: LogBatch): boolean {
  return batch.producerId > NO_PRODUCER_ID;
}

function isControlBatch(batch: LogBatch): boolean {
  return batch.control !== null;
}

/** By its first record; one without records is none. */
function containsAbortMarker(batch: LogBatch): boolean {
  if (!isControlBatch(batch)) return false;
  if (batch.offsets.length === 0) return false;
  return batch.control === ABORT;
}
