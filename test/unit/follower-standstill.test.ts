import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { countFiles } from '#src/followers/clickhouse/backlog.js';
import { StandstillWatch } from '#src/followers/clickhouse/standstill.js';
import { HurriedClock } from '../support/fake-time.js';

describe('the watch for standstills', () => {
  it('tells that the process stood still between a question and its answer', async () => {
    const clock = new HurriedClock();
    const watch = new StandstillWatch(clock);
    const askedMs = clock.monotonicMs();
    clock.advance(60_000);
    expect(watch.since(askedMs)).toBe(true);
    expect(watch.since(clock.monotonicMs() + 1)).toBe(false);
    watch.close();
  });

  it('does not take a slow answer for a standstill', async () => {
    const clock = new HurriedClock();
    const watch = new StandstillWatch(clock);
    const askedMs = clock.monotonicMs();
    for (let beat = 0; beat < 60; beat++) await clock.sleep(500);
    expect(clock.monotonicMs() - askedMs).toBeGreaterThanOrEqual(30_000);
    expect(watch.since(askedMs)).toBe(false);
    watch.close();
  });
});

it('a version that can not be read counts as one file left, and does not fail the end', async () => {
  const unreadable = async () => {
    throw new HeadraceError('LAKE_IO', 'the line is broken');
  };
  expect(await countFiles(new Set([0]), 3, 5, unreadable)).toBe(3);
});
