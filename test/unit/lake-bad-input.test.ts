import { expect, it } from 'vitest';
import { deltaSchema } from '#src/columnar/schema.js';
import type { Action } from '#src/lake/delta/actions.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { versionPath } from '#src/lake/delta/path.js';
import { ensureTable } from '#src/lake/delta/table.js';
import { everyType } from '../support/columnar-model.js';
import { createTable } from '../support/fake-ledger.js';
import { MemoryStore } from '../support/fake-store.js';
import { commitInfo } from '../support/lake-table.js';

/** What is wrong with a table's log is told with the version, the file and what can be done. */

async function tableOf(versions: number, configuration: Record<string, string> = {}): Promise<MemoryStore> {
  const store = new MemoryStore();
  await createTable(store, configuration);
  const log = (await DeltaLog.open(store))!;
  for (let version = 1; version < versions; version++)
    await log.tryCommit(version, [{ commitInfo: commitInfo(`a${version}`) }]);
  return store;
}

async function append(store: MemoryStore, version: number, action: object): Promise<void> {
  await store.put(versionPath(version), Buffer.from(`${JSON.stringify(action)}\n`));
}

it('a gap', async () => {
  const store = await tableOf(5);
  store.objects.delete(versionPath(2));
  await expect(DeltaLog.open(store)).rejects.toMatchObject({
    code: 'LAKE_LOG_CORRUPT',
    message: expect.stringMatching(/version 2 is missing.*goes on with version 3/) as string,
    where: { version: 2, path: versionPath(2) },
    remedy: expect.stringMatching(/restore the missing file/) as string,
  });
});

it.each([
  [{ minReaderVersion: 2, minWriterVersion: 5 }, /protocol 2\/5/, undefined],
  [{ minReaderVersion: 1, minWriterVersion: 4 }, /protocol 1\/4/, undefined],
  [
    {
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['v2Checkpoint'],
      writerFeatures: ['v2Checkpoint', 'new'],
    },
    /protocol 3\/7/,
    'v2Checkpoint,new',
  ],
])('a protocol beyond ours: %o', async (protocol, message, features) => {
  const store = await tableOf(2);
  await append(store, 2, { protocol });
  const refused = DeltaLog.open(store);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toMatchObject({
    code: 'LAKE_NOT_OURS',
    where: { version: 2, path: versionPath(2), features },
    remedy: expect.stringMatching(/drop those features/) as string,
  });
});

it('a log that begins with a checkpoint of another kind', async () => {
  const store = await tableOf(3);
  for (const version of [0, 1]) store.objects.delete(versionPath(version));
  const name = '_delta_log/00000000000000000002.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json';
  await store.put(name, Buffer.from('{}'));
  await expect(DeltaLog.open(store)).rejects.toThrow(/checkpoint \(version 2\) is of a kind \(V2\)/);
});

it('rows taken out of a table that is append-only', async () => {
  const store = await tableOf(1, { 'delta.appendOnly': 'true' });
  const log = (await DeltaLog.open(store))!;
  const remove = (dataChange: boolean): Action[] => [
    { commitInfo: commitInfo('r') },
    { remove: { path: 'x', dataChange, deletionTimestamp: 1 } },
  ];
  await expect(log.tryCommit(1, remove(true))).rejects.toMatchObject({
    code: 'LAKE_NOT_OURS',
    message: expect.stringMatching(/delta\.appendOnly/) as string,
    where: { version: 1, path: 'x' },
  });
  expect(log.version).toBe(0);
  expect(await log.tryCommit(1, remove(false))).toBe('committed');
});

it('a column with a rule that we can not hold', async () => {
  const store = new MemoryStore();
  const owner = { group: 'g', topic: 't' };
  const { log } = await ensureTable(store, everyType, owner, { commitInfo: commitInfo('c') });
  const { fields, ...schema } = deltaSchema(everyType);
  const ruled = fields.map((field) =>
    field.name === 'i8'
      ? { ...field, metadata: { 'delta.invariants': '{"expression":{"expression":"i8 > 0"}}' } }
      : field,
  );
  const { schema: _, ...metaData } = log.metaData;
  await append(store, 1, {
    metaData: { ...metaData, schemaString: JSON.stringify({ ...schema, fields: ruled }) },
  });
  await expect(ensureTable(store, everyType, owner, { commitInfo: commitInfo('d') })).rejects.toThrow(
    /column i8 has delta\.invariants, which headrace can't hold/,
  );
});
