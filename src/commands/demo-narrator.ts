/** What the demo says while it runs: lines, and one line that is written over on a terminal. */

/** Elsewhere a status line every so often is enough. */
const PLAIN_EVERY = 5;
const CLEAR = '\r\u001b[2K';

export interface NarratorStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export class Narrator {
  readonly #stream: NarratorStream;
  #live = false;
  #statuses = 0;

  constructor(stream: NarratorStream) {
    this.#stream = stream;
  }

  line(text: string): void {
    this.#stream.write(`${this.#live ? CLEAR : ''}${text}\n`);
    this.#live = false;
  }

  /** Called every second: a live line on a terminal, otherwise every fifth becomes a line. */
  status(text: string): void {
    if (this.#stream.isTTY === true) {
      // a line that wraps could not be written over
      this.#stream.write(CLEAR + text.slice(0, (this.#stream.columns ?? 80) - 1));
      this.#live = true;
    } else if (this.#statuses++ % PLAIN_EVERY === 0) {
      this.#stream.write(`${text}\n`);
    }
  }
}
