import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { collectionsModel } from '../support/collections-model.js';
import { closedBy, type NaiveEvent, naiveSessions } from '../support/naive-lane.js';
import { propertySettings } from '../support/property-seed.js';
import { BASE_MS, LaneProbe, type TinyEvent } from '../support/reference-lane.js';

/** Columns of several values against their definitions, on streams with ties, disorder and end events. */

const GAP = 10;
const DISORDER = 15;
/** No session of these events is longer, and no midnight lies in one. */
const RULES = { gap: GAP, max: 86_400, counted: false, midnights: [] };
const LAST: TinyEvent = { user: 'zz', at: 10_000 };

const maybe = <T>(values: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: values }, { weight: 1, arbitrary: fc.constantFrom(null, undefined) });

const event: fc.Arbitrary<TinyEvent> = fc.record({
  user: fc.constantFrom('a', 'b'),
  at: fc.integer({ min: 0, max: 120 }),
  type: fc.oneof(
    { weight: 6, arbitrary: maybe(fc.constantFrom('view', 'click', 'scroll')) },
    { weight: 1, arbitrary: fc.constantFrom('end', 'logout') },
  ),
  page: maybe(fc.constantFrom('x', 'y', 'z', '', '"', 'ü🛒')),
  title: maybe(fc.string({ unit: 'binary', maxLength: 4 })),
  amount: maybe(fc.constantFrom(0, 1, 4_294_967_295)),
});

const inTime: fc.Arbitrary<TinyEvent[]> = fc
  .array(fc.tuple(event, fc.integer({ min: 0, max: DISORDER })), { maxLength: 40 })
  .map((pairs) =>
    pairs.toSorted(([a, aLate], [b, bLate]) => a.at + aLate - (b.at + bLate)).map(([each]) => each),
  );

type Name = 'page' | 'title' | 'type' | 'amount';
const fieldOf = (each: TinyEvent, name: Name) => each[name] ?? null;
const valuesOf = (events: readonly TinyEvent[], name: Name) =>
  events.map((each) => fieldOf(each, name)).filter((value) => value !== null);
const visits = (events: readonly TinyEvent[]) =>
  events.filter(({ type }) => type === 'view' || type === 'click');

/** One item for each page. */
function byPage(events: readonly TinyEvent[], name: Name) {
  const pages = [...new Set(valuesOf(events, 'page'))];
  return pages.map((page) => fieldOf(events.find((each) => each.page === page)!, name));
}

function definitions(events: readonly TinyEvent[], limit: number) {
  const json = (items: readonly unknown[]) => JSON.stringify(items.slice(0, limit));
  return {
    events: events.length,
    visits: valuesOf(events, 'page').length,
    amounts: BigInt(valuesOf(events, 'amount').length),
    pages: valuesOf(events, 'page').slice(0, limit),
    pages_json: json(valuesOf(events, 'page')),
    viewed: valuesOf(visits(events), 'page').slice(0, limit),
    titles: json(byPage(events, 'title')),
    ids: json(byPage(visits(events), 'page')),
    names: json(byPage(visits(events), 'title')),
    distinct: json([...new Set(valuesOf(events, 'page'))]),
    steps: json(
      events
        .filter((each) => fieldOf(each, 'page') !== null)
        .map((each) => ({
          t: BASE_MS + each.at * 1_000,
          kind: fieldOf(each, 'type'),
          page: each.page,
          amount: fieldOf(each, 'amount'),
        })),
    ),
    all: json(events.map((each) => ({ user: each.user, title: fieldOf(each, 'title') }))),
  };
}

it('gives what the definitions say, wherever the lane goes through a snapshot meanwhile', () => {
  const restarts = fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 3 });
  const limits = fc.constantFrom(1, 2, 3, 100);
  fc.assert(
    fc.property(inTime, limits, restarts, (events, limit, places) => {
      const model = collectionsModel({ limit, gap: `${GAP}s`, disorder: `${DISORDER}s` });
      const probe = new LaneProbe(model);
      events.forEach((each, index) => {
        if (places.includes(index)) probe.restart((state) => decodeState(model, encodeState(model, state)));
        probe.send(each);
      });
      probe.send(LAST);
      const naive = events.map(
        ({ user, at, type }, offset): NaiveEvent => ({
          user,
          at,
          offset,
          end: type === 'end' || type === 'logout',
        }),
      );
      const expected = naiveSessions(naive, RULES).map((session) => ({
        session_id: session.user,
        user: session.user,
        session_start: BASE_MS + session.events[0]!.at * 1_000,
        session_end: BASE_MS + session.events.at(-1)!.at * 1_000,
        ...definitions(
          session.events.map(({ offset }) => events[offset]!),
          limit,
        ),
        created_at: null,
        batch_id: null,
        file_id: null,
        closed_by: closedBy(session, RULES),
        revision: 0,
        sign: 1,
      }));
      const order = (a: { user: string; session_start: number }, b: typeof a) =>
        a.session_start - b.session_start || (a.user < b.user ? -1 : 1);
      expect(probe.named.toSorted(order)).toEqual(expected.toSorted(order));
      expect(probe.letters).toEqual([]);
    }),
    propertySettings({ numRuns: 1_000 }),
  );
});
