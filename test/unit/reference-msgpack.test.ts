import fc from 'fast-check';
import { Packr, unpack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { EventInstant, NOT_PLAIN, wantedOf } from '#src/reference/event-values.js';
import { BadMessage, type Message, readMessage } from '#src/reference/msgpack.js';
import { propertySettings } from '../support/property-seed.js';

const LIMIT = 2 ** 24;
const WANTED = wantedOf({ fields: [['a'], ['b'], ['geo', 'city']].map((path) => ({ path })) } as never);

const read = (bytes: Uint8Array, limit = LIMIT): Message => readMessage(bytes, WANTED, limit);
const events = (bytes: Uint8Array): unknown[] => read(bytes).events.map(plain);

/** Objects without a prototype are as good as others. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof EventInstant) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** What is wrong with a message, or null. */
function faultOf(bytes: Uint8Array, limit = LIMIT): string | null {
  try {
    read(bytes, limit);
    return null;
  } catch (error) {
    if (error instanceof BadMessage) return `${error.reason}: ${error.message}`;
    throw error;
  }
}

const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 6 }), tie('value'), { maxKeys: 5 }),
  ),
})).value;

const anyEvent = fc.record(
  {
    a: anyValue,
    b: anyValue,
    geo: fc.record({ city: anyValue, x: anyValue }, { requiredKeys: [] }),
    other: anyValue,
  },
  { requiredKeys: [] },
);

const anyPacker = fc.constantFrom<object>(
  { useRecords: false },
  {},
  { useRecords: false, variableMapSize: true },
  { maxOwnStructures: 2 },
  { maxOwnStructures: 128 },
);

/** What of an event is wanted, lists and unwanted objects as what they are to a model. */
function wantedPart(event: Record<string, unknown>): unknown {
  const scalar = (value: unknown) => (typeof value === 'object' && value !== null ? NOT_PLAIN : value);
  const part: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(event)) {
    if (key === 'a' || key === 'b') part[key] = scalar(value);
    if (key === 'geo') {
      const { city } = value as { city?: unknown };
      part.geo = 'city' in (value as object) ? { city: scalar(city) } : {};
    }
  }
  return part;
}

/** A lone surrogate has no bytes: what stands for it is known. */
const asBytes = (event: Record<string, unknown>) =>
  JSON.parse(JSON.stringify(event), (_, value: unknown) =>
    typeof value === 'string' ? Buffer.from(value).toString() : value,
  ) as Record<string, unknown>;

describe('a message', () => {
  it('gives what msgpackr was given: one event, or several with their order', () => {
    fc.assert(
      fc.property(anyPacker, fc.array(anyEvent, { maxLength: 6 }), (options, list) => {
        const all = list.map(asBytes);
        const packer = new Packr(options);
        expect(events(packer.pack(all))).toEqual(all.map(wantedPart));
        if (all.length > 0) expect(events(packer.pack(all[0]))).toEqual([wantedPart(all[0]!)]);
      }),
      propertySettings({ numRuns: 300 }),
    );
  });

  it('is refused whole at every place where it may be cut off', () => {
    fc.assert(
      fc.property(anyPacker, fc.array(anyEvent, { minLength: 1, maxLength: 4 }), (options, list) => {
        const bytes = new Packr(options).pack(list.map(asBytes));
        for (let length = 0; length < bytes.length; length++)
          expect(faultOf(bytes.subarray(0, length)), `${length} of ${bytes.length}`).toMatch(
            /^undecodable: /,
          );
      }),
      propertySettings({ numRuns: 60 }),
    );
  });

  it('gives each of its events back as a message of its own, that says the same and needs no other', () => {
    fc.assert(
      fc.property(anyPacker, fc.array(anyEvent, { minLength: 1, maxLength: 6 }), (options, list) => {
        const all = list.map(asBytes);
        const message = read(new Packr(options).pack(all));
        for (const [index, event] of all.entries()) {
          const own = message.encoded(index);
          expect(unpack(own)).toEqual(unpack(new Packr({ useRecords: false }).pack(event)));
          expect(read(own)).toMatchObject({ isList: false });
          expect(events(own)).toEqual([wantedPart(event)]);
        }
      }),
      propertySettings({ numRuns: 150 }),
    );
  });

  it('allocates nothing for what a header claims', () => {
    const before = process.memoryUsage();
    const claims = [
      [0xdd, 0x01, 0x31, 0x2d, 0x00],
      [0xdf, 0x01, 0x31, 0x2d, 0x00],
      [0xdb, 0x7f, 0xff, 0xff, 0xff],
      [0xc6, 0x7f, 0xff, 0xff, 0xff],
      [0xc9, 0x7f, 0xff, 0xff, 0xff, 0x01],
      [0x81, 0xa1, 0x61, 0xdd, 0x01, 0x31, 0x2d, 0x00],
      [0xd4, 0x72, 0x40, 0xdd, 0x01, 0x31, 0x2d, 0x00],
    ];
    for (let times = 0; times < 200; times++)
      for (const claim of claims) expect(faultOf(Buffer.from(claim))).toMatch(/^undecodable: .*cut off/);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(2 ** 26);
  });

  it('with more events than are read, or with records that would be larger written out, is too large', () => {
    const many = Buffer.concat([Buffer.of(0xdd, 0, 1, 0, 1), Buffer.alloc(65_537, 0x80)]);
    expect(faultOf(many)).toMatch(/^too_large: .*65537 events/);
    const junk = Buffer.concat([Buffer.of(0xdc, 0xff, 0xff), Buffer.alloc(65_535, 0x80)]);
    expect(faultOf(junk)).toMatch(/^undecodable: 65535 events in 65538 bytes/);
    expect(faultOf(Buffer.concat([Buffer.of(0x9f), Buffer.alloc(15, 0x80)]))).toBeNull();
    const name = 'n'.repeat(1_000);
    const list = Array.from({ length: 200 }, () => ({ [name]: 1 }));
    const packed = new Packr().pack(list);
    expect(packed.length).toBeLessThan(2_000);
    expect(faultOf(packed, 100_000)).toMatch(/^too_large: .*keys of its records/);
    expect(faultOf(packed, 300_000)).toBeNull();
  });

  it('knows times, undefined and whole numbers of 64 bits', () => {
    const at = new Date('2026-03-01T10:00:00.123Z');
    const far = new Date('2300-03-01T10:00:00.123Z');
    expect(events(new Packr().pack({ a: at, b: far }))).toEqual([
      { a: new EventInstant(at.getTime()), b: new EventInstant(far.getTime()) },
    ]);
    expect(events(new Packr().pack({ a: undefined, b: 2n ** 60n }))).toEqual([{ a: null, b: 2 ** 60 }]);
    expect(events(new Packr().pack({ a: -(2n ** 60n), b: new Set([1]) }))).toEqual([
      { a: -(2 ** 60), b: NOT_PLAIN },
    ]);
  });

  it('of msgpackr’s kinds that are not read says which', () => {
    const text = 'a text that is long enough to be bundled';
    expect(faultOf(new Packr({ bundleStrings: true }).pack({ a: text, b: text }))).toMatch(/bundleStrings/);
    const own = { a: 1 };
    const cloned = new Packr({ structuredClone: true, moreTypes: true } as object).pack([own, own]);
    expect(faultOf(cloned)).toMatch(/^unsupported: .*structuredClone/);
    const structures: object[] = [];
    const shared = new Packr({ structures } as object);
    shared.pack({ a: 1, b: 2 });
    expect(faultOf(shared.pack({ a: 1, b: 2 }))).toMatch(/^unsupported: .*shared structures/);
  });

  it('that is nested too deeply, or has a key of another kind, or bytes behind it, is undecodable', () => {
    expect(faultOf(Buffer.concat([Buffer.alloc(200, 0x91), Buffer.of(0x80)]))).toMatch(
      /nested deeper than 100/,
    );
    expect(faultOf(Buffer.of(0x81, 0xc3, 0x01))).toMatch(/a key that is neither/);
    expect(faultOf(Buffer.of(0x80, 0x80))).toMatch(/1 bytes behind/);
    expect(faultOf(Buffer.of(0xc1))).toMatch(/0xc1 begins no value/);
  });
});
