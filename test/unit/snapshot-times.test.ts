import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstSnapshotMs, nextSnapshotMs } from '#src/lanes/snapshot-times.js';
import { propertySettings } from '../support/property-seed.js';

const INTERVAL_MS = 30_000;

describe('snapshots of many lanes', () => {
  it.each([4, 24, 100, 360])('are spread over the interval: %i lanes', (lanes) => {
    const perSecond = new Map<number, number>();
    for (let lane = 0; lane < lanes; lane++) {
      const firstMs = firstSnapshotMs(lane, INTERVAL_MS);
      expect(firstMs).toBeGreaterThanOrEqual(INTERVAL_MS / 10);
      expect(firstMs).toBeLessThan(1.1 * INTERVAL_MS);
      const second = Math.floor(firstMs / 1_000);
      perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
    }
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(Math.ceil(lanes / 30) + 1);
  });
});

describe('the next snapshot of a lane', () => {
  it('is an interval later when it was on time, or a little late', () => {
    expect(nextSnapshotMs(1_000, 1_000, INTERVAL_MS)).toBe(31_000);
    expect(nextSnapshotMs(1_000, 1_900, INTERVAL_MS)).toBe(31_000);
  });

  it('keeps its place in the interval, and comes half to one and a half intervals later', () => {
    const ms = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(ms, fc.integer({ min: -INTERVAL_MS, max: 10_000_000 }), (dueMs, lateMs) => {
        const nowMs = dueMs + lateMs;
        const next = nextSnapshotMs(dueMs, nowMs, INTERVAL_MS);
        expect(Math.abs((next - dueMs) % INTERVAL_MS)).toBe(0);
        expect(next - nowMs).toBeGreaterThanOrEqual(INTERVAL_MS / 2);
        expect(next - nowMs).toBeLessThan(1.5 * INTERVAL_MS);
      }),
      propertySettings({}),
    );
  });
});
