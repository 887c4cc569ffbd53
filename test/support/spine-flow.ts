import { setTimeout as sleep } from 'node:timers/promises';

/** How fast a topic's second half comes: chunk by chunk, up to a share of it, and then it waits. */
export class SpineFlow {
  #share = 0;
  #paceMs: number;

  constructor(paceMs: number) {
    this.#paceMs = paceMs;
  }

  /** What is allowed so far, 0…1. */
  get share(): number {
    return this.#share;
  }

  allow(share: number): void {
    this.#share = Math.max(this.#share, share);
  }

  /** All the rest, at once. */
  open(): void {
    this.#share = 1;
    this.#paceMs = 0;
  }

  /** For `produceSecondHalf`. */
  async chunk(share: number): Promise<void> {
    await sleep(this.#paceMs);
    while (share > this.#share) await sleep(20);
  }
}
