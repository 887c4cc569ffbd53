import { expect, it } from 'vitest';
import { appIdOf, LedgerHistory, type VersionFacts } from '#src/ledger/history.js';
import { neededFrom } from '#src/ledger/horizon.js';
import type { CutLaneEntry } from '#src/ledger/types.js';

const SOURCE = { group: 'g', topic: 'clicks' };
const TOPIC_ID = 'topic-id';

function version(
  number: number,
  partition: number,
  from: number,
  to: number,
  more: Partial<CutLaneEntry> = {},
) {
  const nothing = { watermarkMs: 7, marks: {}, rows: 1, deadLetters: 0, crc: 5, parent: number - 1 };
  const lane: CutLaneEntry = { partition, from, to, ...nothing, ...more };
  const cut = { id: `${number}`, createdAtMs: number, lanes: [lane], deadLetterFiles: [] };
  const entry = { format: 1, attempt: 'x', engine: 'e', semantics: 's', cuts: [cut] } as const;
  const txns = [{ appId: appIdOf(SOURCE, TOPIC_ID, partition), version: BigInt(to) }];
  return { version: number, entry: { ...entry, cuts: [...entry.cuts] }, txns };
}

const snapshot = (path: string) => ({ snapshot: { path, sizeBytes: 3 } });

const VERSIONS: VersionFacts[] = [
  version(1, 0, 5, 5, { start: true, rows: 0 }),
  version(2, 1, 0, 0, { start: true, rows: 0 }),
  version(3, 0, 5, 9, snapshot('a')),
  version(4, 0, 9, 12, { marks: { early: true } }),
  version(5, 0, 12, 14, { ...snapshot('b'), gaps: [{ from: 12, to: 13 }] }),
  version(6, 0, 14, 20),
  version(7, 1, 0, 3, { marks: { endOfInput: true } }),
];

const ERASED: VersionFacts = {
  version: 8,
  entry: {
    format: 1,
    attempt: 'x',
    engine: 'e',
    semantics: 's',
    cuts: [],
    erasure: { id: 'e', files: [{ path: 'f', gone: [1], to: { path: 'f2', sizeBytes: 1 } }] },
  },
  txns: [],
};

function told(): LedgerHistory {
  const history = new LedgerHistory(SOURCE);
  for (const each of [...VERSIONS, ERASED]) history.apply(each);
  return history;
}

const STATE = [
  { appId: appIdOf(SOURCE, TOPIC_ID, 0), version: 20n },
  { appId: appIdOf(SOURCE, TOPIC_ID, 1), version: 3n },
];
const neverRead = () => Promise.reject(new Error('the versions before were read'));

it('what the ledger said comes back from a note, and goes on as if every version had been read', async () => {
  const [whole, recalled] = [told(), new LedgerHistory(SOURCE)];
  const note: unknown = JSON.parse(JSON.stringify(whole.note()));
  await recalled.begin({ version: 8, txns: STATE, note, readKept: neverRead });
  for (const history of [whole, recalled]) history.apply(version(9, 0, 20, 25, snapshot('c')));
  expect(recalled.lanes(TOPIC_ID)).toEqual(whole.lanes(TOPIC_ID));
  expect(recalled.lastSemantics).toBe('s');
  expect(recalled.rewrites.of('f')).toEqual({ now: { path: 'f2', sizeBytes: 1 }, gone: [1] });
  expect(recalled.rewrites.originOf('f2')).toBe('f');
});

it.each<[string, unknown, typeof STATE]>([
  ['another offset', told().note(), [STATE[0]!, { ...STATE[1]!, version: 4n }]],
  ['a lane more', told().note(), [...STATE, { appId: appIdOf(SOURCE, TOPIC_ID, 2), version: 0n }]],
  ['a lane less', told().note(), STATE.slice(1)],
  ['no note', { format: 2 }, STATE],
  ['nothing', null, STATE],
])('a note that does not join with the checkpoint is not believed: %s', async (_, note, txns) => {
  const history = new LedgerHistory(SOURCE);
  await history.begin({ version: 8, txns, note, readKept: async () => VERSIONS.slice(2) });
  expect(history.lane(TOPIC_ID, 1)).toMatchObject({
    truncated: true,
    committedTo: txns.at(-1)!.appId.endsWith('/1') ? txns.at(-1)!.version : 3n,
  });
});

it('the log is needed back to the second newest snapshot of each lane, and as far as followers have not come', () => {
  const lanes = told().lanes(TOPIC_ID);
  expect(neededFrom(lanes.slice(0, 1), [])).toBe(3);
  expect(neededFrom(lanes.slice(1), [])).toBe(7);
  expect(neededFrom(lanes, [{ partition: 1, version: 1 }])).toBe(2);
  expect(neededFrom(lanes, [{ partition: 0, version: -1 }])).toBe(0);
});
