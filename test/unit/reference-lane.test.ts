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

describe('a session ends by the gap', () => {
  it('when the watermark is greater than its last event + gap, not when it is equal', () => {
    const probe = new LaneProbe().send(u(0), u(5), clock(20));
    expect(probe.take()).toEqual([]);
    probe.send(clock(20.001));
    expect(probe.take()).toEqual(['+ u 0..5 events=2 gap r0']);
  });

  it('and events exactly a gap apart belong together, one millisecond more and they do not', () => {
    expect(rowsOf(new LaneProbe().send(u(0), u(10), clock(100)))).toEqual(['+ u 0..10 events=2 gap r0']);
    expect(rowsOf(new LaneProbe().send(u(0), u(10.001), clock(100)))).toEqual([
      '+ u 0..0 events=1 gap r0',
      '+ u 10.001..10.001 events=1 gap r0',
    ]);
  });

  it('in order of closing time, then key, whatever closes them', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '60s' }));
    probe.send(
      { user: 'b', at: 3 },
      { user: 'c', at: 1 },
      { user: 'a', at: 3 },
      { user: 'c', at: 20 },
      clock(500),
    );
    expect(probe.named.map((row) => [row.user, (row.session_start - BASE_MS) / 1_000])).toEqual([
      ['c', 1],
      ['a', 3],
      ['b', 3],
      ['c', 20],
    ]);
  });

  it('also when an event arrives alone behind the watermark but not late', () => {
    const probe = new LaneProbe().send(clock(100), u(70));
    expect(rowsOf(probe)).toEqual(['+ u 70..70 events=1 gap r0']);
    expect(probe.letters).toEqual([]);
  });
});

describe('order of arrival', () => {
  it('leaves no trace: first, last, lists and sets are in order of time, then offset', () => {
    const probe = new LaneProbe().send(u(3, 'c'), u(1, 'a'), u(4, 'd'), u(2, 'b'), u(2, 'a'), clock(100));
    expect(probe.named[0]).toMatchObject({
      entry: 'a',
      exit: 'd',
      pages: ['a', 'b', 'a', 'c', 'd'],
      distinct: ['a', 'b', 'c', 'd'],
      unique: 4n,
      events: 5,
      duration: 3,
    });
  });

  it('lets an event between two sessions make one of them', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '60s' })).send(u(0), u(16), u(8));
    expect(probe.lane.openSessions).toBe(1);
    expect(rowsOf(probe.send(clock(500)))).toEqual(['+ u 0..16 events=3 gap r0']);
  });
});

describe('columns', () => {
  it('skip nulls for first and last, and give empty lists for nothing', () => {
    const probe = new LaneProbe();
    probe.send(
      { user: 'u', at: 0, page: null, price: 1 },
      u(1, 'x'),
      { user: 'u', at: 2, page: null },
      { user: 'v', at: 0 },
    );
    probe.send(clock(100));
    const [v, first] = [
      probe.named.find((row) => row.user === 'v'),
      probe.named.find((row) => row.user === 'u'),
    ];
    expect(first).toMatchObject({ entry: 'x', exit: 'x', last_price: 1, pages: ['x'] });
    expect(v).toMatchObject({
      entry: null,
      exit: null,
      last_price: null,
      pages: [],
      distinct: [],
      unique: 0n,
    });
  });

  it('hold what the seal fills in as null until then', () => {
    expect(new LaneProbe().send(u(0), clock(100)).named[0]).toMatchObject({
      created_at: null,
      batch_id: null,
      file_id: null,
      session_id: `u:${BASE_MS}`,
      revision: 0,
      sign: 1,
    });
  });

  it('keep the first values up to their limit', () => {
    const probe = new LaneProbe(tinyModel({ listLimit: 2 }));
    probe.send(u(0, 'a'), u(1, 'a'), u(2, 'b'), u(3, 'c'), clock(100));
    expect(probe.named[0]).toMatchObject({ pages: ['a', 'a'], distinct: ['a', 'b'], unique: 3n });
  });

  it('clamp what does not fit their type, and the lane counts it', () => {
    const probe = new LaneProbe(tinyModel({ gap: '1d' })).send(u(0), u(70_000), u(90_000), clock(300_000));
    expect(probe.named[0]).toMatchObject({ duration: 65_535 });
    expect(probe.lane.clamped).toBe(1);
  });

  it('cut the duration to whole seconds', () => {
    expect(new LaneProbe().send(u(0), u(2.999), clock(100)).named[0]).toMatchObject({ duration: 2 });
  });

  it('put the key into the session id as it is, also one that looks like a template', () => {
    const probe = new LaneProbe().send({ user: '{start_ms}$&', at: 0 }, clock(100));
    expect(probe.named[0]).toMatchObject({ session_id: `{start_ms}$&:${BASE_MS}` });
  });
});

describe('an end event', () => {
  it('ends its session when the watermark is greater than its time', () => {
    const probe = new LaneProbe().send(u(0), end(4), clock(9));
    expect(rowsOf(probe)).toEqual([]);
    expect(rowsOf(probe.send(clock(9.001)))).toEqual(['+ u 0..0 events=1 end_event r0']);
  });

  it('takes events at or before its time, and later ones begin another session', () => {
    const probe = new LaneProbe().send(u(0), end(4), u(4), u(4.001), clock(100));
    expect(rowsOf(probe)).toEqual(['+ u 0..4 events=2 end_event r0', '+ u 4.001..4.001 events=1 gap r0']);
  });

  it('is the same whether it comes before or after the events around it', () => {
    const orders = [
      [u(0), end(4), u(6)],
      [end(4), u(6), u(0)],
      [u(6), u(0), end(4)],
      [u(0), u(6), end(4)],
    ];
    for (const events of orders) {
      const probe = new LaneProbe(tinyModel({ disorder: '30s' })).send(...events, clock(200));
      expect(rowsOf(probe)).toEqual(['+ u 0..0 events=1 end_event r0', '+ u 6..6 events=1 gap r0']);
    }
  });

  it('more than a gap behind the last event ends nothing', () => {
    expect(rowsOf(new LaneProbe().send(u(0), end(10.001), clock(100)))).toEqual(['+ u 0..0 events=1 gap r0']);
    expect(rowsOf(new LaneProbe().send(u(0), end(10), clock(100)))).toEqual([
      '+ u 0..0 events=1 end_event r0',
    ]);
  });

  it('reaches a session that grows towards it', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '30s' })).send(u(0), end(15), u(8), clock(200));
    expect(rowsOf(probe)).toEqual(['+ u 0..8 events=2 end_event r0']);
  });

  it('gives way to an earlier one', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '30s' })).send(u(0), end(8), end(3), u(5), clock(200));
    expect(rowsOf(probe)).toEqual(['+ u 0..0 events=1 end_event r0', '+ u 5..5 events=1 end_event r0']);
  });

  it('that comes twice ends once', () => {
    const probe = new LaneProbe().send(u(0), end(4), end(4), clock(9.001), end(4), clock(200));
    expect(rowsOf(probe)).toEqual(['+ u 0..0 events=1 end_event r0']);
    expect(probe.letters).toEqual([]);
  });

  it('alone makes no row, moves the watermark, and is forgotten when that has passed it', () => {
    const probe = new LaneProbe().send(end(50));
    expect(probe.lane.watermarkMs).toBe(BASE_MS + 45_000);
    expect(probe.lane.openSessions).toBe(0);
    expect(probe.lane.snapshot().keys).toHaveLength(1);
    probe.send(clock(55));
    expect(probe.lane.snapshot().keys.map((key) => key.key)).toContain('u');
    probe.send(clock(55.001));
    expect(probe.lane.snapshot().keys.map((key) => key.key)).not.toContain('u');
    expect(probe.take()).toEqual([]);
  });
});

describe('a late event', () => {
  it('is a dead letter with its bytes, and changes nothing', () => {
    const probe = new LaneProbe().send(clock(100));
    // watermark 95: an event alone is late when it is older than 95 − 10 − 20
    probe.send(u(64.999), u(65));
    expect(probe.letters).toMatchObject([{ reason: 'late', offset: 1n, timestampMs: BASE_MS }]);
    expect(JSON.parse(Buffer.from(probe.letters[0]!.value!).toString())).toMatchObject({ user: 'u' });
    expect(rowsOf(probe)).toEqual(['+ u 65..65 events=1 gap r0']);
  });

  it('is judged by the session that it joins', () => {
    const probe = new LaneProbe(tinyModel({ gap: '30s', lateness: '0s' }));
    probe.send(u(30), u(60), clock(90));
    expect(rowsOf(probe.send(u(1), clock(200)))).toEqual(['+ u 1..60 events=3 gap r0']);
    expect(probe.letters).toEqual([]);
  });

  it('is an end event that would end a closed session otherwise', () => {
    const probe = new LaneProbe().send(u(0), u(5), clock(21), end(3), end(14));
    expect(probe.letters.map((letter) => letter.reason)).toEqual(['late', 'late']);
  });

  it('does not move the watermark, nor does one from the future', () => {
    const probe = new LaneProbe().send(clock(100), u(0), u(400_000));
    expect(probe.letters.map((letter) => letter.reason)).toEqual(['late', 'future']);
    expect(probe.lane.watermarkMs).toBe(BASE_MS + 95_000);
  });
});

describe('records that are no events', () => {
  it('are dead letters with reason and detail, and the next one is taken', () => {
    const probe = new LaneProbe();
    probe
      .sendRaw(null)
      .sendRaw(Buffer.from('{'))
      .sendRaw(Buffer.from('{}'))
      .sendRaw(Buffer.from('{}'), true)
      .send(u(0));
    expect(probe.letters.map(({ reason, offset }) => [reason, offset])).toEqual([
      ['malformed', 0n],
      ['malformed', 1n],
      ['missing_field', 2n],
      ['too_large', 3n],
    ]);
    expect(probe.letters[0]).toMatchObject({ value: null, detail: 'no value' });
    expect(probe.lane.openSessions).toBe(1);
  });

  it('keep bytes of their own, since the record is reused', () => {
    const bytes = Buffer.from('{');
    const probe = new LaneProbe().sendRaw(bytes);
    bytes.fill(0);
    expect(Buffer.from(probe.letters[0]!.value!).toString()).toBe('{');
  });
});

describe('memory', () => {
  it('grows with content and is given back when a session is forgotten', () => {
    const probe = new LaneProbe();
    const { lane } = probe;
    const sizes = [lane.sessionBytes];
    probe.send(u(0));
    sizes.push(lane.sessionBytes);
    probe.send(u(1, 'a page'));
    sizes.push(lane.sessionBytes);
    probe.send(u(2, 'another page, with a longer name'));
    sizes.push(lane.sessionBytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(new Set(sizes).size).toBe(4);
    probe.marks({ idleWatermarkMs: BASE_MS + 32_000 });
    expect(lane.sessionBytes).toBeGreaterThan(0);
    expect(lane.openSessions).toBe(0);
    // last event 2 + gap 10 + lateness 20 < watermark
    probe.marks({ idleWatermarkMs: BASE_MS + 32_001 });
    expect(lane.sessionBytes).toBe(0);
    expect(lane.snapshot().keys).toEqual([]);
  });

  it('comes back whole from splits, merges and revisions', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '60s' }));
    probe.send(u(0, 'a'), u(16, 'b')).marks({ early: true }).send(u(8, 'c')).marks({ endOfInput: true });
    probe.send(end(8), u(9)).marks({ early: true, idleWatermarkMs: BASE_MS + 1_000_000 });
    expect(probe.lane.sessionBytes).toBe(0);
    expect(probe.lane.openSessions).toBe(0);
  });
});

describe('marks', () => {
  it('move the watermark forward only', () => {
    const probe = new LaneProbe().send(u(0)).marks({ idleWatermarkMs: BASE_MS + 11_000 });
    expect(probe.take()).toEqual(['+ u 0..0 events=1 gap r0']);
    probe.marks({ idleWatermarkMs: BASE_MS });
    expect(probe.lane.watermarkMs).toBe(BASE_MS + 11_000);
  });

  it('let open sessions out early, once for each change', () => {
    const probe = new LaneProbe().send(u(0), { user: 'v', at: 0 }).marks({ early: true });
    expect(probe.take()).toEqual(['+ u 0..0 events=1 early r0', '+ v 0..0 events=1 early r0']);
    probe.send(u(1)).marks({ early: true }).marks({ early: true });
    expect(probe.take()).toEqual(['- u 0..0 events=1 early r0', '+ u 0..1 events=2 early r1']);
    probe.marks({ idleWatermarkMs: BASE_MS + 20_000 });
    expect(probe.take()).toEqual([
      '- v 0..0 events=1 early r0',
      '+ v 0..0 events=1 gap r1',
      '- u 0..1 events=2 early r1',
      '+ u 0..1 events=2 gap r2',
    ]);
  });

  it('repeat the old row in the row that takes it back', () => {
    const probe = new LaneProbe()
      .send(u(5, 'x'))
      .marks({ early: true })
      .send(u(4, 'y'))
      .marks({ early: true });
    const [first, minus, plus] = probe.named;
    expect(minus).toEqual({ ...first, sign: -1 });
    expect(plus).toMatchObject({
      session_id: first!.session_id,
      session_start: BASE_MS + 4_000,
      revision: 1,
      sign: 1,
    });
  });

  it('forget sessions that are evicted, and an event that comes later starts anew', () => {
    const probe = new LaneProbe().send(u(0), { user: 'v', at: 3 }).marks({ evictBeforeMs: BASE_MS + 3_000 });
    expect(probe.take()).toEqual(['+ u 0..0 events=1 memory r0']);
    expect(probe.lane.openSessions).toBe(1);
    probe.send(u(2), clock(100));
    expect(rowsOf(probe)).toEqual(['+ u 2..2 events=1 gap r0']);
  });

  it('evict closed sessions without another row', () => {
    const probe = new LaneProbe().send(u(0), clock(20));
    expect(rowsOf(probe)).toEqual(['+ u 0..0 events=1 gap r0']);
    probe.marks({ evictBeforeMs: BASE_MS + 3_000 });
    expect(rowsOf(probe)).toEqual([]);
    expect(probe.lane.snapshot().keys.map((key) => key.key)).toEqual(['clock']);
  });

  it('apply in the order watermark, eviction, early, end of input', () => {
    const probe = new LaneProbe().send(u(0), { user: 'v', at: 11 }, { user: 'w', at: 12 });
    probe.marks({
      endOfInput: true,
      early: true,
      evictBeforeMs: BASE_MS + 12_000,
      idleWatermarkMs: BASE_MS + 10_001,
    });
    expect(probe.take()).toEqual([
      '+ u 0..0 events=1 gap r0',
      '+ v 11..11 events=1 memory r0',
      '+ w 12..12 events=1 early r0',
      '- w 12..12 events=1 early r0',
      '+ w 12..12 events=1 end_of_input r1',
    ]);
  });
});

describe('the end of a bounded input', () => {
  it('lets open sessions out in order of start and key, and leaves the watermark', () => {
    const probe = new LaneProbe().send({ user: 'c', at: 2 }, { user: 'b', at: 1 }, { user: 'a', at: 2 });
    const watermarkMs = probe.lane.watermarkMs;
    probe.marks({ endOfInput: true });
    expect(probe.take()).toEqual([
      '+ b 1..1 events=1 end_of_input r0',
      '+ a 2..2 events=1 end_of_input r0',
      '+ c 2..2 events=1 end_of_input r0',
    ]);
    expect(probe.lane.watermarkMs).toBe(watermarkMs);
    expect(probe.lane.openSessions).toBe(3);
    expect(probe.marks({ endOfInput: true }).take()).toEqual([]);
  });

  it('is revised by the next run, also when only closed_by changes', () => {
    const probe = new LaneProbe().send(u(0)).marks({ endOfInput: true }).restart();
    probe.take();
    expect(rowsOf(probe.send(clock(100)))).toEqual([
      '- u 0..0 events=1 end_of_input r0',
      '+ u 0..0 events=1 gap r1',
    ]);
  });

  it('merges what it let out as two: the earlier session stays, the later is taken back', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '60s' }))
      .send(u(0), u(16))
      .marks({ endOfInput: true })
      .restart();
    probe.send(u(8)).marks({ endOfInput: true });
    expect(probe.named.slice(2)).toMatchObject([
      { session_id: `u:${BASE_MS}`, sign: -1, revision: 0, events: 1 },
      { session_id: `u:${BASE_MS + 16_000}`, sign: -1, revision: 0, events: 1 },
      { session_id: `u:${BASE_MS}`, sign: 1, revision: 1, events: 3 },
    ]);
  });

  it('splits what it let out as one: the row is taken back by the part with its first event', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '60s' }))
      .send(u(8))
      .marks({ endOfInput: true })
      .restart();
    probe.send(u(2), end(4)).marks({ endOfInput: true });
    expect(probe.named.slice(1)).toMatchObject([{ session_id: `u:${BASE_MS + 2_000}`, events: 1, sign: 1 }]);
    probe.rows.length = 0;
    probe.send(clock(200));
    expect(probe.named.filter((row) => row.user === 'u')).toMatchObject([
      { session_id: `u:${BASE_MS + 2_000}`, closed_by: 'end_of_input', sign: -1 },
      { session_id: `u:${BASE_MS + 2_000}`, closed_by: 'end_event', sign: 1 },
      { session_id: `u:${BASE_MS + 8_000}`, closed_by: 'end_of_input', revision: 0, sign: -1 },
      { session_id: `u:${BASE_MS + 8_000}`, closed_by: 'gap', revision: 1, sign: 1 },
    ]);
  });

  it('knows a session by its first row for good, also after it was let out with an earlier start', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '60s' })).send(u(8)).marks({ endOfInput: true });
    probe.send(u(2)).marks({ endOfInput: true });
    probe.rows.length = 0;
    probe.send(end(4)).marks({ endOfInput: true });
    expect(probe.named).toMatchObject([
      { session_id: `u:${BASE_MS + 2_000}`, sign: 1, events: 1 },
      { session_id: `u:${BASE_MS + 8_000}`, sign: -1, events: 2, revision: 1 },
      { session_id: `u:${BASE_MS + 8_000}`, sign: 1, events: 1, revision: 2 },
    ]);
  });

  it('gives no revision of a session twice when what was merged is split again', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '60s' })).send(u(0), u(16)).marks({ endOfInput: true });
    probe.send(u(8)).marks({ endOfInput: true });
    probe.rows.length = 0;
    probe.send(end(12)).marks({ endOfInput: true });
    expect(probe.named).toMatchObject([
      { session_id: `u:${BASE_MS}`, sign: -1, revision: 1, events: 3 },
      { session_id: `u:${BASE_MS}`, sign: 1, revision: 2, events: 2 },
      // its revision 0 was given and taken back before the merge
      { session_id: `u:${BASE_MS + 16_000}`, sign: 1, revision: 2, events: 1 },
    ]);
  });
});

describe('a snapshot', () => {
  it('is not reached by what the lane does later', () => {
    const probe = new LaneProbe(tinyModel({ disorder: '60s' })).send(u(0, 'a'), u(20)).marks({ early: true });
    const state = probe.lane.snapshot();
    const copy = structuredClone(state);
    probe.send(u(10), end(3), u(30), clock(1_000));
    expect(state).toEqual(copy);
  });

  it('is the same after a restart', () => {
    const probe = new LaneProbe()
      .send(u(0, 'a'), u(3, 'a'), end(4), end(12), clock(8))
      .marks({ early: true });
    const state = probe.lane.snapshot();
    expect(probe.restart().lane.snapshot()).toEqual(state);
    expect(probe.lane.openSessions).toBe(1);
  });
});
