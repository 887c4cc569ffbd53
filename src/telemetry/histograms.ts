/**
 * Figures of which the spread counts, in the same shared memory as the counters: of each so many slots as it has buckets, and one for
 * the sum. A value belongs to the first bucket whose bound it does not pass; behind the last bound there is one bucket more.
 */

interface HistogramInfo {
  unit: 'ns' | 'ms' | 'bytes' | 'rows';
  help: string;
  /** Ascending, whole. */
  bounds: readonly number[];
}

const MS = 1e6;
const KIB = 1_024;

export const HISTOGRAMS = {
  closeLagMs: {
    unit: 'ms',
    help: 'Of each change row: from the event time at which its lane stood when the row was sealed to its commit, by the clock',
    bounds: [
      100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 86_400_000,
    ],
  },
  cutCommitMs: {
    unit: 'ms',
    help: 'Time from a cut to its commit in the ledger',
    bounds: [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000],
  },
  clickhouseInsertNs: {
    unit: 'ns',
    help: 'Time that one file took to get into ClickHouse, from the first byte to the full answer',
    bounds: [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000].map((ms) => ms * MS),
  },
  clickhouseInsertBytes: {
    unit: 'bytes',
    help: 'Bytes of Parquet of one insert',
    bounds: [16, 64, 256, 1_024, 4_096, 16_384, 65_536].map((kib) => kib * KIB),
  },
  clickhouseInsertRows: {
    unit: 'rows',
    help: 'Change rows of one insert',
    bounds: [10, 100, 1_000, 10_000, 100_000],
  },
} as const satisfies Record<string, HistogramInfo>;

export type HistogramName = keyof typeof HISTOGRAMS;

export interface HistogramValues {
  bounds: readonly number[];
  /** How many values fell into each bucket; one more than there are bounds. */
  buckets: number[];
  count: number;
  sum: number;
}

const NAMES = Object.keys(HISTOGRAMS) as HistogramName[];
/** Where each begins, counted from the first slot of all. */
const FIRST = new Map<HistogramName, number>();
let slots = 0;
for (const name of NAMES) {
  FIRST.set(name, slots);
  slots += HISTOGRAMS[name].bounds.length + 2;
}
export const HISTOGRAM_SLOTS = slots;

/** The slots that a value changes: that of its bucket by one, and that of the sum by the value. */
export function slotsOf(name: HistogramName, value: number): { bucket: number; sum: number } {
  const { bounds } = HISTOGRAMS[name];
  const first = FIRST.get(name)!;
  const within = bounds.findIndex((bound) => value <= bound);
  return { bucket: first + (within < 0 ? bounds.length : within), sum: first + bounds.length + 1 };
}

/** `at`: what a slot holds, of all writers together. */
export function histogramOf(name: HistogramName, at: (slot: number) => number): HistogramValues {
  const { bounds } = HISTOGRAMS[name];
  const first = FIRST.get(name)!;
  const buckets = Array.from({ length: bounds.length + 1 }, (_, i) => at(first + i));
  const count = buckets.reduce((sum, each) => sum + each, 0);
  return { bounds, buckets, count, sum: at(first + bounds.length + 1) };
}

/** The bound below which at least that share of the values lies; of values behind the last one it is the last. 0: there are none. */
export function quantileBound({ bounds, buckets, count }: HistogramValues, share: number): number {
  if (count === 0) return 0;
  let seen = 0;
  const index = buckets.findIndex((each) => {
    seen += each;
    return seen >= share * count;
  });
  return bounds[Math.min(index, bounds.length - 1)]!;
}
