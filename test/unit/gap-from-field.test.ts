import { describe, expect, it } from 'vitest';
import { explain } from '#src/commands/model/explain.js';
import { semanticDifferences } from '#src/ledger/semantic-differences.js';
import { semanticsOf } from '#src/ledger/semantics.js';
import type { CompiledModel } from '#src/model/types.js';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { LaneProbe, tinyModel } from '../support/reference-lane.js';

/** Each event says how long it holds its session open: default 10 s, at most 60 s; disorder 5 s, lateness 20 s. */
const GAP = '{ field: price, unit: s, default: 10s, max: 60s }';
const model = tinyModel({ gap: GAP });

const u = (at: number, hold?: number, page?: string) => ({ user: 'u', at, price: hold, page });
const end = (at: number) => ({ user: 'u', at, type: 'end' });
/** Another user, who only moves time on. */
const clock = (at: number) => ({ user: 'clock', at });

function rowsOf(probe: LaneProbe): string[] {
  return probe.take().filter((line) => line.includes(' u '));
}

describe('a gap from a field', () => {
  it('is for the event itself: what it holds open stays open, whatever shorter ones come behind it', () => {
    const probe = new LaneProbe(model).send(u(0, 30), u(5, 1), u(30), clock(300));
    expect(rowsOf(probe)).toEqual(['+ u 0..30 events=3 gap r0']);
    const other = new LaneProbe(model).send(u(0, 30), u(5, 1), u(30.001), clock(300));
    expect(rowsOf(other)).toEqual(['+ u 0..5 events=2 gap r0', '+ u 30.001..30.001 events=1 gap r0']);
  });

  it('closes a session when the watermark has passed what its events hold it open for', () => {
    const probe = new LaneProbe(model).send(u(0, 2), clock(7));
    expect(rowsOf(probe)).toEqual([]);
    expect(rowsOf(probe.send(clock(7.001)))).toEqual(['+ u 0..0 events=1 gap r0']);
  });

  it.each([
    ['none', undefined, 10],
    ['more than max', 1_000_000, 60],
    ['less than nothing', -5, 0],
    ['nothing', 0, 0],
    ['parts of a millisecond', 0.0019, 0.001],
  ])('of an event that says %s', (_, hold, seconds) => {
    const within = new LaneProbe(model).send(u(0, hold), u(seconds), clock(300));
    expect(rowsOf(within)).toEqual([`+ u 0..${seconds} events=2 gap r0`]);
    const behind = new LaneProbe(model).send(u(0, hold), u(seconds + 0.001), clock(300));
    expect(rowsOf(behind)).toHaveLength(2);
  });

  it('in milliseconds', () => {
    const probe = new LaneProbe(tinyModel({ gap: '{ field: price, unit: ms, max: 1h }' }));
    probe.send(u(0, 1_500), u(1.5, 1), u(1.502), clock(2_000));
    expect(rowsOf(probe)).toEqual(['+ u 0..1.5 events=2 gap r0', '+ u 1.502..1.502 events=1 gap r0']);
  });

  it('begins anew with each session: what held one open that was cut off holds no other', () => {
    const short = tinyModel({ gap: GAP, more: 'max_duration: 12s' });
    const probe = new LaneProbe(short).send(u(0, 60), u(13, 1), u(20), clock(300));
    expect(rowsOf(probe)).toEqual([
      '+ u 0..0 events=1 max_duration r0',
      '+ u 13..13 events=1 gap r0',
      '+ u 20..20 events=1 gap r0',
    ]);
  });

  it('a late event that holds longer joins what was apart, and several sessions become one', () => {
    const probe = new LaneProbe(model).send(u(0, 2), u(10, 1), u(20, 1), clock(26.5));
    expect(rowsOf(probe)).toEqual([
      '+ u 0..0 events=1 gap r0',
      '+ u 10..10 events=1 gap r0',
      '+ u 20..20 events=1 gap r0',
    ]);
    expect(rowsOf(probe.send(u(0.5, 25)))).toEqual([]);
    expect(rowsOf(probe.send(clock(31)))).toEqual([
      '- u 0..0 events=1 gap r0',
      '- u 10..10 events=1 gap r0',
      '- u 20..20 events=1 gap r0',
      '+ u 0..20 events=4 gap r1',
    ]);
    expect(probe.letters).toEqual([]);
  });

  it('an event is late when the session that it joins is over, by what all of that session’s events say', () => {
    const over = new LaneProbe(model).send(u(0, 2), clock(28), u(1, 1));
    expect(over.letters.map(({ reason }) => reason)).toEqual(['late']);
    const known = new LaneProbe(model).send(u(0, 50), clock(28), u(1, 1));
    expect(known.letters).toEqual([]);
    const own = new LaneProbe(model).send(u(0, 2), clock(28), u(1, 30));
    expect(own.letters).toEqual([]);
  });

  it('a session is known for as long as one before it, whose events say where it begins', () => {
    const split = tinyModel({ gap: GAP, more: 'split: { on_change: [page] }' });
    const probe = new LaneProbe(split).send(u(0, 60, 'a'), u(2, 1, 'b'), clock(40));
    expect(rowsOf(probe)).toEqual(['+ u 0..0 events=1 split r0', '+ u 2..2 events=1 gap r0']);
    // were the second one forgotten, this would join the first
    probe.send(u(15, 60, undefined));
    expect(probe.lane.snapshot().keys.find(({ key }) => key === 'u')?.sessions).toHaveLength(3);
    expect(rowsOf(probe.send(clock(200)))).toEqual(['+ u 15..15 events=1 gap r0']);
    expect(probe.lane.snapshot().keys.map(({ key }) => key)).toEqual(['clock']);
  });

  it('of an end event that belongs to none holds nothing', () => {
    const probe = new LaneProbe(model).send(u(0, 30), { ...end(5), price: 60 }, u(20), clock(300));
    expect(rowsOf(probe)).toEqual(['+ u 0..0 events=1 end_event r0', '+ u 20..20 events=1 gap r0']);
  });

  it('is the same after a restart, from the bytes of a snapshot', () => {
    const through = (probe: LaneProbe) =>
      probe.restart((state) => decodeState(model, encodeState(model, state)));
    const whole = new LaneProbe(model).send(u(0, 30), u(5, 1), clock(34), u(30), clock(300));
    const parts = through(new LaneProbe(model).send(u(0, 30), u(5, 1), clock(34)));
    parts.send(u(30), clock(300));
    expect(parts.rows).toEqual(whole.rows);
  });
});

describe('a model with a gap from a field', () => {
  const limits = { kafka: { isolation: 'read_committed' as const }, limits: { recordBytesMax: 1 } };
  const rules = (of: CompiledModel) => semanticsOf(of, limits).rules;

  it('is another for the ledger, which says in what', () => {
    const fixed = tinyModel({ gap: '60s' });
    const differences = semanticDifferences(rules(fixed), rules(model)).map(({ text }) => text);
    expect(differences.join('\n')).toMatch(/model: gap\.field was none, is .*"field":"price"/);
    const others = [fixed, model, ...['unit: ms', 'max: 61s', 'default: 11s'].map(changed)];
    expect(new Set(others.map(({ hash }) => hash)).size).toBe(others.length);
    expect(tinyModel({ gap: '{ field: price, unit: s, default: 10s, max: 1m }' }).hash).toBe(model.hash);
  });

  it('is explained', () => {
    expect(explain(model).session.gap).toBe(
      'price of each event, in s, at most 1 min 00 s; 10.0 s without one',
    );
    expect(explain(model).fields.find(({ name }) => name === 'price')?.kept).toBe(true);
  });

  it.each([
    ['{ field: prize, unit: s, default: 10s, max: 1m }', /gap\.field: prize is no field.*did you mean price/],
    ['{ field: page, unit: s, default: 10s, max: 1m }', /gap\.field: page is of type string/],
    ['{ field: price, unit: m, default: 10s, max: 1m }', /gap\.unit: must be s or ms/],
    ['{ field: price, default: 10s, max: 1m }', /gap\.unit: is missing/],
    ['{ field: price, unit: s, default: 10s }', /gap\.max: is missing/],
    ['{ field: price, unit: s, default: 10, max: 1m }', /gap\.default: 10 has no unit/],
    ['{ field: price, unit: s, default: 2m, max: 1m }', /gap\.default: must not be longer than gap\.max/],
    ['{ field: price, unit: s, defualt: 2m, max: 1m }', /gap\.defualt: no such key; did you mean default/],
    ['[30m]', /gap: must be a duration such as 30m/],
  ])('is refused where it says %s', (gap, message) => {
    expect(() => tinyModel({ gap })).toThrow(message);
  });
});

function changed(part: string): CompiledModel {
  const [name] = part.split(':');
  return tinyModel({ gap: GAP.replace(new RegExp(`${name}: \\w+`), part) });
}
