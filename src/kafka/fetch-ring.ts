import { invariant } from '../invariant.js';
import { recordBytes } from '../ring/layout.js';
import type { RingWriter } from '../ring/writer.js';

/** A lane that found no room keeps its place in front of the others for this long after it last asked. */
const TURN_MS = 500;
/**
 * A ring that was full takes data again when so much of it is free: a worker that is behind is then fed by few large
 * requests, not by one for each record that it has taken. What it still holds is enough to go on with.
 */
const RESUME_SHARE = 1 / 4;

/**
 * What has been asked for and is to go into one ring, so that answers find room. The ring itself decides: a claim can
 * still fail when commands came in between, and then the data is asked for again.
 *
 * Invariant: free bytes of the ring ≥ all reserved records + the padding that one of them may need at the ring's end.
 */
export class FetchRing {
  readonly writer: RingWriter;
  readonly #reserved: number[] = [];
  #wasFull = false;
  #room: Promise<void> | null = null;
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
    if (needed > this.writer.freeBytes() || !this.#hasRoom()) {
      this.#wasFull = true;
      this.#first = { lane, untilMs: nowMs + TURN_MS };
      return false;
    }
    this.#wasFull = false;
    this.#first = null;
    this.#reserved.push(bytes);
    return true;
  }

  release(payloadBytes: number): void {
    const at = this.#reserved.indexOf(recordBytes(payloadBytes));
    invariant(at >= 0, 'released more of a ring than was reserved');
    this.#reserved.splice(at, 1);
  }

  /** Resolves when it makes sense to ask again, or when nothing was taken out for `quietMs`. */
  waitForRoom(quietMs: number): Promise<void> {
    this.#room ??= this.#waitForRoom(quietMs).finally(() => {
      this.#room = null;
    });
    return this.#room;
  }

  async #waitForRoom(quietMs: number): Promise<void> {
    for (let before = -1, free = this.writer.freeBytes(); free !== before; free = this.writer.freeBytes()) {
      before = free;
      await this.writer.waitForSpace(quietMs);
      if (this.#hasRoom()) return;
    }
  }

  #hasRoom(): boolean {
    return !this.#wasFull || this.writer.freeBytes() >= this.writer.capacityBytes * RESUME_SHARE;
  }
}
