import { expect, it } from 'vitest';
import { systemClock } from '#src/clock.js';
import { versionPath } from '#src/lake/delta/path.js';
import { seededRandom } from '#src/random.js';
import { createTable, openLedger, SOURCE, TOPIC_ID } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';

/** A version that a newer headrace wrote is refused by name: with lanes in it, and with what a lane does not see. */
const setup = { engineId: 'old', clock: systemClock, random: seededRandom(1) };
const refusal = {
  code: 'LAKE_NOT_OURS',
  exitCode: 78,
  message: expect.stringMatching(/format 2 of its entry, this headrace knows 1/) as string,
  where: { version: 1 },
  remedy: expect.stringMatching(/run the version of headrace that wrote it/) as string,
};

const newer = { attempt: 'n', engine: 'new', semantics: 'rules', format: 2 };
const withLane = [
  { commitInfo: { operation: 'STREAMING UPDATE', headrace: { ...newer, somethingNew: [] } } },
  { txn: { appId: `headrace/${SOURCE.group}/${SOURCE.topic}/${TOPIC_ID}/0`, version: 5, lastUpdated: 1 } },
];
const withErasure = [{ commitInfo: { operation: 'DELETE', headrace: { ...newer, erasure: { id: 'e' } } } }];

async function append(store: MemoryStore, actions: readonly object[]): Promise<void> {
  await store.put(
    versionPath(1),
    Buffer.from(actions.map((action) => `${JSON.stringify(action)}\n`).join('')),
  );
}

it.each([
  ['of a lane', withLane],
  ['of an erasure', withErasure],
])('%s, at the start and while an engine runs', async (_, actions) => {
  const store = new MemoryStore();
  await createTable(store);
  const running = await openLedger(store, setup);
  await append(store, actions);
  await expect(openLedger(store, setup)).rejects.toMatchObject(refusal);
  await expect(running.refresh()).rejects.toMatchObject(refusal);
});

it('what other tools say in that place is theirs', async () => {
  const store = new MemoryStore();
  await createTable(store);
  await append(store, [{ commitInfo: { operation: 'OPTIMIZE', headrace: 'no object' } }]);
  await expect(openLedger(store, setup)).resolves.toMatchObject({ version: 1 });
});
