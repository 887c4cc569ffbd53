import { describe, expect, it } from 'vitest';
import { BASE_MS, LaneProbe, tinyModel } from '../support/reference-lane.js';

/** gap 10 s, disorder 5 s, lateness 20 s: `at: t` moves the watermark to t − 5. */
const u = (at: number, page?: string) => ({ user: 'u', at, page });
const end = (at: number) => ({ user: 'u', at, type: 'end' });
/** Another user, who only moves time on. */
const clock = (at: number) => ({ user: 'clock', at });

function rowsOf(probe: LaneProbe, user = 'u'): string[] {
  return probe.take().filter((line) => line.includes(` ${user} `));
}

describe('an event in time for a closed session', () => {
  it('revises its row at once', () => {
    const probe = new LaneProbe().send(u(0, 'a'), u(5), clock(21));
    expect(rowsOf(probe)).toEqual(['+ u 0..5 events=2 gap r0']);
    expect(probe.send(u(3, 'b')).take()).toEqual(['- u 0..5 events=2 gap r0', '+ u 0..5 events=3 gap r1']);
    expect(probe.letters).toEqual([]);
  });

  it('opens it again when the watermark has not passed where it ends now', () => {
    const probe = new LaneProbe().send(u(0), clock(16));
    expect(rowsOf(probe)).toEqual(['+ u 0..0 events=1 gap r0']);
    expect(rowsOf(probe.send(u(10)))).toEqual([]);
    expect(probe.lane.openSessions).toBe(2);
    expect(rowsOf(probe.send(clock(26)))).toEqual(['- u 0..0 events=1 gap r0', '+ u 0..10 events=2 gap r1']);
  });

  it('makes one of two: both rows are taken back, the earlier session stays', () => {
    const probe = new LaneProbe().send(u(0), u(16), clock(35), u(8));
    expect(probe.named.filter((row) => row.user === 'u')).toMatchObject([
      { session_id: `u:${BASE_MS}`, sign: 1, revision: 0, events: 1 },
      { session_id: `u:${BASE_MS + 16_000}`, sign: 1, revision: 0, events: 1 },
      { session_id: `u:${BASE_MS}`, sign: -1, revision: 0, events: 1 },
      { session_id: `u:${BASE_MS + 16_000}`, sign: -1, revision: 0, events: 1 },
      { session_id: `u:${BASE_MS}`, sign: 1, revision: 1, events: 3 },
    ]);
  });

  it('is the same after a restart', () => {
    const events = [u(0, 'a'), u(16, 'b'), clock(35)];
    const whole = new LaneProbe().send(...events, u(8, 'c'), clock(100));
    const parts = new LaneProbe().send(...events).restart();
    parts.send(u(8, 'c'), clock(100));
    expect(parts.rows).toEqual(whole.rows);
  });

  it('is refused when it would tear it apart by its length', () => {
    const probe = new LaneProbe(tinyModel({ more: 'max_duration: 12s' })).send(u(10), u(20), clock(36), u(5));
    expect(rowsOf(probe)).toEqual(['+ u 10..20 events=2 max_duration r0']);
    expect(probe.letters.map(({ reason }) => reason)).toEqual(['late']);
  });
});

describe('max_duration', () => {
  const model = tinyModel({ more: 'max_duration: 12s' });

  it('is exact: an event at its end belongs, one a millisecond later begins another session', () => {
    const probe = new LaneProbe(model).send(u(0), u(6), u(12), u(12.001), clock(100));
    expect(rowsOf(probe)).toEqual([
      '+ u 0..12 events=3 max_duration r0',
      '+ u 12.001..12.001 events=1 gap r0',
    ]);
  });

  it('closes a session when the watermark has passed it, if it comes before the gap', () => {
    const probe = new LaneProbe(model).send(u(0), u(9), clock(17.001));
    expect(rowsOf(probe)).toEqual(['+ u 0..9 events=2 max_duration r0']);
  });

  it('cuts in the same place whatever the order of arrival', () => {
    const events = [u(0, 'a'), u(5, 'b'), u(11, 'c'), u(14, 'd'), u(22, 'e')];
    for (const order of [events, events.toReversed(), [1, 3, 0, 4, 2].map((at) => events[at]!)]) {
      const more = 'max_duration: 12s';
      const probe = new LaneProbe(tinyModel({ disorder: '60s', more })).send(...order, clock(500));
      expect(rowsOf(probe)).toEqual([
        '+ u 0..11 events=3 max_duration r0',
        '+ u 14..22 events=2 max_duration r0',
      ]);
    }
  });
});

describe('a split', () => {
  it('at midnight of a zone, also where its clock is put forward', () => {
    const hour = 3_600;
    const model = tinyModel({ gap: '2h', disorder: '0s', more: 'split: { midnight: Europe/Berlin }' });
    const probe = new LaneProbe(model).send(
      u(22.5 * hour),
      u(23 * hour - 0.001),
      u(23 * hour),
      clock(30 * hour),
    );
    expect(rowsOf(probe)).toEqual([
      `+ u ${22.5 * hour}..${23 * hour - 0.001} events=2 split r0`,
      `+ u ${23 * hour}..${23 * hour} events=1 gap r0`,
    ]);
  });

  it('by a value that is another than the last one, not by one that is missing', () => {
    const model = tinyModel({ more: 'split: { on_change: [page] }' });
    const probe = new LaneProbe(model).send(u(0, 'a'), u(1), u(2, 'a'), u(3, 'b'), u(4), clock(100));
    expect(rowsOf(probe)).toEqual(['+ u 0..2 events=3 split r0', '+ u 3..4 events=2 gap r0']);
  });

  it('by a start event, which is its session’s first', () => {
    const model = tinyModel({ more: 'start_event: { field: type, in: [login] }' });
    const login = (at: number) => ({ user: 'u', at, type: 'login' });
    const probe = new LaneProbe(model).send(u(0), login(2), u(3), login(4), clock(100));
    expect(rowsOf(probe)).toEqual([
      '+ u 0..0 events=1 split r0',
      '+ u 2..3 events=2 split r0',
      '+ u 4..4 events=1 gap r0',
    ]);
  });
});

describe('an end event that is counted', () => {
  it('is its session’s last', () => {
    const model = tinyModel({ endEvent: '{ field: type, in: [end], counted: true }' });
    const probe = new LaneProbe(model).send(u(0), end(4), u(5), clock(100), end(200));
    expect(rowsOf(probe)).toEqual(['+ u 0..4 events=2 end_event r0', '+ u 5..5 events=1 gap r0']);
    expect(rowsOf(probe.send(clock(300)))).toEqual(['+ u 200..200 events=1 end_event r0']);
  });
});
