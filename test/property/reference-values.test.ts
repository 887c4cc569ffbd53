import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { type NaiveEvent, naiveSessions } from '../support/naive-lane.js';
import { propertySettings } from '../support/property-seed.js';
import { BASE_MS, LaneProbe, type TinyEvent } from '../support/reference-lane.js';
import { valuesModel } from '../support/values-model.js';

/** Columns of numbers, of conditions and of other columns against their definitions, on streams with ties and disorder. */

const GAP = 10;
const DISORDER = 15;
const MODEL = valuesModel(`${GAP}s`, `${DISORDER}s`);

type Event = TinyEvent & {
  price?: number | undefined;
  step?: number | null | undefined;
  paid?: boolean | null | undefined;
};

const maybe = <T>(values: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: values }, { weight: 1, arbitrary: fc.constant(undefined) });

const event: fc.Arbitrary<Event> = fc.record({
  user: fc.constantFrom('a', 'b'),
  at: fc.integer({ min: 0, max: 120 }),
  type: fc.oneof(
    { weight: 6, arbitrary: maybe(fc.constantFrom('view', 'click', 'scroll')) },
    { weight: 1, arbitrary: fc.constantFrom('end', 'logout') },
  ),
  page: maybe(fc.constantFrom('x', 'y', 'z', '')),
  price: maybe(fc.constantFrom(0, 0.1, 0.2, 0.7, 1, 2, 3, -5, 1e16, 1e308)),
  step: maybe(fc.constantFrom(-2_147_483_648, -3, 0, 1, 90, 2_147_483_647)),
  amount: maybe(fc.constantFrom(0, 1, 4_294_967_295)),
  paid: maybe(fc.boolean()),
});

const inTime: fc.Arbitrary<Event[]> = fc
  .array(fc.tuple(event, fc.integer({ min: 0, max: DISORDER })), { maxLength: 40 })
  .map((pairs) =>
    pairs.toSorted(([a, aLate], [b, bLate]) => a.at + aLate - (b.at + bLate)).map(([each]) => each),
  );

const there = <T>(values: readonly (T | null | undefined)[]) =>
  values.filter((value): value is T => value !== undefined && value !== null);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
/** The first of the best. */
const best = (events: readonly Event[], by: (each: Event) => number, sign: 1 | -1) =>
  events.reduce<Event | undefined>(
    (found, each) => (found === undefined || sign * (by(each) - by(found)) > 0 ? each : found),
    undefined,
  );
const within = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));
const float = (value: number | null) =>
  value === null ? null : within(value, -Number.MAX_VALUE, Number.MAX_VALUE);

function definitions(events: readonly (Event & { offset: number })[]) {
  const ms = (at: number) => BASE_MS + at * 1_000;
  const prices = there(events.map(({ price }) => price));
  const steps = there(events.map(({ step }) => step));
  const priced = events.filter(({ price }) => price !== undefined);
  const pages = there(events.map(({ page }) => page));
  const paidKinds = new Set(there(events.filter(({ paid }) => paid !== undefined).map(({ type }) => type)));
  const stepped = events.filter(({ step }) => step !== undefined);
  const views = events.filter(({ type }) => type === 'view');
  const cheapest =
    best(
      priced.filter(({ page }) => page !== undefined),
      ({ price }) => price!,
      -1,
    )?.page ?? null;
  const firstPaid = there(events.map(({ paid }) => paid))[0] ?? null;
  const total = prices.length === 0 ? null : sum(prices);
  const mean = total === null ? null : float(total / prices.length);
  const shownTotal = float(total);
  const shownSteps = steps.length === 0 ? null : within(sum(steps), -128, 127);
  const duration = events.at(-1)!.at - events[0]!.at;
  const round = (value: number) => Math.floor(value) + (value - Math.floor(value) >= 0.5 ? 1 : 0);
  return {
    events: events.length,
    least: prices.length === 0 ? null : Math.min(...prices),
    greatest: steps.length === 0 ? null : Math.max(...steps),
    total: shownTotal,
    steps: shownSteps,
    amounts: events.some(({ amount }) => amount !== undefined)
      ? BigInt(sum(there(events.map(({ amount }) => amount))))
      : null,
    mean,
    started: views.length === 0 ? null : ms(views[0]!.at),
    ended: ms(events.at(-1)!.at),
    cheapest,
    dearest:
      best(
        priced.filter(({ page, paid }) => page !== undefined && paid === true),
        ({ price }) => price!,
        1,
      )?.page ?? null,
    newest: best(priced, ({ at }) => at, 1)?.price ?? null,
    when: stepped.length === 0 ? null : ms(best(stepped, ({ step }) => step!, 1)!.at),
    first_paid: firstPaid,
    last_view:
      there(views.filter(({ price }) => price !== undefined && price >= 2).map(({ page }) => page)).at(-1) ??
      null,
    unpaid: events.filter(({ paid }) => paid === false).length,
    odd: events.filter(
      ({ step, page }) => (step !== undefined && step !== null && step <= -1) || page === undefined,
    ).length,
    other_pages: new Set(
      there(events.filter(({ type }) => type !== 'view' && type !== 'click').map(({ page }) => page)),
    ).size,
    prices: prices.filter((price) => price >= 1 && price <= 3).length,
    pages: pages.slice(0, 2),
    kinds: [...paidKinds].slice(0, 1),
    visits: JSON.stringify(
      stepped.slice(0, 2).map(({ page, paid, step }) => ({ page: page ?? null, paid: paid ?? null, step })),
    ),
    pages_left: Math.max(0, pages.length - 2),
    kinds_left: Math.max(0, paidKinds.size - 1),
    visits_left: Math.max(0, stepped.length - 2),
    source: 'web',
    weight: 255,
    name: there(['web', cheapest, events.length, firstPaid]).map(String).join('-'),
    per_event: shownTotal === null ? null : shownTotal / events.length,
    bounce: events.length === 1,
    engaged: duration >= 10 || events.length > 2,
    rounded:
      mean === null || shownSteps === null
        ? null
        : float(round(mean * 10) / 10 + Math.max(shownSteps, 0) + 1),
    low: shownTotal === null ? null : within(round(shownTotal - 1000) + 0, -128, 127),
    lane: 0,
    from_offset: BigInt(Math.min(...events.map(({ offset }) => offset))),
    to_offset: BigInt(Math.max(...events.map(({ offset }) => offset))),
  };
}

it('gives what the definitions say, wherever the lane goes through a snapshot meanwhile', () => {
  const restarts = fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 3 });
  fc.assert(
    fc.property(inTime, restarts, (events, places) => {
      const probe = new LaneProbe(MODEL);
      events.forEach((each, index) => {
        if (places.includes(index)) probe.restart((state) => decodeState(MODEL, encodeState(MODEL, state)));
        probe.send(each as TinyEvent);
      });
      probe.send({ user: 'zz', at: 10_000 });
      const naive = events.map(
        ({ user, at, type }, offset): NaiveEvent => ({
          user,
          at,
          offset,
          end: type === 'end' || type === 'logout',
        }),
      );
      const expected = naiveSessions(naive, {
        gap: GAP,
        max: Number.POSITIVE_INFINITY,
        counted: false,
        midnights: [],
      }).map((session) => {
        const start = BASE_MS + session.events[0]!.at * 1_000;
        return {
          session_id: `${session.user}:${start}`,
          user: session.user,
          session_start: start,
          session_end: BASE_MS + session.events.at(-1)!.at * 1_000,
          ...definitions(session.events.map(({ offset }) => ({ ...events[offset]!, offset }))),
          created_at: null,
          batch_id: null,
          file_id: null,
          closed_by: session.endedAt === null ? 'gap' : 'end_event',
          revision: 0,
          sign: 1,
        };
      });
      const order = (a: { user: string; session_start: number }, b: typeof a) =>
        a.session_start - b.session_start || (a.user < b.user ? -1 : 1);
      expect(probe.named.toSorted(order)).toEqual(expected.toSorted(order));
      expect(probe.letters).toEqual([]);
    }),
    propertySettings({ numRuns: 500 }),
  );
});
