import { describe, expect, it } from 'vitest';
import type { LaneFacts } from '#src/metrics/facts.js';
import { LaneJudge } from '#src/metrics/lane-judge.js';
import { laneFacts } from '../support/engine-facts.js';

const LIMIT_MS = 200_000;

/** Looks at lanes every second and says when the first of them had stopped; null: none within the time. */
function stoppedAfterMs(
  lane: (second: number) => Partial<LaneFacts>,
  { forMs = 20 * LIMIT_MS, isLakeInTrouble = false, limitMs = LIMIT_MS } = {},
): number | null {
  const judge = new LaneJudge(limitMs);
  for (let ms = 0; ms <= forMs; ms += 1_000) {
    const lanes = [laneFacts(3, lane(ms / 1_000))];
    if (judge.stopped({ lanes, isLakeInTrouble }, ms).length > 0) return ms;
  }
  return null;
}

describe('a lane has stopped', () => {
  it('when it has records to read, waits for nobody and gets no further for so long', () => {
    expect(stoppedAfterMs(() => ({}))).toBe(LIMIT_MS);
    expect(stoppedAfterMs(() => ({ state: 'recovering' }))).toBe(LIMIT_MS);
  });

  it.each(['position', 'committed'] as const)('not while its %s grows', (field) => {
    const perMinute = (second: number) => Math.floor(second / 199);
    expect(stoppedAfterMs((second) => ({ [field]: 100 + perMinute(second) }))).toBeNull();
  });

  it('while it replays, by the same measure: the position grows, or it has stopped', () => {
    const replays = (second: number): Partial<LaneFacts> => ({
      ...{ state: 'recovering', replayingSeconds: second, committed: 90, lag: 1_000_000 },
      position: second < 600 ? second * 1_000 : 600_000,
    });
    expect(stoppedAfterMs(replays)).toBe(600_000 + LIMIT_MS);
  });

  it.each([
    ['has read all there is', { lag: 0, waitsFor: 'records' }],
    ['has an end that nobody has named yet', { end: null, lag: null, waitsFor: 'records' }],
    ['is at the end of a bounded run', { lag: 500, waitsFor: 'records' }],
    ['has a broker that does not answer', { waitsFor: 'broker' }],
    ['is halted', { halted: { code: 'BATCH_CORRUPT', reason: 'twice' } }],
  ] as const)('not where it %s', (_, facts) => {
    expect(stoppedAfterMs(() => facts)).toBeNull();
  });

  it('not where data is held back because the table’s place takes nothing, however long', () => {
    const held = () => ({ waitsFor: 'cuts' }) as const;
    expect(stoppedAfterMs(held, { isLakeInTrouble: true })).toBeNull();
    const behind = () => ({ waitsFor: 'room' }) as const;
    expect(stoppedAfterMs(behind, { isLakeInTrouble: true })).toBeNull();
    // one that waits for nobody is no better for that
    expect(stoppedAfterMs(() => ({}), { isLakeInTrouble: true })).toBe(LIMIT_MS);
  });

  it('later where data is held back and nothing says why: a slow store, many lanes in turn', () => {
    expect(stoppedAfterMs(() => ({ waitsFor: 'cuts' }))).toBe(5 * LIMIT_MS);
    expect(stoppedAfterMs(() => ({ waitsFor: 'room' }))).toBe(5 * LIMIT_MS);
  });

  it('never before a request to a broker may have taken its time', () => {
    expect(stoppedAfterMs(() => ({}), { limitMs: 1_500 })).toBe(100_000);
  });

  it('from when it was to get on, not from when it last was: time at the end or without a broker does not count', () => {
    const facts = (second: number): Partial<LaneFacts> =>
      second < 1_000 ? { lag: 0, waitsFor: 'records' } : { lag: 10 };
    expect(stoppedAfterMs(facts)).toBe(999_000 + LIMIT_MS);
    const away = (second: number): Partial<LaneFacts> => ({ waitsFor: second === 150 ? 'broker' : null });
    expect(stoppedAfterMs(away)).toBe(150_000 + LIMIT_MS);
  });

  it('also when data is held back from time to time, as it is while others are caught up: that time counts in part', () => {
    const inTurn = (second: number): Partial<LaneFacts> => ({ waitsFor: second % 2 === 0 ? 'room' : null });
    expect(stoppedAfterMs(inTurn)).toBeGreaterThan(LIMIT_MS);
    expect(stoppedAfterMs(inTurn)).toBeLessThan(2 * LIMIT_MS);
  });

  it('not because the whole process stood still, and nobody looked', () => {
    const judge = new LaneJudge(LIMIT_MS);
    const facts = { lanes: [laneFacts(3)], isLakeInTrouble: false };
    judge.stopped(facts, 0);
    judge.stopped(facts, 1_000);
    expect(judge.stopped(facts, 1_000 + 10 * LIMIT_MS)).toEqual([]);
  });

  it('each by itself, and one that went and came back from the beginning', () => {
    const judge = new LaneJudge(LIMIT_MS);
    let ms = 0;
    const look = (forMs: number, ...lanes: LaneFacts[]) => {
      let found: LaneFacts[] = [];
      for (const untilMs = ms + forMs; ms < untilMs; ms += 1_000)
        found = judge.stopped({ lanes, isLakeInTrouble: false }, ms);
      return found.map(({ partition }) => partition);
    };
    expect(look(LIMIT_MS, laneFacts(3), laneFacts(4))).toEqual([]);
    expect(look(1_000, laneFacts(3), laneFacts(4, { position: 101 }))).toEqual([3]);
    expect(look(1_000, laneFacts(4, { position: 101 }))).toEqual([]);
    expect(look(LIMIT_MS, laneFacts(3))).toEqual([]);
    expect(look(1_000, laneFacts(3))).toEqual([3]);
  });
});
