import { describe, expect, it } from 'vitest';
import type { LaneState } from '#src/reference/lane.js';
import { encodeRow } from '#src/reference/row-crc.js';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { NULL, REMEMBERED, SAID, SAID_REMEMBERED } from '#src/reference/state-layout.js';
import { BASE_MS, LaneProbe, tinyModel } from '../support/reference-lane.js';

const MODEL = tinyModel({ disorder: '60s' });
/** Bits of an event's mask: type, page, price. */
const PAGE = 2;
const PRICE = 4;
const READ = new Set(['type', 'page', 'price']);

/** Sessions open, closed, ended, split, with standing rows. */
function richState(): LaneState {
  const probe = new LaneProbe(MODEL);
  probe.offset = 2n ** 62n + 1n;
  probe.send({ user: 'u', at: 0, page: 'ä\u{1F600}' }, { user: 'u', at: 1, page: null, price: -1.5 });
  probe.send({ user: 'v', at: 2, type: 'end' }, { user: 'v', at: 1 }, { user: 'v', at: 40 });
  probe
    .marks({ early: true })
    .send({ user: 'u', at: 9, page: 'x' }, { user: '', at: 9, page: '' })
    .marks({ idleWatermarkMs: BASE_MS + 15_000 });
  return probe.lane.snapshot();
}

function sessionsOf(state: LaneState) {
  return state.keys.flatMap((key) => key.sessions);
}

/** As a state comes back: fields that no column reads are gone, and offsets are negative ones in the same order. */
function asKept(state: LaneState): LaneState {
  return {
    ...state,
    keys: state.keys.map((key) => ({
      ...key,
      sessions: key.sessions.map((session) => ({
        ...session,
        events: session.events.map(({ timeMs, heldMs, values }, index) => ({
          timeMs,
          heldMs,
          offset: BigInt(index - session.events.length),
          values: values.map((value, field) => (READ.has(MODEL.fields[field]!.path[0]!) ? value : null)),
        })),
      })),
    })),
  };
}

describe('a lane’s state', () => {
  it('comes back from its bytes with all that a column reads', () => {
    const state = richState();
    expect(sessionsOf(state).map(({ closed }) => closed)).toContain(true);
    expect(sessionsOf(state).map(({ closed }) => closed)).toContain(false);
    expect(sessionsOf(state).flatMap(({ standing }) => standing)).not.toEqual([]);
    expect(decodeState(MODEL, encodeState(MODEL, state))).toEqual(asKept(state));
  });

  it('of a lane that has seen nothing is one too', () => {
    const empty: LaneState = { watermarkMs: null, keys: [] };
    expect(decodeState(MODEL, encodeState(MODEL, empty))).toEqual(empty);
  });

  it('keeps the events of a closed session, and its row', () => {
    const closed = sessionsOf(decodeState(MODEL, encodeState(MODEL, richState()))).filter(
      (session) => session.closed,
    );
    expect(closed.length).toBeGreaterThan(0);
    for (const { events, standing } of closed) {
      expect(events.length).toBeGreaterThan(0);
      expect(standing).toHaveLength(1);
    }
  });

  it('keeps what events are for their sessions, and ends by a split', () => {
    const model = tinyModel({
      endEvent: '{ field: type, in: [end], counted: true }',
      more: 'start_event: { field: type, in: [login] }',
    });
    const probe = new LaneProbe(model).send(
      { user: 'u', at: 0 },
      { user: 'u', at: 1, type: 'login' },
      { user: 'u', at: 2, type: 'end' },
    );
    const sessions = sessionsOf(decodeState(model, encodeState(model, probe.lane.snapshot())));
    expect(sessions).toMatchObject([
      { endMs: BASE_MS + 999, endsBySplit: true },
      { endMs: BASE_MS + 2_000, endsBySplit: false, events: [{ starts: true }, { ends: true }] },
    ]);
  });

  it('says a value once that several events change to', () => {
    const page = 'a page with a long name';
    const state = decodeState(
      MODEL,
      written({
        lastMs: BASE_MS,
        events: [
          event(0, 'x'),
          rawEvent(PAGE, n(SAID_REMEMBERED), text(page)),
          rawEvent(PAGE, n(NULL)),
          rawEvent(PAGE, n(REMEMBERED)),
          rawEvent(0),
        ],
      }),
    );
    const pageField = MODEL.fields.findIndex(({ path }) => path[0] === 'page');
    const { events } = sessionsOf(state)[0]!;
    expect(events.map(({ values }) => values[pageField])).toEqual(['x', page, null, page, 'x']);
    const bytes = Buffer.from(encodeState(MODEL, state));
    expect(bytes.indexOf(page)).toBe(bytes.lastIndexOf(page));
    expect(decodeState(MODEL, bytes)).toEqual(state);
  });

  it('puts events of one time into the order in which they lie in the bytes, whatever came between', () => {
    const state = decodeState(MODEL, written({ events: [event(5, 'a'), event(-5, 'b'), event(5, 'c')] }));
    const { events } = sessionsOf(state)[0]!;
    const pageField = MODEL.fields.findIndex(({ path }) => path[0] === 'page');
    expect(events.map(({ timeMs, values }) => [timeMs - BASE_MS, values[pageField]])).toEqual([
      [0, 'b'],
      [5, 'a'],
      [5, 'c'],
    ]);
    expect(events.map(({ offset }) => offset)).toEqual([-3n, -2n, -1n]);
  });

  it('has these bytes', () => {
    const probe = new LaneProbe(MODEL).send({ user: 'u', at: 1, page: 'x' }, { user: 'u', at: 2, page: 'x' });
    probe.send({ user: 'u', at: 30, type: 'end' });
    const key = Buffer.concat([
      n(1 * 2),
      Buffer.from('u'),
      ...[n(1), signed(BASE_MS + 30_000)],
      n(1),
      ...[n(2), signed(BASE_MS + 1_000), n(1_000)],
      ...[n(0), n(0), n(2)],
      ...[signed(0), n(PAGE), n(SAID), text('x')],
      ...[signed(1_000), n(0)],
    ]);
    const bytes = Buffer.concat([f64(BASE_MS + 30_000 - 60_000), u32(1), u32(key.length), key]);
    expect(Buffer.from(encodeState(MODEL, probe.lane.snapshot()))).toEqual(bytes);
  });
});

describe('bytes that are no state', () => {
  it('are refused wherever they are cut off, and when something follows', () => {
    const bytes = encodeState(MODEL, richState());
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeState(MODEL, bytes.subarray(0, length)), `${length} bytes`).toThrow();
    }
    expect(() => decodeState(MODEL, Buffer.concat([bytes, Buffer.of(0)]))).toThrow('1 bytes behind its end');
  });

  it('that announce millions of things are refused before anything is made for them', () => {
    const many = n(50_000_000);
    for (const bytes of [
      Buffer.concat([f64(Number.NaN), u32(50_000_000)]),
      Buffer.concat([f64(Number.NaN), u32(1), u32(50_000_000)]),
      stateOf(many),
      stateOf(n(2), Buffer.from('u'), many),
      stateOf(n(2), Buffer.from('u'), n(0), many),
      written({ standing: many }),
      written({ events: [], eventCount: 50_000_000 }),
      written({ events: [rawEvent(PAGE, n(SAID), many)] }),
    ]) {
      expect(() => decodeState(MODEL, bytes)).toThrow(/can not be there|cut off/);
    }
  });

  it.each<[string, Buffer, RegExp]>([
    ['flags', written({ flags: 16 }), /flags/],
    ['a split without an end', written({ flags: 8 }), /an end that/],
    ['times that its events have not', written({ lastMs: BASE_MS + 1 }), /other times/],
    ['a time that no number holds', written({ lastMs: BASE_MS + 2 ** 53 - 2 ** 20 }), /time that is none/],
    ['a number that is too large', written({ eventCount: 2 ** 60 }), /too large/],
    ['a negative nothing', written({ events: [Buffer.of(1, 0, 0)] }), /number that is none/],
    ['a key of another length', stateOf(keyOf({}).subarray(4), n(0)), /another length/],
    ['a value that was not remembered', written({ events: [rawEvent(PAGE, n(REMEMBERED))] }), /never said/],
    [
      'a value that was forgotten',
      Buffer.concat([
        ...[f64(Number.NaN), u32(2)],
        keyOf({ events: [rawEvent(PAGE, n(SAID_REMEMBERED), text('x'))] }),
        keyOf({ events: [rawEvent(PAGE, n(REMEMBERED))], head: 3, key: 'v' }),
      ]),
      /never said/,
    ],
    ['a session without events', written({ events: [] }), /without events/],
    ['a closed session without its row', written({ flags: 1 }), /closed session/],
    [
      'a bit beyond the fields',
      written({ events: [Buffer.concat([signed(0), Buffer.of(PAGE | 8), n(SAID), text('x')])] }),
      /fields that there are not/,
    ],
    [
      'a text that is not UTF-8',
      written({ events: [rawEvent(PAGE, n(SAID), n(1), Buffer.of(0xff))] }),
      /UTF-8/,
    ],
    [
      'an endless number',
      written({ events: [rawEvent(PRICE, n(SAID), f64(Number.POSITIVE_INFINITY))] }),
      /number/,
    ],
    ['a negative zero', written({ events: [rawEvent(PRICE, n(SAID), f64(-0))] }), /number/],
    ['a key that holds nothing', stateOf(n(2), Buffer.from('u'), n(0), n(0)), /nothing/],
    ['end markers that do not ascend', written({ markers: [BASE_MS + 7, BASE_MS + 7] }), /do not ascend/],
    ['sessions that overlap', written({ sessions: 2 }), /overlap/],
    ['a key that comes twice', twice(), /twice/],
    ['a row of no session', written({ standing: standingRow(9) }), /no one/],
    [
      'a row that takes another back',
      written({ standing: standingRow(0, { sign: -1 }) }),
      /takes another back/,
    ],
    [
      'a row of another model',
      written({ standing: Buffer.concat([n(1), n(0), sized(Buffer.of(9))]) }),
      /tag 9/,
    ],
  ])('because of %s', (_, bytes, says) => {
    expect(() => decodeState(MODEL, bytes)).toThrow(says);
  });

  it('are not those with which the refused ones were made: they are a state', () => {
    expect(sessionsOf(decodeState(MODEL, written({})))).toMatchObject([
      { firstMs: BASE_MS, lastMs: BASE_MS },
    ]);
    const standing = sessionsOf(decodeState(MODEL, written({ standing: standingRow(0) })))[0]!.standing;
    expect(standing.map(({ identityStartMs }) => identityStartMs)).toEqual([BASE_MS]);
  });
});

interface Written {
  key?: string;
  /** Of the key: its length, doubled, and 1 for a new beginning. */
  head?: number;
  markers?: number[];
  sessions?: number;
  flags?: number;
  firstMs?: number;
  lastMs?: number;
  /** With their number. */
  standing?: Buffer;
  events?: Buffer[];
  eventCount?: number;
}

/** A state with one key and one session at BASE_MS, but for what is said. */
function written(said: Written): Buffer {
  return Buffer.concat([f64(Number.NaN), u32(1), keyOf(said)]);
}

function stateOf(...key: Buffer[]): Buffer {
  return Buffer.concat([f64(Number.NaN), u32(1), framed(...key)]);
}

function keyOf(said: Written): Buffer {
  const { key = 'u', head = 2, markers = [], sessions = 1, flags = 2, firstMs = BASE_MS } = said;
  const { events = [event(0, 'x')], eventCount = events.length, standing = n(0) } = said;
  const lastMs = said.lastMs ?? firstMs + (events.length > 1 ? 5 : 0);
  const session = [
    ...[n(flags), signed(firstMs), n(lastMs - firstMs)],
    ...[n(1), standing, n(eventCount), ...events],
  ];
  return framed(
    ...[n(head), Buffer.from(key), n(markers.length)],
    ...markers.map((marker, index) => (index === 0 ? signed(marker) : n(marker - markers[index - 1]!))),
    n(sessions),
    ...Array.from({ length: sessions }, () => session).flat(),
  );
}

function framed(...parts: Buffer[]): Buffer {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([u32(bytes.length), bytes]);
}

function twice(): Buffer {
  return Buffer.concat([f64(Number.NaN), u32(2), keyOf({}), keyOf({})]);
}

/** So many ms behind the one before. */
function event(afterMs: number, page: string): Buffer {
  return Buffer.concat([signed(afterMs), n(PAGE), n(SAID), text(page)]);
}

function rawEvent(mask: number, ...values: Buffer[]): Buffer {
  return Buffer.concat([signed(0), n(mask), ...values]);
}

/** A row that was let out early, with columns changed. */
function standingRow(afterMs: number, changed: Record<string, number> = {}): Buffer {
  const probe = new LaneProbe(MODEL).send({ user: 'u', at: 0, type: 'view' }).marks({ early: true });
  const row = MODEL.columns.map(({ name, index }) => changed[name] ?? probe.rows[0]![index]!);
  return Buffer.concat([n(1), n(afterMs), sized(encodeRow(MODEL, row))]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function f64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** Seven-bit groups, little ones first. */
function n(value: number | bigint): Buffer {
  const groups: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 0x80n; rest >>= 7n) groups.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...groups, Number(rest)]);
}

/** Twice the magnitude, one more where it is negative. */
function signed(value: number): Buffer {
  return n(BigInt(Math.abs(value)) * 2n + (value < 0 ? 1n : 0n));
}

function text(value: string): Buffer {
  return sized(Buffer.from(value));
}

function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([n(bytes.byteLength), bytes]);
}
