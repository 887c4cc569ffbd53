import { systemClock } from '../../clock.js';

const EVERY_MS = 2_000;

/** A line now and then on what takes long. */
export class Progress {
  readonly #write: (text: string) => void;
  #toldMs = systemClock.monotonicMs();

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  tell(text: () => string): void {
    if (systemClock.monotonicMs() - this.#toldMs < EVERY_MS) return;
    this.#toldMs = systemClock.monotonicMs();
    this.#write(`${text()}\n`);
  }
}
