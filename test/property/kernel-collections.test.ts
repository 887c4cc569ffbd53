import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileModel } from '#src/model/compile.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel } from '#src/model/types.js';
import { KernelTestLane } from '../support/kernel-lane.js';
import { propertySettings } from '../support/property-seed.js';

/** Columns that hold several values of a session, by the kernel: held against what JSON.stringify says, without the reference. */

const START_MS = 1_767_225_600_000;
function modelOf(columns: string): CompiledModel {
  return compileModel(
    `
name: collections
key: user
time: { field: at, format: epoch_ms }
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
  text: { type: string }
  name: { type: string }
  kind: { type: string }
  number: { type: uint32 }
gap: 1d
max_future: 366d
columns:
  session_id: { op: session_id, template: '{key}' }
  session_start: { op: session_start }
${columns}
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`,
    'collections.yaml',
  );
}

const MODEL = modelOf(`
  texts: { op: list, field: text, limit: 5 }
  texts_json: { op: list, field: text, limit: 5, as: json }
  set_json: { op: set, field: text, limit: 4, as: json }
  names: { op: list, field: name, by: name, where: { field: kind, in: [a, b] }, limit: 6, as: json }
  texts_of_names: { op: list, field: text, by: name, where: { field: kind, in: [a, b] }, limit: 6, as: json }
  chosen: { op: list, field: text, where: { field: kind, in: [b] }, limit: 100 }
  all: { op: records, of: { t: at, text: text, n: number, again: text }, limit: 100 }
  some: { op: records, of: { number: number, at: at }, present: text, limit: 3 }
  values: { op: count_values, field: text, type: uint16 }
`);
/** What lets every open session out and forgets it. */
const EVICTION: Marks = { evictBeforeMs: Number.MAX_SAFE_INTEGER };

/** Characters that JSON escapes stand at any place within a block of sixteen bytes, with what must not be escaped beside them. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(
      '"',
      '\\',
      '\b',
      '\f',
      '\n',
      '\r',
      '\t',
      '\u0000',
      '\u001f',
      ' ',
      '\u007f',
      'é',
      '😀',
    ),
  }),
  fc
    .tuple(fc.nat({ max: 70 }), fc.constantFrom('', '"', '\\', '\u0001', '\u2028', '\u{10ffff}'))
    .map(([count, odd]) => `${'x'.repeat(count)}${odd}`),
  fc.constantFrom('', 'a', 'b', 'null', '\u0000'.repeat(33), 'é'.repeat(20)),
);
const few = fc.constantFrom('a', 'b', 'c', '"quoted"');
const event = fc.record({
  /** Few times, so that many events have the same one. */
  at: fc.nat({ max: 30 }),
  text: fc.option(text.map((each) => each.toWellFormed())),
  name: fc.option(few),
  kind: fc.option(few),
  number: fc.option(
    fc.oneof(fc.constantFrom(0, 9, 10, 999_999_999, 1_000_000_000, 1_000_000_009, 4_294_967_295), fc.nat()),
  ),
});

type Event = typeof event extends fc.Arbitrary<infer E> ? E : never;

/** The JSON array of the first items that fit: each with what stands behind it, and the bracket before all of them. */
function jsonOf(items: Iterable<unknown>, limit: number, bytesMax: number): string {
  const first = [...items].slice(0, limit);
  while (first.length > 0 && Buffer.byteLength(JSON.stringify(first)) > bytesMax) first.pop();
  return JSON.stringify(first);
}

function textsOf(items: readonly string[], limit: number, bytesMax: number): string[] {
  const first = items.slice(0, limit);
  while (first.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0) > bytesMax) first.pop();
  return first;
}

/** What the columns hold, of events in their order. */
function expected(events: readonly Event[], bytesMax: number): object {
  const texts = events.flatMap((each) => each.text ?? []);
  const named = new Map<string | null, string | null>();
  for (const { name, kind, text: of } of events) {
    if (name !== null && (kind === 'a' || kind === 'b') && !named.has(name)) named.set(name, of);
  }
  const time = ({ at }: Event) => START_MS + at;
  const chosen = events.filter(({ kind }) => kind === 'b').flatMap((each) => each.text ?? []);
  const all = events.map((each) => ({ t: time(each), text: each.text, n: each.number, again: each.text }));
  const some = events.filter((each) => each.text !== null);
  return {
    texts: textsOf(texts, 5, bytesMax),
    texts_json: jsonOf(texts, 5, bytesMax),
    set_json: jsonOf(new Set(texts), 4, bytesMax),
    names: jsonOf(named.keys(), 6, bytesMax),
    texts_of_names: jsonOf(named.values(), 6, bytesMax),
    chosen: textsOf(chosen, 100, bytesMax),
    all: jsonOf(all, 100, bytesMax),
    some: jsonOf(
      some.map((each) => ({ number: each.number, at: time(each) })),
      3,
      bytesMax,
    ),
    values: texts.length,
  };
}

describe('the kernel', () => {
  it('writes lists, sets and records as JSON.stringify does, whatever the texts and the order of arrival', () => {
    const lane = new KernelTestLane(MODEL);
    const property = fc.property(
      fc.array(event, { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      (events, early) => {
        lane.send(events.map((each) => ({ ...each, user: 'u', at: START_MS + each.at })));
        // a row that stands is the same as the one that is kept no longer
        if (early) lane.rows({ early: true });
        const inOrder = events.toSorted((a, b) => a.at - b.at);
        const row = lane.rows(EVICTION).at(-1);
        expect(row).toMatchObject(expected(inOrder, MODEL.collectionBytesMax));
        expect(lane.clamped).toBe(0);
      },
    );
    fc.assert(property, propertySettings({ numRuns: 300 }));
  });

  it('leaves out what does not fit, to the byte, and counts the columns that lack something', () => {
    const most = fc.oneof(fc.integer({ min: 2, max: 400 }), fc.constantFrom(2, 3, 4));
    const property = fc.property(
      most,
      fc.array(event, { minLength: 1, maxLength: 20 }),
      (bytesMax, events) => {
        const lane = new KernelTestLane({ ...MODEL, collectionBytesMax: bytesMax });
        lane.send(events.map((each) => ({ ...each, user: 'u', at: START_MS + each.at })));
        const inOrder = events.toSorted((a, b) => a.at - b.at);
        const fitting = expected(inOrder, bytesMax);
        expect(lane.rows(EVICTION)).toMatchObject([fitting]);
        const whole = Object.values(expected(inOrder, MODEL.collectionBytesMax));
        const lacking = Object.values(fitting).filter((value, i) => String(value) !== String(whole[i]));
        expect(lane.clamped).toBeGreaterThanOrEqual(lacking.length);
      },
    );
    fc.assert(property, propertySettings({ numRuns: 150 }));
  });

  it('keeps events apart in records of times alone, where a session keeps no field', () => {
    const lane = new KernelTestLane(modelOf('  times: { op: records, of: { t: at }, limit: 100 }'));
    lane.send([3, 1, 2, 1].map((at) => ({ user: 'u', at })));
    expect(lane.rows(EVICTION)).toMatchObject([{ times: '[{"t":1},{"t":1},{"t":2},{"t":3}]' }]);
  });

  it('makes no row larger than its memory, of texts that become six times as long', () => {
    const lane = new KernelTestLane(MODEL);
    const long = '\u0001'.repeat(500_000);
    const events = Array.from({ length: 8 }, (_, at): Event => {
      return { at, text: `${at}${at < 2 ? '' : long}`, name: 'a', kind: 'b', number: null };
    });
    lane.send(events.map((each) => ({ ...each, user: 'u', at: START_MS + each.at })));
    expect(lane.rows(EVICTION)).toMatchObject([expected(events, MODEL.collectionBytesMax)]);
    // chosen lacks the last ones, and no long one fits into JSON: texts_json, set_json and all
    expect(lane.clamped).toBe(4);
  });
});
