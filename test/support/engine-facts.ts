import type { EngineFacts, LaneFacts } from '#src/metrics/facts.js';
import { countersBytes, sumCounters, sumHistogram, WorkerCounters } from '#src/telemetry/counters.js';
import { HISTOGRAMS, type HistogramName } from '#src/telemetry/histograms.js';

/** Facts of an engine that does not run, to be changed where a test needs it. */
export function engineFacts(more: Partial<EngineFacts> = {}): EngineFacts {
  const shared = new SharedArrayBuffer(countersBytes());
  const counters = new WorkerCounters(shared);
  counters.add('events', 12);
  counters.add('deadLettersMissingField', 3);
  counters.addMs('sessionsNs', 3_000);
  counters.addMs('commitNs', 750);
  counters.observe('closeLagMs', 700, 5);
  const totals = sumCounters([shared]);
  const histograms = Object.fromEntries(
    (Object.keys(HISTOGRAMS) as HistogramName[]).map((name) => [name, sumHistogram(name, [shared])]),
  ) as EngineFacts['histograms'];
  return {
    atMs: 1_800_000_000_000,
    uptimeSeconds: 60,
    about: {
      ...{ version: '1', engineId: 'e', topic: 'clicks', group: 'g"1\n', model: 'clickstream' },
      ...{ table: '/lake', sessionsBy: 'kernel' },
    },
    isJoined: true,
    isStopping: false,
    lanes: [laneFacts(0), laneFacts(1)],
    workers: [
      { worker: 0, counters: totals, ringCapacityBytes: 1_024, ringUsedBytes: 256, sessionLimitBytes: 4_096 },
    ],
    totals,
    sessionsOpened: 4,
    histograms,
    fetch: {
      ...{ fetches: 1, bytes: 2, deliveredBytes: 2, batches: 1, dropped: 0, throttledMs: 500 },
      ...{ waitedMs: 2_500, handledMs: 250 },
      ...{ errors: 0, failures: 0, refetches: 0, halted: 0 },
    },
    tableVersion: 9,
    cutsInFlight: 1,
    isLakeInTrouble: false,
    commits: [],
    followers: [
      {
        name: 'clickhouse',
        unit: 'files',
        ...{ behind: 2, rows: 7, lagMs: 1_500, eventTimeLagMs: 2_000, isInTrouble: false },
      },
      {
        name: 'offsets',
        unit: 'lanes',
        ...{ behind: 0, rows: null, lagMs: null, eventTimeLagMs: null, isInTrouble: false },
      },
    ],
    quality: 0.75,
    cpuSeconds: { main: 1, 'worker-0': 2, others: 0.5 },
    memoryPlan: [{ part: 'limits.ring_bytes', bytes: 1_024 }],
    memoryUsed: { sessions: 2_048, rows: 512, rings: 256, heaps: 4_096, buffers: 1_024 },
    ...more,
  };
}

export function laneFacts(partition: number, more: Partial<LaneFacts> = {}): LaneFacts {
  return {
    partition,
    worker: 0,
    state: 'live',
    halted: null,
    position: 100,
    committed: 90,
    end: 110,
    logStart: 0,
    lag: 10,
    committedLag: 20,
    waitsFor: null,
    watermarkMs: 1_799_999_995_000,
    openSessions: 3,
    replayingSeconds: null,
    quality: 0.75,
    ...more,
  };
}
