import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { propertySettings } from '../support/property-seed.js';
import { BASE_MS, LaneProbe, type TinyEvent, tinyModel } from '../support/reference-lane.js';

const MODEL = tinyModel({ disorder: '15s', lateness: '12s' });

const event: fc.Arbitrary<TinyEvent> = fc.record({
  user: fc.oneof(fc.constantFrom('a', 'b', ''), fc.string({ unit: 'grapheme', maxLength: 8 })),
  at: fc.integer({ min: 0, max: 90 }),
  type: fc.constantFrom('view', 'buy', 'end', undefined),
  page: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }), { nil: null }),
  price: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined }),
});
const events = fc.array(event, { maxLength: 40 });
const early = fc.nat({ max: 40 });

/** A lane's state somewhere on its way, with rows that were let out at one place. */
function stateOf(list: readonly TinyEvent[], earlyAt: number): Uint8Array {
  const probe = new LaneProbe(MODEL);
  list.forEach((each, index) => {
    if (index === earlyAt) probe.marks({ early: true });
    probe.send(each);
  });
  return encodeState(MODEL, probe.lane.snapshot());
}

describe('the bytes of a lane’s state', () => {
  it('are the same again after the way through a lane', () => {
    fc.assert(
      fc.property(events, early, (list, earlyAt) => {
        const bytes = stateOf(list, earlyAt);
        const lane = new LaneProbe(MODEL, decodeState(MODEL, bytes)).lane;
        expect(encodeState(MODEL, lane.snapshot())).toEqual(bytes);
      }),
      propertySettings({ numRuns: 500 }),
    );
  });

  it('bring a lane back that gives the same rows for whatever comes then', () => {
    fc.assert(
      fc.property(events, events, early, (before, after, earlyAt) => {
        const whole = new LaneProbe(MODEL).send(...before).marks({ early: true });
        const other = new LaneProbe(MODEL, decodeState(MODEL, encodeState(MODEL, whole.lane.snapshot())));
        other.offset = whole.offset;
        whole.rows.length = 0;
        whole.letters.length = 0;
        for (const probe of [whole, other]) {
          after.forEach((each, index) => {
            if (index === earlyAt) probe.marks({ evictBeforeMs: BASE_MS + 20_000 });
            probe.send(each);
          });
          probe.marks({ endOfInput: true, idleWatermarkMs: BASE_MS + 60_000 });
        }
        expect(other.rows).toEqual(whole.rows);
        expect(other.letters).toEqual(whole.letters);
        expect(other.lane.sessionBytes).toBeGreaterThanOrEqual(0);
      }),
      propertySettings({ numRuns: 500 }),
    );
  });

  it('when they are damaged are refused with an error, or are another state', () => {
    const damages = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(events, early, damages, (list, earlyAt, places) => {
        const bytes = Uint8Array.from(stateOf(list, earlyAt));
        for (const [at, value] of places) bytes[at % bytes.length] = value;
        let state: ReturnType<typeof decodeState>;
        try {
          state = decodeState(MODEL, bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
          return;
        }
        // a lane takes it, and what it makes of it is sound
        const again = encodeState(MODEL, new LaneProbe(MODEL, state).lane.snapshot());
        expect(encodeState(MODEL, decodeState(MODEL, again))).toEqual(again);
      }),
      propertySettings({ numRuns: 2_000 }),
    );
  });
});
