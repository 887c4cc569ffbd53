import { describe, expect, it } from 'vitest';
import { DeltaLog } from '#src/lake/delta/log.js';
import { LocalStore } from '#src/lake/store/local.js';
import { seededRandom } from '#src/random.js';
import { createTable, openLedger } from '../support/fake-ledger.js';
import { HurriedClock } from '../support/fake-time.js';
import { commitInfo, withFolder } from '../support/lake-table.js';

const FIELD = { name: 'more', type: 'long', nullable: true, metadata: {} };

/** Another writer's version of the metadata, read by a ledger that was open before. */
async function refreshedAfter(change: {
  fields?: object[];
  partitionColumns?: string[];
  configuration?: Record<string, string>;
}): Promise<string> {
  let outcome = '';
  await withFolder(async (folder) => {
    const store = new LocalStore(folder);
    await createTable(store, { 'headrace.group': 'group' });
    const ledger = await openLedger(store, {
      engineId: 'e',
      clock: new HurriedClock(),
      random: seededRandom(1),
    });
    const theirs = (await DeltaLog.open(store))!;
    const { schema: _, ...metaData } = theirs.metaData;
    await theirs.tryCommit(1, [
      { commitInfo: commitInfo('theirs') },
      {
        metaData: {
          ...metaData,
          description: 'with other words',
          schemaString: JSON.stringify({ type: 'struct', fields: change.fields ?? [] }),
          partitionColumns: change.partitionColumns ?? [],
          configuration: { ...metaData.configuration, ...change.configuration },
        },
      },
    ]);
    outcome = await ledger.refresh().then(
      () => 'followed',
      (error: Error) => `${error}`,
    );
  });
  return outcome;
}

describe('another writer’s change of the table, while an engine runs,', () => {
  it('of words and of settings that are nobody’s business is followed', async () => {
    expect(await refreshedAfter({ configuration: { 'delta.dataSkippingNumIndexedCols': '5' } })).toBe(
      'followed',
    );
  });

  it.each([
    [{ fields: [FIELD] }, 'the table has a column more'],
    [{ partitionColumns: ['country'] }, 'it is partitioned by country now'],
    [{ configuration: { 'headrace.group': 'another' } }, 'headrace.group is another'],
    [
      { configuration: { 'delta.setTransactionRetentionDuration': 'interval 1 day' } },
      'delta.setTransactionRetentionDuration is interval 1 day',
    ],
  ])('%j ends it with the version named', async (change, says) => {
    const refusal = await refreshedAfter(change);
    expect(refusal).toContain('LAKE_NOT_OURS: another writer changed the table');
    expect(refusal).toContain(says);
    expect(refusal).toContain('version=1');
    expect(refusal).toContain('version 0 (RESTORE)');
  });

  it('of its format is a newer headrace’s, and not to be undone', async () => {
    const refusal = await refreshedAfter({ configuration: { 'headrace.format': '2' } });
    expect(refusal).toMatch(/^LAKE_NOT_OURS: the table has format 2, this headrace knows 1 \(.*version=1\)/);
    expect(refusal).toMatch(/run the version of headrace that made it/);
    expect(refusal).not.toContain('RESTORE');
  });
});
