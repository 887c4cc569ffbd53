import { describe, expect, it } from 'vitest';
import type { CutCommand, EvictionOrder, SealedReport } from '#src/ledger/types.js';
import { FakeMainThread, onlyLane } from '../support/fake-main-thread.js';
import {
  batchOf,
  events,
  live,
  model,
  recorded,
  rowsOf,
  wanted,
  withWorker,
} from '../support/fake-worker-input.js';
import { BASE_MS } from '../support/reference-lane.js';

/** Whatever the sessions take is too much. The gap is 10 s, the watermark 5 s behind the last event. */
const always: EvictionOrder = {
  aboveBytes: 0,
  untilBytes: 0,
  idleMs: [10_000, 5_000],
  spacingMs: 1_000,
};
const never: EvictionOrder = { ...always, aboveBytes: 2 ** 30 };

/** Two users, one of them silent for 10 s: at the watermark of 7 s it is idle for 6. */
const INPUT = [...events('idle', 0, 2), ...events('busy', 2, 11)];

async function cutWith(
  main: FakeMainThread,
  eviction: EvictionOrder,
  more: Partial<CutCommand['lanes'][number]> = {},
): Promise<SealedReport> {
  return await main.cut({ eviction }, { ...wanted(0, 1), ...more });
}

async function fed(main: FakeMainThread): Promise<void> {
  await live(main, 0);
  main.data(0, 1, 0n, 13n, batchOf(INPUT, 0));
}

describe('an eviction order at a cut', () => {
  it('lets the idle sessions out with closed_by memory, and reports the mark, their number and what is left', async () => {
    await withWorker(async (main, folder) => {
      await fed(main);
      const report = await cutWith(main, always);
      expect(await rowsOf(folder, report)).toEqual(['idle 2 memory 1']);
      const lane = onlyLane(report);
      expect(lane).toMatchObject({
        to: 13n,
        marks: { evictBeforeMs: BASE_MS + 2_000 },
        evicted: 1,
        openSessions: 1,
      });
      expect(lane.sessionBytes).toBeGreaterThan(0);
      expect(report.sessionBytes).toBe(lane.sessionBytes);
      expect(main.counters()).toMatchObject({ evictedSessions: 1, sessionBytes: report.sessionBytes });
    });
  });

  it('changes nothing where the worker has room', async () => {
    await withWorker(async (main) => {
      await fed(main);
      expect(onlyLane(await cutWith(main, never))).toMatchObject({ marks: {}, evicted: 0, openSessions: 2 });
    });
  });

  it('makes what comes later a session of its own: no event is lost or counted twice', async () => {
    await withWorker(async (main, folder) => {
      await fed(main);
      await cutWith(main, always);
      const later = [...events('idle', 13, 1), ...events('busy', 100, 1)];
      main.data(0, 1, 13n, 15n, batchOf(later, 13));
      expect(await rowsOf(folder, await cutWith(main, never))).toEqual(['busy 11 gap 1', 'idle 1 gap 1']);
    });
  });

  it('holds before the other marks of the cut: what is evicted is not let out twice', async () => {
    await withWorker(async (main, folder) => {
      await fed(main);
      const report = await cutWith(main, always, { marks: { endOfInput: true } });
      expect(await rowsOf(folder, report)).toEqual(['busy 11 end_of_input 1', 'idle 2 memory 1']);
    });
  });

  it('holds behind the watermark that the cut moves', async () => {
    await withWorker(async (main, folder) => {
      await fed(main);
      const marks = { idleWatermarkMs: BASE_MS + 20_000 };
      const report = await cutWith(main, always, { marks });
      expect(await rowsOf(folder, report)).toEqual(['busy 11 memory 1', 'idle 2 gap 1']);
      expect(onlyLane(report).marks).toEqual({ ...marks, evictBeforeMs: BASE_MS + 15_000 });
    });
  });

  it.each(['from the start', 'from a snapshot'])('is met again by a replay %s', async (how) => {
    await withWorker(async (main, folder) => {
      await fed(main);
      const cuts = [await cutWith(main, never, { snapshot: true }), await cutWith(main, always)];
      main.data(0, 1, 13n, 15n, batchOf([...events('idle', 13, 1), ...events('busy', 100, 1)], 13));
      cuts.push(await cutWith(main, never));
      const lanes = cuts.map((report) => recorded(onlyLane(report), report.cutId));
      const snapshot = how === 'from the start' ? null : onlyLane(cuts[0]!).snapshot;
      const other = new FakeMainThread({ folder, model });
      const replay = snapshot === null ? lanes : lanes.slice(1);
      other.assign({ partition: 0, incarnation: 1, snapshot, committedTo: 15n, replay });
      await other.message('lane-ready');
      if (snapshot === null) other.data(0, 1, 0n, 13n, batchOf(INPUT, 0));
      other.data(0, 1, 13n, 15n, batchOf([...events('idle', 13, 1), ...events('busy', 100, 1)], 13));
      await other.message('lane-live');
      expect(other.about(0)).not.toContain('lane-halted');
      await other.stop();
    });
  });

  it('left out of a replay makes it differ: the lane halts instead of writing other rows', async () => {
    await withWorker(async (main, folder) => {
      await fed(main);
      const report = await cutWith(main, always);
      const other = new FakeMainThread({ folder, model });
      const replay = [{ ...recorded(onlyLane(report), report.cutId), marks: {} }];
      other.assign({ partition: 0, incarnation: 1, committedTo: 13n, replay });
      await other.message('lane-ready');
      other.data(0, 1, 0n, 13n, batchOf(INPUT, 0));
      expect(await other.message('lane-halted')).toMatchObject({ error: { code: 'REPLAY_DIFFERS' } });
      await other.stop();
    });
  });
});
