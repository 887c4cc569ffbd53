import type { BatchCodecs, Codec } from '#src/reference/batch-reader.js';

/** An engine's codecs, and how long decompressing took: two looks at the clock a batch that is compressed. */
export class TimedCodecs implements BatchCodecs {
  readonly #codecs: BatchCodecs;
  #ms = 0;

  constructor(codecs: BatchCodecs) {
    this.#codecs = codecs;
  }

  decompress(codec: Codec, payload: Uint8Array, bytesMax: number): Uint8Array {
    if (codec === 'none') return this.#codecs.decompress(codec, payload, bytesMax);
    const beganMs = performance.now();
    try {
      return this.#codecs.decompress(codec, payload, bytesMax);
    } finally {
      this.#ms += performance.now() - beganMs;
    }
  }

  checkRecords(records: Uint8Array, count: number, lastOffsetDelta: number): void {
    this.#codecs.checkRecords(records, count, lastOffsetDelta);
  }

  /** Since the last call. */
  takeMs(): number {
    const ms = this.#ms;
    this.#ms = 0;
    return ms;
  }
}
