import { describe, expect, it } from 'vitest';
import type { CutCommand, EvictionOrder, SealedReport } from '#src/ledger/types.js';
import { FakeMainThread, onlyLane } from '../support/fake-main-thread.js';
import {
  batchOf,
  ENGINES,
  events,
  live,
  model,
  recorded,
  rowsOf,
  wanted,
  withWorker,
} from '../support/fake-worker-input.js';
import { BASE_MS, type TinyEvent } from '../support/reference-lane.js';

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

type Run = (
  work: Parameters<typeof withWorker>[0],
  limits?: Parameters<typeof withWorker>[1],
) => Promise<void>;

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

describe.each(ENGINES)('an eviction order at a cut, with the %s', (engine) => {
  const run: Run = (work, limits) => withWorker(work, limits, engine);

  it('lets the idle sessions out with closed_by memory, and reports the mark, their number and what is left', async () => {
    await run(async (main, folder) => {
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
      expect(report.sessionBytes).toBeGreaterThanOrEqual(lane.sessionBytes);
      expect(main.counters()).toMatchObject({ evictedSessions: 1, sessionBytes: report.sessionBytes });
    });
  });

  it('changes nothing where the worker has room', async () => {
    await run(async (main) => {
      await fed(main);
      expect(onlyLane(await cutWith(main, never))).toMatchObject({ marks: {}, evicted: 0, openSessions: 2 });
    });
  });

  it('makes what comes later a session of its own: no event is lost or counted twice', async () => {
    await run(async (main, folder) => {
      await fed(main);
      await cutWith(main, always);
      const later = [...events('idle', 13, 1), ...events('busy', 100, 1)];
      main.data(0, 1, 13n, 15n, batchOf(later, 13));
      expect(await rowsOf(folder, await cutWith(main, never))).toEqual(['busy 11 gap 1', 'idle 1 gap 1']);
    });
  });

  it('holds before the other marks of the cut: what is evicted is not let out twice', async () => {
    await run(async (main, folder) => {
      await fed(main);
      const report = await cutWith(main, always, { marks: { endOfInput: true } });
      expect(await rowsOf(folder, report)).toEqual(['busy 11 end_of_input 1', 'idle 2 memory 1']);
    });
  });

  it('holds behind the watermark that the cut moves', async () => {
    await run(async (main, folder) => {
      await fed(main);
      const marks = { idleWatermarkMs: BASE_MS + 20_000 };
      const report = await cutWith(main, always, { marks });
      expect(await rowsOf(folder, report)).toEqual(['busy 11 memory 1', 'idle 2 gap 1']);
      expect(onlyLane(report).marks).toEqual({ ...marks, evictBeforeMs: BASE_MS + 15_000 });
    });
  });

  it.each(['from the start', 'from a snapshot'])('is met again by a replay %s', async (how) => {
    await run(async (main, folder) => {
      await fed(main);
      const cuts = [await cutWith(main, never, { snapshot: true }), await cutWith(main, always)];
      main.data(0, 1, 13n, 15n, batchOf([...events('idle', 13, 1), ...events('busy', 100, 1)], 13));
      cuts.push(await cutWith(main, never));
      const lanes = cuts.map((report) => recorded(onlyLane(report), report.cutId));
      const snapshot = how === 'from the start' ? null : onlyLane(cuts[0]!).snapshot;
      const other = new FakeMainThread({ folder, model, engine });
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
    await run(async (main, folder) => {
      await fed(main);
      const report = await cutWith(main, always);
      const other = new FakeMainThread({ folder, model, engine });
      const replay = [{ ...recorded(onlyLane(report), report.cutId), marks: {} }];
      other.assign({ partition: 0, incarnation: 1, committedTo: 13n, replay });
      await other.message('lane-ready');
      other.data(0, 1, 0n, 13n, batchOf(INPUT, 0));
      expect(await other.message('lane-halted')).toMatchObject({ error: { code: 'REPLAY_DIFFERS' } });
      await other.stop();
    });
  });
});

describe.each(ENGINES)('session memory that is used up between two cuts, with the %s', (engine) => {
  const run: Run = (work, limits) => withWorker(work, limits, engine);
  const USERS = 300;
  const users = (name: string, at: number): TinyEvent[] =>
    Array.from({ length: USERS }, (_, i) => ({ user: `${name}${i}`, at, page: `/${i}` }));
  const count = BigInt(USERS);
  /** The first ones are idle for 8 s when the second ones come, whose first event moves the watermark. */
  const FIRST = batchOf(users('a', 0), 0);
  const SECOND = batchOf(users('b', 13), USERS);
  const order: EvictionOrder = { ...always, idleMs: [10_000, 7_500], spacingMs: 500 };

  /** Memory for one and a half of them. */
  async function limitBytes(): Promise<number> {
    let bytes = 0;
    await run(async (main) => {
      await live(main, 0);
      main.data(0, 1, 0n, count, FIRST);
      bytes = (await main.cut(wanted(0, 1))).sessionBytes;
    });
    return Math.ceil(bytes * 1.5);
  }

  async function filled(main: FakeMainThread, eviction: EvictionOrder): Promise<void> {
    main.assign({ partition: 0, incarnation: 1, eviction });
    await main.message('lane-ready', 0, 1);
    main.data(0, 1, 0n, count, FIRST);
    main.data(0, 1, count, 2n * count, SECOND);
    main.data(0, 1, 2n * count, 2n * count + 1n, batchOf([{ user: 'c', at: 14 }], 2 * USERS));
  }

  it('is made room in by the order that came with the lane: a part of the next cut, at its own offset', async () => {
    const sessionMemoryBytes = await limitBytes();
    await run(
      async (main, folder) => {
        await filled(main, { ...order, untilBytes: sessionMemoryBytes / 2 });
        const report = await main.cut(wanted(0, 1));
        expect(report.lanes).toHaveLength(2);
        const [given, rest] = report.lanes;
        expect(given).toMatchObject({ marks: { evictBeforeMs: BASE_MS + 500 }, evicted: USERS, rows: USERS });
        expect(given!.to).toBeGreaterThan(count);
        expect(rest).toMatchObject({ to: 2n * count + 1n, marks: {}, evicted: 0, rows: 0 });
        expect(main.about(0)).not.toContain('lane-halted');
        const rows = await rowsOf(folder, report);
        expect(rows).toEqual(rows.map((_, i) => rows[i]!.replace(/ .*/, ' 1 memory 1')));
        expect(report.files[0]!.lanes).toEqual([0]);
        const replay = report.lanes.map((lane) => recorded(lane, report.cutId));
        main.assign({ partition: 0, incarnation: 2, committedTo: 2n * count + 1n, replay });
        await main.message('lane-ready', 0, 2);
        main.data(0, 2, 0n, count, FIRST);
        main.data(0, 2, count, 2n * count, SECOND);
        main.data(0, 2, 2n * count, 2n * count + 1n, batchOf([{ user: 'c', at: 14 }], 2 * USERS));
        expect(await main.message('lane-live', 0, 2)).toBeDefined();
      },
      { sessionMemoryBytes },
    );
  });

  it('halts the lane that wants more when no session is idle enough, and says what to raise', async () => {
    const sessionMemoryBytes = await limitBytes();
    await run(
      async (main) => {
        await filled(main, { ...order, idleMs: [10_000] });
        expect(await main.message('lane-halted')).toMatchObject({
          error: {
            code: 'SESSION_MEMORY_FULL',
            remedy: expect.stringContaining('limits.session_memory_bytes'),
          },
        });
      },
      { sessionMemoryBytes },
    );
  });

  it('halts no replay that takes a little more: its lanes need not lie side by side as they did', async () => {
    const bytes = (await limitBytes()) / 1.5;
    let report: SealedReport | undefined;
    await run(async (main) => {
      await live(main, 0);
      main.data(0, 1, 0n, count, FIRST);
      report = await main.cut(wanted(0, 1));
    });
    await run(
      async (main) => {
        const replay = [recorded(onlyLane(report!), report!.cutId)];
        main.assign({ partition: 0, incarnation: 1, committedTo: count, replay });
        await main.message('lane-ready');
        main.data(0, 1, 0n, count, FIRST);
        await main.message('lane-live');
        main.data(0, 1, count, 2n * count, SECOND);
        expect(await main.message('lane-halted')).toMatchObject({ error: { code: 'SESSION_MEMORY_FULL' } });
      },
      { sessionMemoryBytes: Math.ceil(bytes * 0.9) },
    );
  });

  it('gives what a lane gave up back when the lane is taken away before the cut', async () => {
    const sessionMemoryBytes = await limitBytes();
    await run(
      async (main) => {
        await filled(main, { ...order, untilBytes: sessionMemoryBytes / 2 });
        main.revoke(0, 1);
        await main.message('lane-revoked');
        expect((await main.cut(wanted(0, 1))).lanes).toEqual([]);
        expect(main.counters().openSessions).toBe(0);
      },
      { sessionMemoryBytes },
    );
  });
});
