import { invariant } from '../invariant.js';
import { recordBytes } from '../ring/layout.js';
import type { RingWriter } from '../ring/writer.js';

/** A lane that found no room keeps its place in front of the others for this long after it last asked. */
const TURN_MS = 500;

/**
 * What has been asked for and is to go into one ring, so that answers find room. The ring itself decides: a claim can
 * still fail when commands came in between, and then the data is asked for again.
 *
 * Invariant: free bytes of the ring ≥ all reserved records + the padding that one of them may need at the ring's end.
 */
export class FetchRing {
  readonly writer: RingWriter;
  readonly #reserved: number[] = [];
  /** The lane whose turn it is: small requests of others must not keep the ring too full for a large one for ever. */
  #first: { lane: object; untilMs: number } | null = null;

  constructor(writer: RingWriter) {
    this.writer = writer;
  }

  /** False: no room now, or another lane has waited longer. */
  tryReserve(lane: object, payloadBytes: number, nowMs: number): boolean {
    const first = this.#first !== null && nowMs < this.#first.untilMs ? this.#first.lane : null;
    if (first !== null && first !== lane) return false;
    const bytes = recordBytes(payloadBytes);
    const all = [...this.#reserved, bytes];
    const needed = all.reduce((sum, each) => sum + each, 0) + Math.max(...all);
    if (needed > this.writer.freeBytes()) {
      this.#first = { lane, untilMs: nowMs + TURN_MS };
      return false;
    }
    this.#first = null;
    this.#reserved.push(bytes);
    return true;
  }

  release(payloadBytes: number): void {
    const at = this.#reserved.indexOf(recordBytes(payloadBytes));
    invariant(at >= 0, 'released more of a ring than was reserved');
    this.#reserved.splice(at, 1);
  }
}
