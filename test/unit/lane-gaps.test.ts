import { describe, expect, it } from 'vitest';
import { acceptsGap } from '#src/lanes/lane-gaps.js';
import type { LaneHistory } from '#src/ledger/history.js';

const lane = (gaps: LaneHistory['gaps'], committedTo: bigint) => ({ gaps, committedTo }) as LaneHistory;
const gap = (from: bigint, to: bigint, partition = 3) => ({ partition, from, to });

describe('a gap is passed', () => {
  it('where the operator named that very one', () => {
    const named = [gap(100n, 200n)];
    expect(acceptsGap(named, lane([], 100n), gap(100n, 200n))).toBe(true);
    expect(acceptsGap(named, undefined, gap(100n, 200n))).toBe(true);
    for (const other of [gap(100n, 201n), gap(99n, 200n), gap(100n, 200n, 4)]) {
      expect(acceptsGap(named, lane([], 50n), other)).toBe(false);
    }
  });

  it('among what the ledger has already only where it was passed then', () => {
    expect(acceptsGap([gap(100n, 200n)], lane([], 150n), gap(100n, 200n))).toBe(false);
    expect(acceptsGap([], lane([{ from: 100, to: 200 }], 150n), gap(100n, 200n))).toBe(true);
  });
});
