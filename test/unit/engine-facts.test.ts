import { describe, expect, it } from 'vitest';
import { type FactSources, FactTaker } from '#src/commands/run/engine-facts.js';
import { resolveConfig } from '#src/config/load.js';
import { newFetchStats } from '#src/kafka/fetch-stats.js';
import type { LaneStatus, LaneWait } from '#src/kafka/fetcher.js';
import { startingLane } from '#src/lanes/lane.js';
import { countersBytes } from '#src/telemetry/counters.js';
import { engineFacts } from '../support/engine-facts.js';
import { HurriedClock } from '../support/fake-time.js';
import { NEEDED, SURROUNDINGS } from './config-cases.js';

/** Facts of an engine with one lane, of which the fetcher says this. */
function factsWith({
  status,
  isDataHeld = false,
  usedBytes = 0,
  isLakeInTrouble = false,
}: {
  status: (Partial<LaneStatus> & { waitsFor: LaneWait | null }) | null;
  isDataHeld?: boolean;
  usedBytes?: number;
  isLakeInTrouble?: boolean;
}) {
  const lane = startingLane({
    ...{ partition: 3, incarnation: 7, worker: 0, parent: 1, endOffset: null, nowMs: 0, snapshotInMs: 1 },
  });
  const found = { incarnation: 7, position: 40n, readableEnd: 50n, logStartOffset: 0n, ...status };
  const sources: FactSources = {
    about: engineFacts().about,
    config: resolveConfig({ name: 'engine.yaml', text: NEEDED }, {}, SURROUNDINGS),
    pool: {
      rings: [{ isDataHeld, usedBytes, capacityBytes: 1_024 } as never],
      counters: [new SharedArrayBuffer(countersBytes())],
    },
    fetcher: {
      laneStatus: () => (status === null ? undefined : (found as LaneStatus)),
      stats: newFetchStats,
    },
    lanes: () => new Map([[3, lane]]),
    quality: { lastMinute: [] },
    commits: { latest: [] },
    followers: { facts: () => [] },
    offsetsPending: () => 0,
    tableVersion: () => 1,
    cutsInFlight: () => 0,
    isLakeInTrouble: () => isLakeInTrouble,
    workerThreads: () => [null],
    isJoined: () => true,
    isStopping: () => false,
    startedMs: () => 0,
    clock: new HurriedClock(),
  };
  return new FactTaker(sources).take();
}

describe('what a lane waits for, in the facts', () => {
  it.each(['records', 'broker', 'room', null] as const)('is what the fetcher says: %s', (waitsFor) => {
    const [lane] = factsWith({ status: { waitsFor } }).lanes;
    expect(lane).toMatchObject({ partition: 3, position: 40, lag: 10, waitsFor });
  });

  it('is a cut where the ring has no room because too many are under way', () => {
    const waits = (waitsFor: LaneWait | null) =>
      factsWith({ status: { waitsFor }, isDataHeld: true }).lanes[0]!.waitsFor;
    expect(waits('room')).toBe('cuts');
    expect(waits('broker')).toBe('broker');
    expect(waits(null)).toBeNull();
  });

  it('is room where the ring is mostly full: others are before it in line', () => {
    const waits = (usedBytes: number, waitsFor: LaneWait | null) =>
      factsWith({ status: { waitsFor }, usedBytes }).lanes[0]!.waitsFor;
    expect(waits(600, null)).toBe('room');
    expect(waits(500, null)).toBeNull();
    expect(waits(600, 'broker')).toBe('broker');
  });

  it('is records while it is not fetched, or what is fetched is of an earlier owner', () => {
    expect(factsWith({ status: null }).lanes[0]).toMatchObject({ waitsFor: 'records', lag: null });
    const earlier = { incarnation: 6, waitsFor: null };
    expect(factsWith({ status: earlier }).lanes[0]).toMatchObject({ waitsFor: 'records', lag: null });
  });
});

it('that the table’s place takes nothing is in the facts, too', () => {
  for (const isLakeInTrouble of [true, false])
    expect(factsWith({ status: null, isLakeInTrouble })).toMatchObject({ isLakeInTrouble });
});
