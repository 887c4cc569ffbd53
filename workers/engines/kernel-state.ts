import type { StateInTurns } from './engine.js';

/** A kernel lane's state in the making: the kernel gives keys when asked, and those that are about to change by itself. */
export class KernelState implements StateInTurns {
  /** What nobody has taken yet. */
  #parts: Uint8Array[];
  #whole = false;
  #abandoned = false;
  /** Makes some more of it; how many keys are still missing. */
  readonly #more: () => number;

  constructor(head: Uint8Array, more: () => number) {
    this.#parts = [head];
    this.#more = more;
  }

  get abandoned(): boolean {
    return this.#abandoned;
  }

  next(): Uint8Array[] | null {
    if (!this.#whole && !this.#abandoned) this.#whole = this.#more() === 0;
    const parts = this.#parts;
    this.#parts = [];
    return parts.length === 0 && (this.#whole || this.#abandoned) ? null : parts;
  }

  add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  /** Now, as far as it is not: another begins. */
  finish(): void {
    while (!this.#whole && !this.#abandoned) this.#whole = this.#more() === 0;
  }

  /** The lane is gone. */
  abandon(): void {
    if (this.#whole) return;
    this.#abandoned = true;
    this.#parts = [];
  }
}
