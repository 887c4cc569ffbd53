import { describe, expect, it } from 'vitest';
import { idleWatermarkMs, type Rest, restAt } from '#src/lanes/idle.js';

const TIMEOUT_MS = 60_000;
const standing = { to: 150n, watermarkMs: 1_000_000, openSessions: 3 };
const rest = (changes: Partial<Rest> = {}): Rest => ({ ...restAt(standing, null), ...changes });
const silence = (ms: number) => ({ fromMs: 500.25, untilMs: 500.25 + ms });

describe('a lane’s rest', () => {
  it('keeps the watermark with which the lane came, whatever moves it there', () => {
    const moved = restAt(
      { ...standing, watermarkMs: 1_060_000, openSessions: 1 },
      rest({ movedToMs: 1_060_000 }),
    );
    expect(moved).toEqual({ at: 150n, watermarkMs: 1_000_000, openSessions: 1, movedToMs: 1_060_000 });
  });

  it('begins anew with events, from the lane’s own watermark', () => {
    const next = restAt(
      { to: 151n, watermarkMs: 1_070_000, openSessions: 2 },
      rest({ movedToMs: 1_060_000 }),
    );
    expect(next).toEqual({ at: 151n, watermarkMs: 1_070_000, openSessions: 2, movedToMs: null });
  });
});

describe('an idle move', () => {
  it('goes by the time for which the partition is known to be silent, in whole milliseconds', () => {
    expect(idleWatermarkMs(rest(), 150n, silence(60_000), TIMEOUT_MS)).toBe(1_060_000);
    expect(idleWatermarkMs(rest(), 150n, silence(90_000.9), TIMEOUT_MS)).toBe(1_090_000);
  });

  it('is worked out from where the lane came to rest, so moves do not add up', () => {
    expect(idleWatermarkMs(rest({ movedToMs: 1_060_000 }), 150n, silence(65_000), TIMEOUT_MS)).toBe(
      1_065_000,
    );
  });

  it.each([
    ['before the idle timeout has run out', rest(), 150n, silence(59_999)],
    ['of a partition that has not said that it is at its end', rest(), 150n, null],
    ['of a lane of which nothing is known', null, 150n, silence(60_000)],
    ['while events are on their way to the worker', rest(), 151n, silence(60_000)],
    ['of a lane that went back', rest(), 149n, silence(60_000)],
    ['of a lane that has seen no event', rest({ watermarkMs: null }), 150n, silence(60_000)],
    ['of a lane without open sessions', rest({ openSessions: 0 }), 150n, silence(60_000)],
    ['to where the lane was moved before', rest({ movedToMs: 1_060_000 }), 150n, silence(60_000)],
    ['backwards', rest({ movedToMs: 1_070_000 }), 150n, silence(60_000)],
  ])('is not made %s', (_, from, position, silent) => {
    expect(idleWatermarkMs(from, position, silent, TIMEOUT_MS)).toBeNull();
  });

  it('of a timeout below a millisecond’s share is none', () => {
    expect(idleWatermarkMs(rest(), 150n, silence(0.9), 0.5)).toBeNull();
  });
});
