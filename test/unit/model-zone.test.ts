import { describe, expect, it } from 'vitest';
import { midnightAfter, tryZone } from '#src/model/zone.js';
import { seededRandom } from '#src/random.js';

const HOUR_MS = 3_600_000;
/** With clocks that are put forward over midnight, a day that was left out, and quarters of an hour. */
const ZONES = ['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kathmandu', 'Pacific/Apia', 'Africa/Cairo'];

describe.each(ZONES)('midnight in %s', (name) => {
  const zone = tryZone(name)!;
  const format = new Intl.DateTimeFormat('en-CA', { timeZone: name, dateStyle: 'short' });

  it('is the first time with another date', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 300; round++) {
      const timeMs = random.below(9_000_000_000_000);
      const midnightMs = midnightAfter(zone, timeMs);
      const day = format.format(timeMs);
      expect(midnightMs, `${timeMs}`).toBeGreaterThan(timeMs);
      expect(format.format(midnightMs - 1), `${timeMs}`).toBe(day);
      expect(format.format(midnightMs), `${timeMs}`).not.toBe(day);
      expect(midnightAfter(zone, midnightMs - 1)).toBe(midnightMs);
    }
  });

  it('comes some 365 times a year, each time later', () => {
    const endMs = Date.UTC(2012, 0, 1);
    let count = 0;
    for (let timeMs = Date.UTC(2011, 0, 1); timeMs < endMs; timeMs = midnightAfter(zone, timeMs)) count++;
    expect(count).toBeGreaterThanOrEqual(364);
    expect(count).toBeLessThanOrEqual(367);
  });
});

it('is where the clock is put when it is put forward over it', () => {
  const zone = tryZone('America/Sao_Paulo')!;
  // 2018-11-04 began at 01:00 there, 03:00 in UTC
  expect(midnightAfter(zone, Date.UTC(2018, 10, 3, 20))).toBe(Date.UTC(2018, 10, 4, 3));
  expect(midnightAfter(zone, Date.UTC(2018, 10, 4, 3))).toBe(Date.UTC(2018, 10, 4, 3) + 23 * HOUR_MS);
});

it('of a zone that there is not is none', () => {
  expect(tryZone('Europe/Nowhere')).toBeNull();
});
