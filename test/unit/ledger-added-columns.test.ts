import { expect, it } from 'vitest';
import { addedColumns, unsaid } from '#src/ledger/added-columns.js';
import { semanticsOf } from '#src/ledger/semantics.js';
import type { CompiledModel } from '#src/model/types.js';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import { migrateState } from '#src/reference/state-migration.js';
import { KernelTestLane } from '../support/kernel-lane.js';
import { BASE_MS, LaneProbe, type TinyOptions, tinyModel } from '../support/reference-lane.js';

const CONFIG = { kafka: { isolation: 'read_committed' }, limits: { recordBytesMax: 100 } } as const;
const NEW_FIELD = '  title: { type: string }';
const NEW_COLUMNS =
  '  title: { op: first, field: title }\n  titles: { op: set, field: title, limit: 9 }\n  cheapest: { op: min, field: price }';

function verdict(before: CompiledModel, now: CompiledModel) {
  return addedColumns(semanticsOf(before, CONFIG).rules, semanticsOf(now, CONFIG).rules, now);
}

function grown(options: TinyOptions = {}): CompiledModel {
  return tinyModel({ ...options, fields: NEW_FIELD, columns: NEW_COLUMNS });
}

it('columns and fields more are told from all else, and the model of before comes to its own hash again', () => {
  const found = verdict(tinyModel(), grown());
  expect(found).toMatchObject({ columns: ['title', 'titles', 'cheapest'] });
  if ('refused' in found) throw new Error('refused');
  expect(found.before.hash).toBe(tinyModel().hash);
});

it.each<[string, CompiledModel, CompiledModel, RegExp]>([
  ['another gap', tinyModel(), grown({ gap: '11s' }), /gap \(ms\) was 10000, is 11000/],
  ['a longest session', tinyModel(), grown({ more: 'max_duration: 3h' }), /max_duration \(ms\) was/],
  [
    'a start event',
    tinyModel(),
    grown({ more: 'start_event: { field: type, in: [go] }' }),
    /start_event was/,
  ],
  ['a column that is gone', grown(), tinyModel(), /column title is gone/],
  ['a column of another kind', tinyModel(), grown({ countType: 'uint64' }), /column events was/],
  [
    'a column that is never null',
    tinyModel(),
    tinyModel({ columns: '  again: { op: count }' }),
    /column again is new and can't be null/,
  ],
  [
    'a field that is required',
    tinyModel(),
    tinyModel({ fields: '  must: { type: string, required: true }' }),
    /field must is new and required/,
  ],
])('refused: %s', (_, before, now, reason) => {
  const found = verdict(before, now);
  expect('refused' in found ? found.refused.join('; ') : 'accepted').toMatch(reason);
});

/** A session that is open and one that is closed and still known, under the model of before, as the new one's bytes. */
function migrated(now: CompiledModel): Uint8Array {
  const before = tinyModel();
  const probe = new LaneProbe(before).send(
    { user: 'closed', at: 0, page: '/a', price: 3 },
    { user: 'open', at: 20, page: '/b' },
  );
  expect(probe.named.map(({ user, sign }) => [user, sign])).toEqual([['closed', 1]]);
  const state = decodeState(before, encodeState(before, probe.lane.snapshot()));
  return encodeState(
    now,
    migrateState(state, before, now, (column) => unsaid(column) ?? null),
  );
}

const LATE = [
  { user: 'closed', at: BASE_MS + 2_000, page: '/late', price: 1, title: 'late' },
  { user: 'open', at: BASE_MS + 21_000, page: '/c', title: 'now' },
];

it('sessions go on under the new model, in both engines alike: a row of before is taken back as it was', () => {
  const now = grown();
  const reference = new LaneProbe(now, decodeState(now, migrated(now)));
  for (const event of LATE) reference.sendRaw(Buffer.from(JSON.stringify(event)));
  reference.marks({ idleWatermarkMs: BASE_MS + 10_000_000 });
  const kernel = new KernelTestLane(now);
  kernel.restore(migrated(now));
  kernel.send(LATE);
  const pick = (row: Record<string, unknown>) => {
    const { user, sign, events, exit, title, titles, cheapest } = row;
    return [user, sign, events, exit, title, titles, cheapest];
  };
  const expected = [
    ['closed', -1, 1, '/a', null, [], null],
    ['closed', 1, 2, '/late', 'late', ['late'], 1],
    ['open', 1, 2, '/c', 'now', ['now'], null],
  ];
  expect(reference.named.map(pick)).toEqual(expected);
  expect(kernel.rows({ idleWatermarkMs: BASE_MS + 10_000_000 }).map(pick)).toEqual(expected);
});
