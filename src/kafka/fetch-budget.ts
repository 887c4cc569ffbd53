/**
 * The bytes that may be asked for at a time, over all brokers. First come, first served: a large request is not
 * overtaken for ever by small ones.
 */
export class FetchBudget {
  readonly totalBytes: number;
  #usedBytes = 0;
  readonly #waiting: { bytes: number; resolve: () => void }[] = [];

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Resolves when `bytes` are free. What is above the whole budget counts as the whole budget. */
  acquire(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ bytes: Math.min(bytes, this.totalBytes), resolve });
      this.#serve();
    });
  }

  /** Gives back what `acquire` was called with. */
  release(bytes: number): void {
    this.#usedBytes -= Math.min(bytes, this.totalBytes);
    this.#serve();
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#usedBytes + next.bytes > this.totalBytes) return;
      this.#usedBytes += next.bytes;
      this.#waiting.shift();
      next.resolve();
    }
  }
}
