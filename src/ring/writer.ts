import type { Claim, RecordHeader, RingProducer } from './producer.js';

/**
 * The main thread's side of one worker's ring: commands and data in one order.
 *
 * Data is back-pressured (a full ring is an answer, the lane is fetched again later); commands are few and never
 * refused: they wait here while the ring is full. As long as one waits, data is refused, so that nothing overtakes it.
 */
export class RingWriter {
  readonly #producer: RingProducer;
  readonly #waiting: { header: RecordHeader; payload: Uint8Array }[] = [];
  #watching = false;
  #closed = false;
  #dataHeld = false;

  constructor(producer: RingProducer) {
    this.#producer = producer;
  }

  /** The largest data record this ring can ever take. */
  get payloadBytesMax(): number {
    return this.#producer.payloadBytesMax;
  }

  get capacityBytes(): number {
    return this.#producer.capacityBytes;
  }

  /** Holds data back (commands still pass), e.g. while too many cuts are under way. */
  holdData(held: boolean): void {
    this.#dataHeld = held;
  }

  get isDataHeld(): boolean {
    return this.#dataHeld;
  }

  /** Bytes of records that the worker has not taken yet. */
  get usedBytes(): number {
    return this.#producer.capacityBytes - this.#producer.freeBytes();
  }

  /** Bytes free for data now; 0 while a command waits or data is held back. */
  freeBytes(): number {
    return this.#waiting.length > 0 || this.#dataHeld ? 0 : this.#producer.freeBytes();
  }

  /** Puts a command behind all that was written before. Payloads are small (below `payloadBytesMax`). */
  command(header: RecordHeader, payload: Uint8Array): void {
    if (this.#closed) return;
    this.#waiting.push({ header, payload });
    this.#flush();
  }

  /** Claims space for data, or null: the ring is full, a command waits, or data is held back. */
  tryClaim(payloadBytes: number): Claim | null {
    return this.#waiting.length > 0 || this.#dataHeld ? null : this.#producer.tryClaim(payloadBytes);
  }

  /** Publishes the open claim's first `payloadBytes`. */
  commit(header: RecordHeader, payloadBytes: number): void {
    this.#producer.commit(header, payloadBytes);
  }

  abort(): void {
    this.#producer.abort();
  }

  /** Resolves when the consumer has moved on, or after `timeoutMs`. */
  async waitForSpace(timeoutMs: number): Promise<void> {
    const cell = this.#producer.headCell;
    const result = Atomics.waitAsync(cell, 0, Atomics.load(cell, 0), timeoutMs);
    if (result.async) await result.value;
  }

  /** Stops watching; commands that still wait, and later ones, are dropped (the worker is gone). */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  #flush(): void {
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0]!;
      if (!this.#producer.tryWrite(next.header, next.payload)) break;
      this.#waiting.shift();
    }
    if (this.#waiting.length > 0 && !this.#watching) void this.#watch();
  }

  async #watch(): Promise<void> {
    this.#watching = true;
    while (this.#waiting.length > 0) {
      // the timer keeps the event loop alive; a pending waitAsync alone does not
      await Promise.race([this.waitForSpace(20), new Promise((resolve) => setTimeout(resolve, 20))]);
      this.#flush();
    }
    this.#watching = false;
  }
}
