import { isFrameLength, LENGTH_BYTES, refusalOf } from './frame-guard.js';

/**
 * Puts a broker's byte stream together into answers where the socket writes it: `space` says where the next bytes go,
 * `accept` how many came. Between answers they go into a small buffer, until a length is known; the rest of an answer is
 * then read straight into its place, which is used again for the next one.
 *
 * ```
 *  between answers             within one
 *  │ length │ … │              │ came │ space … │ announced end
 *  └ head: HEAD_BYTES          └ place: doubles as bytes come, never by what is announced
 * ```
 *
 * Invariants: no place is larger than the cap, nor than twice what came (or PLACE_BYTES_MIN); an answer that was handed
 * out is not written over before `recycle`.
 */

/** A control answer fits, and so do the headers of a fetch. */
const HEAD_BYTES = 16 * 1024;
const PLACE_BYTES_MIN = 64 * 1024;

export class AnswerAssembly {
  readonly #answerBytesMax: number;
  readonly #onAnswer: (answer: Buffer) => void;
  readonly #head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  #headBytes = 0;
  /** Of the answer that is coming; −1: none is. */
  #announced = -1;
  #place = Buffer.alloc(0);
  #placeBytes = 0;
  /** What `#place` was is in somebody's hands. */
  #lent = false;

  /** `onAnswer` gets each answer without its length; what it throws comes out of `accept`. */
  constructor(answerBytesMax: number, onAnswer: (answer: Buffer) => void) {
    this.#answerBytesMax = answerBytesMax;
    this.#onAnswer = onAnswer;
  }

  /** Where the next bytes are to be written; never empty. */
  space(): Buffer {
    if (this.#announced < 0) return this.#head.subarray(this.#headBytes);
    return this.#place.subarray(this.#placeBytes, this.#announced);
  }

  /**
   * `bytes` were written to `space`. Throws KAFKA_PROTOCOL or KAFKA_RESPONSE_TOO_LARGE for a length that no answer can
   * have; it must not be called again then.
   */
  accept(bytes: number): void {
    if (this.#announced < 0) {
      this.#headBytes += bytes;
      this.#readHead();
      return;
    }
    this.#placeBytes += bytes;
    if (this.#placeBytes === this.#announced) this.#finish();
    else if (this.#placeBytes === this.#place.length) this.#grow();
  }

  /** Whoever got the last answer has done with its bytes. */
  recycle(): void {
    this.#lent = false;
  }

  #readHead(): void {
    let at = 0;
    while (this.#announced < 0 && this.#headBytes - at >= LENGTH_BYTES) {
      const announced = this.#head.readInt32BE(at);
      if (!isFrameLength(announced, this.#answerBytesMax)) throw refusalOf(announced, this.#answerBytesMax);
      at += LENGTH_BYTES;
      const came = Math.min(announced, this.#headBytes - at);
      this.#begin(announced, this.#head.subarray(at, at + came));
      at += came;
    }
    this.#head.copyWithin(0, at, this.#headBytes);
    this.#headBytes -= at;
  }

  #begin(announced: number, came: Buffer): void {
    if (this.#lent || this.#place.length === 0) {
      this.#place = Buffer.allocUnsafeSlow(PLACE_BYTES_MIN);
      this.#lent = false;
    }
    came.copy(this.#place);
    this.#announced = announced;
    this.#placeBytes = came.length;
    if (came.length === announced) this.#finish();
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(2 * this.#place.length, this.#answerBytesMax));
    this.#place.copy(larger);
    this.#place = larger;
  }

  #finish(): void {
    const answer = this.#place.subarray(0, this.#announced);
    this.#announced = -1;
    this.#placeBytes = 0;
    this.#lent = true;
    this.#onAnswer(answer);
  }
}
