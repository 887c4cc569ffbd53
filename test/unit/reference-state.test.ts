import { describe, expect, it } from 'vitest';
import type { LaneState } from '#src/reference/lane.js';
import { encodeRow } from '#src/reference/row-crc.js';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
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

  it('puts events of one time into the order in which they lie in the bytes, whatever came between', () => {
    const state = decodeState(MODEL, written({ events: [event(5, 'a'), event(0, 'b'), event(5, 'c')] }));
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
    const bytes = Buffer.concat([
      f64(BASE_MS + 30_000 - 60_000),
      u32(1),
      text('u'),
      ...[u32(1), f64(BASE_MS + 30_000)],
      u32(1),
      u32(2),
      ...[f64(BASE_MS + 1_000), f64(BASE_MS + 2_000), f64(0)],
      ...[u32(0), u32(0), u32(2)],
      ...[f64(BASE_MS + 1_000), Buffer.of(PAGE), text('x')],
      ...[f64(BASE_MS + 2_000), Buffer.of(0)],
    ]);
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
    const many = u32(50_000_000);
    const key = [f64(Number.NaN), u32(1), text('u')];
    for (const bytes of [
      Buffer.concat([f64(Number.NaN), many]),
      Buffer.concat([...key, many]),
      Buffer.concat([...key, u32(0), many]),
      Buffer.concat([f64(Number.NaN), u32(1), many]),
      written({ standing: many }),
      written({ events: [], eventCount: 50_000_000 }),
    ]) {
      expect(() => decodeState(MODEL, bytes)).toThrow(/can not be there|cut off/);
    }
  });

  it.each<[string, Buffer, RegExp]>([
    ['flags', written({ flags: 16 }), /flags/],
    ['an end before the last event', written({ flags: 4, endMs: BASE_MS - 1 }), /an end that/],
    ['an end without its flag', written({ endMs: BASE_MS + 1 }), /an end that/],
    ['a split without an end', written({ flags: 8 }), /an end that/],
    ['a session that runs backwards', written({ lastMs: BASE_MS - 1 }), /before it begins/],
    ['times that its events have not', written({ lastMs: BASE_MS + 1 }), /other times/],
    ['half a millisecond', written({ firstMs: BASE_MS + 0.5 }), /time that is none/],
    ['no time at all', written({ firstMs: Number.NaN }), /time that is none/],
    ['an endless time', written({ lastMs: Number.POSITIVE_INFINITY }), /time that is none/],
    ['a session without events', written({ events: [] }), /without events/],
    ['a closed session without its row', written({ flags: 1 }), /closed session/],
    [
      'a bit beyond the fields',
      written({ events: [event(0, 'x', 0x80 | PAGE)] }),
      /fields that there are not/,
    ],
    ['a text that is not UTF-8', written({ events: [rawEvent(PAGE, u32(1), Buffer.of(0xff))] }), /UTF-8/],
    ['an endless number', written({ events: [rawEvent(PRICE, f64(Number.POSITIVE_INFINITY))] }), /number/],
    ['a negative zero', written({ events: [rawEvent(PRICE, f64(-0))] }), /number/],
    [
      'a key that holds nothing',
      Buffer.concat([f64(Number.NaN), u32(1), text('u'), u32(0), u32(0)]),
      /nothing/,
    ],
    ['end markers that do not ascend', written({ markers: [BASE_MS + 7, BASE_MS + 7] }), /do not ascend/],
    ['sessions that overlap', written({ sessions: 2 }), /overlap/],
    ['a key that comes twice', twice(), /twice/],
    ['a row of no session', written({ standing: standingRow(BASE_MS + 9) }), /no one/],
    [
      'a row that takes another back',
      written({ standing: standingRow(BASE_MS, { sign: -1 }) }),
      /takes another back/,
    ],
    [
      'a row of another model',
      written({ standing: Buffer.concat([u32(1), f64(BASE_MS), sized(Buffer.of(9))]) }),
      /tag 9/,
    ],
  ])('because of %s', (_, bytes, says) => {
    expect(() => decodeState(MODEL, bytes)).toThrow(says);
  });

  it('are not those with which the refused ones were made: they are a state', () => {
    expect(sessionsOf(decodeState(MODEL, written({})))).toMatchObject([
      { firstMs: BASE_MS, lastMs: BASE_MS },
    ]);
    const standing = sessionsOf(decodeState(MODEL, written({ standing: standingRow(BASE_MS) })))[0]!.standing;
    expect(standing.map(({ identityStartMs }) => identityStartMs)).toEqual([BASE_MS]);
  });
});

interface Written {
  markers?: number[];
  sessions?: number;
  flags?: number;
  firstMs?: number;
  lastMs?: number;
  endMs?: number;
  /** With their number. */
  standing?: Buffer;
  events?: Buffer[];
  eventCount?: number;
}

/** A state with one key and one session at BASE_MS, but for what is said. */
function written(said: Written): Buffer {
  const { markers = [], sessions = 1, flags = 2, firstMs = BASE_MS, endMs = 0 } = said;
  const { events = [event(0, 'x')], eventCount = events.length, standing = u32(0) } = said;
  const lastMs = said.lastMs ?? firstMs + (events.length > 1 ? 5 : 0);
  const session = [
    u32(flags),
    f64(firstMs),
    f64(lastMs),
    f64(endMs),
    u32(1),
    standing,
    u32(eventCount),
    ...events,
  ];
  const key = [text('u'), u32(markers.length), ...markers.map(f64), u32(sessions)];
  return Buffer.concat([
    f64(Number.NaN),
    u32(1),
    ...key,
    ...Array.from({ length: sessions }, () => session).flat(),
  ]);
}

function twice(): Buffer {
  const one = written({});
  const key = one.subarray(12);
  return Buffer.concat([one.subarray(0, 8), u32(2), key, key]);
}

function event(afterMs: number, page: string, mask = PAGE): Buffer {
  return Buffer.concat([f64(BASE_MS + afterMs), Buffer.of(mask), text(page)]);
}

function rawEvent(mask: number, ...values: Buffer[]): Buffer {
  return Buffer.concat([f64(BASE_MS), Buffer.of(mask), ...values]);
}

/** A row that was let out early, with columns changed. */
function standingRow(identityMs: number, changed: Record<string, number> = {}): Buffer {
  const probe = new LaneProbe(MODEL).send({ user: 'u', at: 0, type: 'view' }).marks({ early: true });
  const row = MODEL.columns.map(({ name, index }) => changed[name] ?? probe.rows[0]![index]!);
  return Buffer.concat([u32(1), f64(identityMs), sized(encodeRow(MODEL, row))]);
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

function text(value: string): Buffer {
  return sized(Buffer.from(value));
}

function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([u32(bytes.byteLength), bytes]);
}
