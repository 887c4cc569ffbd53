import { describe, expect, it } from 'vitest';
import { decodeRow } from '#src/reference/row-bytes.js';
import { encodeRow } from '#src/reference/row-crc.js';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { collectionsModel } from '../support/collections-model.js';
import { BASE_MS, LaneProbe, type NamedRow, type TinyEvent } from '../support/reference-lane.js';

const MODEL = collectionsModel();
const LAST: TinyEvent = { user: 'zz', at: 10_000 };

/** The one session of user u. `at` counts up by itself where an event does not say it. */
function sessionOf(
  events: readonly Partial<TinyEvent>[],
  model = MODEL,
  through: (probe: LaneProbe) => void = () => {},
): NamedRow {
  const probe = new LaneProbe(model);
  for (const [at, event] of events.entries()) probe.send({ user: 'u', at, ...event });
  through(probe);
  probe.send(LAST);
  const rows = probe.named.filter(({ user }) => user === 'u');
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

describe('count_values', () => {
  it('counts the events that have the field, repeats, empty texts and zeros included', () => {
    const row = sessionOf([
      { page: 'a', amount: 0 },
      { page: 'a' },
      { page: null, amount: null },
      {},
      { page: '', amount: 7 },
    ]);
    expect(row).toMatchObject({ events: 5, visits: 3, amounts: 2n });
  });

  it('is zero where no event has it', () => {
    expect(sessionOf([{}, { page: null }])).toMatchObject({ visits: 0, amounts: 0n });
  });
});

describe('list', () => {
  const events = [
    { type: 'view', page: 'a', title: 'A' },
    { type: 'scroll', page: 'b', title: 'B' },
    { type: 'click', page: 'a', title: 'A again' },
    { type: 'click', page: null, title: 'of nothing' },
    { type: 'view', page: 'c' },
    { page: 'd', title: 'D' },
  ];

  it('takes only events that equal one of some values, where it is told so', () => {
    expect(sessionOf(events)).toMatchObject({
      pages: ['a', 'b', 'a', 'c', 'd'],
      viewed: ['a', 'a', 'c'],
      pages_json: '["a","b","a","c","d"]',
    });
  });

  it('by a field has one item for each of its values, from the first event that brings it, null where that lacks it', () => {
    expect(sessionOf(events)).toMatchObject({
      titles: '["A","B",null,"D"]',
      ids: '["a","c"]',
      names: '["A",null]',
    });
  });

  it('by a field under a condition looks past events that do not meet it', () => {
    const row = sessionOf([
      { type: 'scroll', page: 'a', title: 'first' },
      { type: 'view', page: 'a', title: 'second' },
    ]);
    expect(row).toMatchObject({ titles: '["first"]', ids: '["a"]', names: '["second"]' });
  });

  it('is an empty array where nothing is there', () => {
    expect(sessionOf([{ title: 'alone' }])).toMatchObject({
      pages: [],
      pages_json: '[]',
      titles: '[]',
      ids: '[]',
      names: '[]',
      distinct: '[]',
      steps: '[]',
    });
  });
});

describe('records', () => {
  it('are the events with the field, their members in the model’s order, missing ones null, times in ms', () => {
    const row = sessionOf([
      { type: 'view', page: 'a', amount: 4_294_967_295 },
      { type: 'view', page: null, amount: 1 },
      { page: 'b', amount: 0 },
    ]);
    expect(row.steps).toBe(
      `[{"t":${BASE_MS},"kind":"view","page":"a","amount":4294967295},` +
        `{"t":${BASE_MS + 2_000},"kind":null,"page":"b","amount":0}]`,
    );
    expect(row.all).toBe('[{"user":"u","title":null},{"user":"u","title":null},{"user":"u","title":null}]');
  });
});

describe('a column of several values', () => {
  it('holds the first ones up to its limit, while what counts goes on', () => {
    const pages = ['a', 'a', 'b', 'c'];
    const events = pages.map((page) => ({ type: 'view', page, title: `of ${page}` }));
    const row = sessionOf(events, collectionsModel({ limit: 2 }));
    expect(row).toMatchObject({
      visits: 4,
      pages: ['a', 'a'],
      pages_json: '["a","a"]',
      viewed: ['a', 'a'],
      titles: '["of a","of b"]',
      ids: '["a","b"]',
      names: '["of a","of b"]',
      distinct: '["a","b"]',
    });
    expect(JSON.parse(row.steps as string)).toHaveLength(2);
    expect(JSON.parse(row.all as string)).toHaveLength(2);
  });

  it('is in the order of event time and offset, whatever the order of arrival', () => {
    const row = sessionOf([
      { at: 4, type: 'view', page: 'd', title: 'late' },
      { at: 2, type: 'view', page: 'b' },
      { at: 2, type: 'view', page: 'c' },
      { at: 1, type: 'view', page: 'd', title: 'early' },
    ]);
    expect(row).toMatchObject({
      pages: ['d', 'b', 'c', 'd'],
      ids: '["d","b","c"]',
      names: '["early",null,null]',
    });
    expect(JSON.parse(row.steps as string).map(({ t }: { t: number }) => t - BASE_MS)).toEqual([
      1_000, 2_000, 2_000, 4_000,
    ]);
  });

  it('has its texts as JSON.stringify writes them', () => {
    const page = 'a"b\\c/ü東🛒\u0000\u001f\b\f\n\r\t\u007f\u2028\ufeff';
    const row = sessionOf([{ page, type: 'view', title: page }]);
    const text = '"a\\"b\\\\c/ü東🛒\\u0000\\u001f\\b\\f\\n\\r\\t\u007f\u2028\ufeff"';
    expect(row).toMatchObject({ pages_json: `[${text}]`, titles: `[${text}]`, distinct: `[${text}]` });
    expect(row.steps).toBe(`[{"t":${BASE_MS},"kind":"view","page":${text},"amount":null}]`);
  });

  it('takes half of a surrogate pair for U+FFFD, so that the text has bytes', () => {
    const probe = new LaneProbe(MODEL);
    probe.sendRaw(Buffer.from(`{"user":"u","at":${BASE_MS},"page":"\\ud83d"}`)).send(LAST);
    expect(probe.named[0]).toMatchObject({ pages_json: '["\ufffd"]', distinct: '["\ufffd"]' });
  });

  it('is the same after its session went through a snapshot', () => {
    const events = [
      { type: 'view', page: 'a', title: 'A', amount: 1 },
      { page: 'b', amount: null },
      { type: 'click', page: 'a' },
    ];
    const again = sessionOf(events, MODEL, (probe) =>
      probe.restart((state) => decodeState(MODEL, encodeState(MODEL, state))),
    );
    expect(again).toEqual(sessionOf(events));
  });

  it('comes back from a row’s bytes as it was', () => {
    const probe = new LaneProbe(MODEL);
    probe.send({ user: 'u', at: 0, page: 'ü"', type: 'view' }, LAST);
    for (const row of probe.rows) expect(decodeRow(MODEL, encodeRow(MODEL, row))).toEqual(row);
  });

  it('is taken back and given anew when a later event changes it', () => {
    const probe = new LaneProbe(MODEL);
    probe.send({ user: 'u', at: 0, page: 'a' }).marks({ endOfInput: true });
    probe.send({ user: 'u', at: 1, page: 'b' }).marks({ endOfInput: true });
    expect(probe.named.map(({ sign, revision, distinct }) => [sign, revision, distinct])).toEqual([
      [1, 0, '["a"]'],
      [-1, 0, '["a"]'],
      [1, 1, '["a","b"]'],
    ]);
  });
});
