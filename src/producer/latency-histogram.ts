/**
 * Durations in buckets of bounded width: 32 buckets for each doubling, so that a percentile is at most 3.2 % too large. A few
 * KiB whatever is counted, and no object for each.
 */

const BUCKETS_PER_DOUBLING = 32;
/** 2⁻¹⁰ ms, about a microsecond: what is shorter counts as this. */
const EXPONENT_MIN = -10;
/** 2²² ms, more than an hour: what is longer counts as this. */
const EXPONENT_MAX = 22;
const BUCKETS = (EXPONENT_MAX - EXPONENT_MIN) * BUCKETS_PER_DOUBLING + 1;

export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  add(ms: number): void {
    this.#counts[bucketOf(ms)]!++;
    this.#count++;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** 0 when nothing was counted. */
  get averageMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The least duration that a share of all (0 to 1) does not exceed, rounded up to its bucket; 0 when nothing was counted. */
  percentileMs(share: number): number {
    const rank = Math.ceil(share * this.#count);
    let seen = 0;
    for (let bucket = 0; rank > 0 && bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket]!;
      if (seen >= rank) return Math.min(this.#maxMs, upperMsOf(bucket));
    }
    return this.#maxMs;
  }
}

function bucketOf(ms: number): number {
  const place = Math.ceil((Math.log2(ms) - EXPONENT_MIN) * BUCKETS_PER_DOUBLING);
  // not a number: below all buckets
  return place > 0 ? Math.min(place, BUCKETS - 1) : 0;
}

function upperMsOf(bucket: number): number {
  return 2 ** (EXPONENT_MIN + bucket / BUCKETS_PER_DOUBLING);
}
