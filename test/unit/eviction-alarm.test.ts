import { describe, expect, it } from 'vitest';
import { evictionOrder } from '#src/lanes/eviction.js';
import { SessionMemory } from '#src/lanes/session-memory.js';
import type { SealedLane, SealedReport } from '#src/ledger/types.js';
import { FakeEngine, SESSION_MEMORY_BYTES } from '../support/fake-engine.js';
import { FakeLog } from '../support/fake-log.js';
import { HurriedClock } from '../support/fake-time.js';

const order = evictionOrder({ limitBytes: SESSION_MEMORY_BYTES, gapMs: 10_000 });

describe('the order to make room', () => {
  it('comes with a lane, so that it holds before the first cut, and with each cut', async () => {
    const engine = await FakeEngine.start();
    await engine.assign(0);
    await engine.feed(0, 110n);
    await engine.tick();
    expect(engine.workers[0]!.orders).toEqual([order, order]);
  });

  it('is not given at the end of a bounded run: its sessions stay whole for the next one', async () => {
    const engine = await FakeEngine.start({ ends: { 0: 110n } });
    await engine.assign(0);
    await engine.feed(0, 110n);
    await engine.through(engine.manager.finishBounded());
    expect(engine.workers[0]!.orders).toEqual([order, undefined]);
  });
});

describe('an eviction', () => {
  function setUp() {
    const log = new FakeLog();
    const clock = new HurriedClock();
    const memory = new SessionMemory({ topic: 'clicks', limitBytes: 1_000, gapMs: 10_000, log, clock });
    return { log, clock, memory };
  }

  function report(sessionBytes: number, ...lanes: Partial<SealedLane>[]): SealedReport {
    const whole = lanes.map(
      (lane) => ({ partition: 3, to: 50n, marks: {}, evicted: 0, ...lane }) as SealedLane,
    );
    return { cutId: '1', worker: 1, sessionBytes, lanes: whole, files: [], deadLetterFile: null };
  }
  const evicted = (sessions: number) => ({
    evicted: sessions,
    marks: { evictBeforeMs: Date.UTC(2026, 0, 2) },
  });

  it('is said with where, how many, how full, and what to do about it', () => {
    const { log, memory } = setUp();
    memory.sealed(report(700, evicted(40)));
    expect(log.lines).toEqual([
      {
        level: 'warn',
        fields: {
          topic: 'clicks',
          partition: 3,
          worker: 1,
          offset: 50n,
          last_event_before: '2026-01-02T00:00:00.000Z',
          sessions: 40,
          sessions_so_far: 40,
          bytes: 700,
          limit_bytes: 1_000,
        },
        message: expect.stringMatching(/closed_by memory.*raise limits\.session_memory_bytes, or run more/),
      },
    ]);
  });

  it('that goes on is said again after a while, with the sum', () => {
    const { log, clock, memory } = setUp();
    for (let i = 0; i < 5; i++) memory.sealed(report(700, evicted(40)));
    expect(log.lines).toHaveLength(1);
    clock.advance(5_000);
    memory.sealed(report(700, evicted(1), evicted(2)));
    expect(log.lines).toHaveLength(2);
    expect(log.lines[1]!.fields).toMatchObject({ sessions: 1, sessions_so_far: 201, repeats: 4 });
  });

  it('of sessions that were closed before is nobody’s trouble', () => {
    const { log, memory } = setUp();
    memory.sealed(report(700, { marks: { evictBeforeMs: 5 } }));
    expect(log.lines).toEqual([]);
  });

  it('that leaves a worker too full says that lanes will halt', () => {
    const { log, memory } = setUp();
    memory.sealed(report(850));
    expect(log.lines).toEqual([]);
    memory.sealed(report(851));
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { worker: 1, bytes: 851 }, message: expect.stringMatching(/lanes halt/) },
    ]);
  });
});
