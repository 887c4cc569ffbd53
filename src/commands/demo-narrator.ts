/** What the demo says while it runs: lines, and below them on a terminal a block that is drawn over and over. */

const CLEAR_BELOW = '\u001b[J';

export interface NarratorStream {
  isTTY?: boolean;
  /** 0: a terminal that doesn't know its size. */
  columns?: number;
  rows?: number;
  write(text: string): unknown;
}

export class Narrator {
  readonly #stream: NarratorStream;
  /** Lines of the block that stands; the cursor is at the end of the last. */
  #height = 0;

  constructor(stream: NarratorStream) {
    this.#stream = stream;
  }

  line(text: string): void {
    this.#stream.write(`${this.#toTheTop()}${text}\n`);
    this.#height = 0;
  }

  /** `block` takes the place of the one before on a terminal; elsewhere the `plain` lines are added. */
  status(block: readonly string[], plain: readonly string[]): void {
    if (this.#stream.isTTY !== true) {
      for (const text of plain) this.#stream.write(`${text}\n`);
      return;
    }
    // what wraps, or scrolls out of the screen, could not be drawn over
    const width = (this.#stream.columns || 80) - 1;
    const shown = block.slice(0, (this.#stream.rows || 24) - 1).map((text) => cut(text, width));
    this.#stream.write(this.#toTheTop() + shown.join('\n'));
    this.#height = shown.length;
  }

  /** The block stays; what comes next stands below it. */
  keepStatus(): void {
    if (this.#height > 0) this.#stream.write('\n');
    this.#height = 0;
  }

  #toTheTop(): string {
    if (this.#height === 0) return '';
    const up = this.#height > 1 ? `\u001b[${this.#height - 1}A` : '';
    return `\r${up}${CLEAR_BELOW}`;
  }
}

function cut(text: string, width: number): string {
  return [...text].slice(0, width).join('');
}
