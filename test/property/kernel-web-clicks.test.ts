import { describe, expect, it } from 'vitest';
import { loadModel } from '#src/model/load.js';
import { KERNEL } from '../fuzz/engine-makers.js';
import { REFERENCE } from '../fuzz/planted-defects.js';
import { playCase } from '../fuzz/play-case.js';
import { KernelTestLane } from '../support/kernel-lane.js';
import { webClicksCase } from '../support/kernel-web-clicks.js';

const CASES = 25;

describe('web_clicks in the kernel', () => {
  it('is what the reference makes of visits in framed snappy batches, through cuts, snapshots and replays', () => {
    const first = Number(process.env.HEADRACE_SEED ?? Math.floor(performance.timeOrigin) % 2 ** 31);
    const sum = { events: 0, rows: 0, undecided: 0 };
    for (let seed = first; seed < first + CASES; seed++) {
      const played = playCase(webClicksCase(seed), KERNEL, REFERENCE);
      expect(played.difference, `HEADRACE_SEED=${seed}`).toBeNull();
      sum.events += played.events;
      sum.rows += played.rows;
      sum.undecided += played.undecided;
    }
    expect(sum.events, `HEADRACE_SEED=${first}`).toBeGreaterThan(CASES * 100);
    expect(sum.rows).toBeGreaterThan(CASES * 5);
    expect(sum.undecided).toBe(0);
  });
});

/** `at`: seconds. */
type Click = Record<string, unknown> & { at: number };

const START_MS = Date.UTC(2026, 0, 1, 12);

function send(lane: KernelTestLane, ...clicks: Click[]): void {
  const events = clicks.map(({ at, ...click }) => {
    const timestamp = new Date(START_MS + at * 1_000).toISOString();
    return { timestamp, session_id: 's', user_id: 7, event_type: 'navigation', ...click };
  });
  lane.send(events, 'xerial');
}

const page = (at: number): Click => ({ at, page_url: `/${at}` });
const end = (at: number): Click => ({ at, event_type: 'session_end', page_url: '/end' });
const record = (at: number) => `{"t":${START_MS + at * 1_000},"type":"navigation","url":"/${at}"}`;
const session = (first: number, last: number, ...events: number[]) => ({
  session_start: START_MS + first * 1_000,
  session_end: START_MS + last * 1_000,
  total_events: events.length,
  page_events: `[${events.map(record).join(',')}]`,
});

describe('an end event in the kernel', () => {
  const laneOf = (...clicks: Click[]) => {
    const lane = new KernelTestLane(loadModel('web_clicks'));
    send(lane, ...clicks);
    return lane;
  };

  it('is not counted, and what comes behind it begins another session', () => {
    expect(laneOf(page(0), page(1), end(2), page(3)).rows()).toMatchObject([
      { ...session(0, 1, 0, 1), closed_by: 'end_event' },
      { ...session(3, 3, 3), closed_by: 'gap' },
    ]);
  });

  it('has the events of its own time in its session, before it and behind it in the log', () => {
    const lane = laneOf(page(0), end(2));
    send(lane, page(2), page(2), page(3));
    expect(lane.rows()).toMatchObject([
      { ...session(0, 2, 0, 2, 2), closed_by: 'end_event' },
      { ...session(3, 3, 3), closed_by: 'gap' },
    ]);
  });

  it('parts a session that went on, with first values and records of the events on its own side', () => {
    const brand = (at: number, name: string): Click => ({ ...page(at), brand: name, city: name });
    const lane = laneOf(brand(0, 'a'), page(1), brand(5, 'b'), page(6));
    lane.restart();
    send(lane, end(3));
    lane.restart();
    expect(lane.rows()).toMatchObject([
      { ...session(0, 1, 0, 1), brand: 'a', city: 'a', closed_by: 'end_event' },
      { ...session(5, 6, 5, 6), brand: 'b', city: 'b', closed_by: 'gap' },
    ]);
  });

  it('parts a session whose row stands: the row is taken back', () => {
    const lane = laneOf(page(0), page(5));
    const [early] = lane.rows({ early: true });
    expect(early).toMatchObject({ ...session(0, 5, 0, 5), closed_by: 'early', revision: 0, sign: 1 });
    send(lane, end(3));
    expect(lane.rows()).toMatchObject([
      { ...session(0, 5, 0, 5), closed_by: 'early', revision: 0, sign: -1 },
      { ...session(0, 0, 0), closed_by: 'end_event', revision: 1, sign: 1 },
      { ...session(5, 5, 5), closed_by: 'gap', sign: 1 },
    ]);
  });

  it('is nothing where no session is', () => {
    expect(laneOf(end(0), end(1)).rows()).toEqual([]);
  });
});
