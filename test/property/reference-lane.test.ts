import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Marks } from '#src/model/marks.js';
import { decodeBatches } from '#src/reference/record-batches.js';
import { addCrc, rowCrc } from '#src/reference/row-crc.js';
import { decodeSnapshot, encodeSnapshot } from '#src/reference/snapshot.js';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { buildBatch } from '../support/batch-builder.js';
import { closedBy, DefinitionLane, naiveSessions } from '../support/naive-lane.js';
import { propertySettings } from '../support/property-seed.js';
import { BASE_MS, LaneProbe, type NamedRow, type TinyEvent } from '../support/reference-lane.js';
import { DISORDER, FROM, LATENESS, PLAIN, TO, WINDOW_MODELS } from '../support/window-models.js';

/** The lane against its definitions, on streams with ties, disorder and end events. Times are whole seconds. */

const windows = fc.constantFrom(PLAIN, ...WINDOW_MODELS);

const event: fc.Arbitrary<TinyEvent> = fc.record({
  user: fc.constantFrom('a', 'b'),
  at: fc.integer({ min: FROM, max: TO }),
  type: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('view', 'buy', undefined) },
    { weight: 1, arbitrary: fc.constantFrom('end', 'logout') },
  ),
  page: fc.constantFrom('x', 'y', 'z', null, undefined),
  price: fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
});

/** Events that arrive at most the allowed disorder late: nothing of them is ever behind the watermark. */
const inTime: fc.Arbitrary<TinyEvent[]> = fc
  .array(fc.tuple(event, fc.integer({ min: 0, max: DISORDER })), { maxLength: 40 })
  .map((pairs) =>
    pairs.toSorted(([a, aLate], [b, bLate]) => a.at + aLate - (b.at + bLate)).map(([each]) => each),
  );

/** Events that drift forward with large steps back: some are late. */
const unruly: fc.Arbitrary<TinyEvent[]> = fc
  .array(fc.tuple(event, fc.integer({ min: 0, max: 45 })), { maxLength: 60 })
  .map((pairs) =>
    pairs.toSorted(([a, aLate], [b, bLate]) => a.at + aLate - (b.at + bLate)).map(([each]) => each),
  );

/** Far behind all others: closes everything. */
const LAST: TinyEvent = { user: 'zz', at: 100_000 };

const seconds = (ms: number) => (ms - BASE_MS) / 1_000;

function inWords({ sign, user, session_start, session_end, events, closed_by }: NamedRow): string {
  const span = `${seconds(session_start)}..${seconds(session_end)}`;
  return `${sign > 0 ? '+' : '-'} ${user} ${span} ${events} ${closed_by}`;
}

describe('the reference lane', () => {
  it('gives the sessions of a model of ten lines, column by column, for events within the allowed disorder', () => {
    fc.assert(
      fc.property(inTime, windows, (events, { model, rules, naive }) => {
        const probe = new LaneProbe(model).send(...events, LAST);
        const expected = naiveSessions(events.map(naive), rules).map((session) => {
          const own = session.events.map(({ offset }) => events[offset]!);
          const pages = own.flatMap(({ page }) => (typeof page === 'string' ? [page] : []));
          return {
            session_id: `${session.user}:${BASE_MS + own[0]!.at * 1_000}`,
            user: session.user,
            session_start: BASE_MS + own[0]!.at * 1_000,
            session_end: BASE_MS + own.at(-1)!.at * 1_000,
            duration: own.at(-1)!.at - own[0]!.at,
            events: own.length,
            buys: own.filter(({ type }) => type === 'buy').length,
            entry: pages[0] ?? null,
            exit: pages.at(-1) ?? null,
            last_price: own.findLast(({ price }) => price !== undefined)?.price ?? null,
            unique: BigInt(new Set(pages).size),
            pages,
            distinct: [...new Set(pages)],
            created_at: null,
            batch_id: null,
            file_id: null,
            closed_by: closedBy(session, rules),
            revision: 0,
            sign: 1,
          };
        });
        const byId = (a: { session_id: string }, b: { session_id: string }) =>
          a.session_id < b.session_id ? -1 : 1;
        expect(probe.named.toSorted(byId)).toEqual(expected.toSorted(byId));
        expect(probe.letters).toEqual([]);
      }),
      propertySettings({ numRuns: 1_000 }),
    );
  });

  it('closes, revises, refuses and forgets by the rules, whatever the disorder', () => {
    fc.assert(
      fc.property(unruly, windows, (events, { model, rules, naive }) => {
        const probe = new LaneProbe(model);
        const definition = new DefinitionLane({ ...rules, disorder: DISORDER, lateness: LATENESS });
        events.forEach((each, offset) => {
          probe.send(each);
          definition.accept(naive(each, offset));
          expect(probe.named.map(inWords).sort()).toEqual(definition.rows.toSorted());
          expect(probe.letters.map(({ offset: at }) => Number(at))).toEqual(
            definition.late.map((late) => late.offset),
          );
        });
        expect(probe.letters.every(({ reason }) => reason === 'late')).toBe(true);
      }),
      propertySettings({ numRuns: 2_000 }),
    );
  });

  it('gives its memory back when everything is over', () => {
    fc.assert(
      fc.property(unruly, marksAt, windows, (events, marks, { model }) => {
        const probe = new LaneProbe(model);
        feed(probe, events, marks);
        probe.marks({ idleWatermarkMs: BASE_MS + 100_000_000 });
        expect(probe.lane).toMatchObject({ openSessions: 0, sessionBytes: 0 });
        expect(probe.lane.snapshot().keys).toEqual([]);
      }),
      propertySettings({ numRuns: 500 }),
    );
  });

  it('gives the same rows, letters and sums however its records are cut into batches and runs', () => {
    const cuts = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.boolean()), { maxLength: 8 });
    fc.assert(
      fc.property(unruly, marksAt, cuts, windows, (events, marks, places, { model }) => {
        const whole = new LaneProbe(model);
        feed(whole, events, marks);
        const parts = new LaneProbe(model);
        const restarts = new Set(places.filter(([, restart]) => restart).map(([at]) => at));
        const borders = new Set([...places.map(([at]) => at), ...marks.map(([at]) => at)]);
        feedBatches(parts, events, marks, borders, restarts);
        expect(parts.rows).toEqual(whole.rows);
        expect(parts.letters).toEqual(whole.letters);
        expect(parts.lane.watermarkMs).toBe(whole.lane.watermarkMs);
        // offsets do not go through a snapshot, only their order
        const stateOf = (probe: LaneProbe) => encodeState(model, probe.lane.snapshot());
        expect(stateOf(parts)).toEqual(stateOf(whole));
        const crcOf = (probe: LaneProbe) =>
          probe.rows.reduce((sum, row) => addCrc(sum, rowCrc(model, row)), 0);
        expect(crcOf(parts)).toBe(crcOf(whole));
      }),
      propertySettings({ numRuns: 500 }),
    );
  });

  it('sums up to a single run, wherever the input ended in between or sessions were let out early', () => {
    fc.assert(
      fc.property(
        unruly,
        fc.array(fc.tuple(fc.nat({ max: 60 }), fc.boolean()), { maxLength: 6 }),
        windows,
        (events, places, { model }) => {
          const single = new LaneProbe(model).send(...events, LAST);
          const marks = places.map(([at, early]): [number, Marks] => [
            at,
            early ? { early } : { endOfInput: true },
          ]);
          const several = new LaneProbe(model);
          feed(several, events, marks);
          several.send(LAST);
          const plain = ({ session_id: _id, revision: _revision, sign: _sign, ...content }: NamedRow) =>
            JSON.stringify(content, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
          const sums = (rows: readonly NamedRow[]) => {
            const all = new Map<string, number>();
            for (const row of rows) all.set(plain(row), (all.get(plain(row)) ?? 0) + row.sign);
            return new Map([...all].filter(([, sum]) => sum !== 0));
          };
          expect(sums(several.named)).toEqual(sums(single.named));
          expect([...sums(single.named).values()].every((sum) => sum === 1)).toBe(true);
          expect(several.letters).toEqual(single.letters);
        },
      ),
      propertySettings({ numRuns: 1_000 }),
    );
  });

  it('takes back only what stands, as it was, and never gives a revision of a session twice', () => {
    fc.assert(
      fc.property(unruly, marksAt, windows, (events, marks, { model }) => {
        const probe = new LaneProbe(model);
        feed(
          probe,
          events,
          marks.map(([at, { evictBeforeMs: _evict, ...rest }]): [number, Marks] => [at, rest]),
        );
        const standing = new Map<string, NamedRow>();
        const given = new Set<string>();
        for (const row of probe.named) {
          const version = `${row.session_id} r${row.revision}`;
          if (row.sign === 1) {
            expect(given, version).not.toContain(version);
            expect([...standing.values()].map((other) => other.session_id)).not.toContain(row.session_id);
            given.add(version);
            standing.set(version, row);
          } else {
            expect({ ...row, sign: 1 }).toEqual(standing.get(version));
            standing.delete(version);
          }
        }
      }),
      propertySettings({ numRuns: 1_000 }),
    );
  });
});

const mark: fc.Arbitrary<Marks> = fc.oneof(
  fc.constant({ early: true }),
  fc.constant({ endOfInput: true }),
  fc.integer({ min: FROM, max: TO }).map((at) => ({ idleWatermarkMs: BASE_MS + at * 1_000 })),
  fc.integer({ min: FROM, max: TO }).map((at) => ({ evictBeforeMs: BASE_MS + at * 1_000 })),
  fc.constant({ early: true, endOfInput: true, idleWatermarkMs: BASE_MS + (FROM + 30) * 1_000 }),
);
/** Marks before the event of an index. */
const marksAt: fc.Arbitrary<[number, Marks][]> = fc.array(fc.tuple(fc.nat({ max: 60 }), mark), {
  maxLength: 6,
});

function feed(probe: LaneProbe, events: readonly TinyEvent[], marks: readonly [number, Marks][]): void {
  for (let index = 0; index <= Math.max(60, events.length); index++) {
    for (const [at, each] of marks) if (at === index) probe.marks(each);
    if (index < events.length) probe.send(events[index]!);
  }
}

/** The same through record batches that end at each border; at some, the lane goes through a snapshot's bytes. */
function feedBatches(
  probe: LaneProbe,
  events: readonly TinyEvent[],
  marks: readonly [number, Marks][],
  borders: ReadonlySet<number>,
  restarts: ReadonlySet<number>,
): void {
  const limits = { decompressedBatchBytesMax: 1 << 20, recordBytesMax: 1 << 16 };
  let from = 0;
  const send = (to: number) => {
    if (from === to) return;
    const records = events.slice(from, to).map((each) => ({
      key: 'k',
      value: JSON.stringify({ ...each, at: BASE_MS + each.at * 1_000 }),
      timestampMs: BASE_MS,
    }));
    const batch = buildBatch({ baseOffset: from, records, codec: to % 2 === 0 ? 'lz4' : 'none' });
    decodeBatches(batch, { fromOffset: BigInt(from), limits }, (record) => probe.lane.accept(record));
    from = to;
  };
  for (let index = 0; index <= Math.max(60, events.length); index++) {
    if (borders.has(index)) send(Math.min(index, events.length));
    if (restarts.has(index)) {
      const meta = {
        modelHash: probe.model.hash,
        appId: 'a',
        partition: 1,
        offset: BigInt(from),
        cutId: '1',
      };
      probe.restart((state) => {
        const file = encodeSnapshot(encodeState(probe.model, state), meta);
        return decodeState(probe.model, decodeSnapshot(file, meta));
      });
    }
    for (const [at, each] of marks) if (at === index) probe.marks(each);
  }
  send(events.length);
}
