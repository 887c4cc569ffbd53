import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRows } from '#src/columnar/encode.js';
import { writeCheckpoint } from '#src/lake/delta/checkpoint-write.js';
import { cleanUpLog } from '#src/lake/delta/clean-up.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { partitionFolder, versionPath } from '#src/lake/delta/path.js';
import { LocalStore } from '#src/lake/store/local.js';
import { openStore } from '#src/lake/store/open-store.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import { modelOf } from '../support/columnar-model.js';
import { SEAL } from '../support/columnar-rows.js';
import { addOf, commit, commitInfo, withFolder } from '../support/lake-table.js';
import { type MinioServer, startMinio } from '../support/minio.js';
import { inPlaces, KINDS } from '../support/table-places.js';
import { expectReadAlike, type ReadableTable } from '../support/table-readers.js';

/**
 * Three readers of one table: ours, delta-rs, ClickHouse. Each state that we bring a table to, and tables that delta-rs wrote, must
 * read alike in all of them, in a folder and in a bucket.
 */

let minio: MinioServer;

beforeAll(async () => {
  minio = await startMinio();
}, 240_000);

afterAll(() => minio?.close());

const ODD = [
  'plain',
  'a b',
  'a%20b',
  'ü/ö',
  'k=v:w?x#y',
  '日本',
  '+&;@$,',
  "it's",
  '"[{^}]"',
  '\ufeffbom',
  null,
];
const model = modelOf('odd', [['n', 'uint32']]);
const later = modelOf('odd', [
  ['n', 'uint32'],
  ['more', 'string', true],
]);

const FIELDS = [
  { name: 'n', type: 'long', nullable: false, metadata: {} },
  { name: 'p q', type: 'string', nullable: true, metadata: {} },
];

async function create(store: ObjectStore): Promise<DeltaLog> {
  const log = await DeltaLog.create(store, {
    id: '00000000-0000-4000-8000-000000000000',
    name: 'odd',
    description: '',
    schemaString: JSON.stringify({ type: 'struct', fields: FIELDS }),
    partitionColumns: ['p q'],
    configuration: { 'delta.enableExpiredLogCleanup': 'false' },
    createdTimeMs: 0,
    commitInfo: commitInfo('create'),
  });
  return log as DeltaLog;
}

function python(script: string, ...args: string[]): string {
  return execFileSync(deltaRsPython(), ['-c', script, ...args], { encoding: 'utf8' });
}

/** What the scripts take for a table: where it is, and how it is reached. */
function argumentsOf({ deltaRs: { path, storageOptions = {} } }: ReadableTable): string[] {
  return [path, JSON.stringify(storageOptions)];
}

const DELTA_RS_TABLE = `
import sys, datetime, decimal, json
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake, CommitProperties, Transaction
options = json.loads(sys.argv[2])
when = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.timezone.utc)
schema = pa.schema([('n', pa.int64()), ('at', pa.timestamp('us', tz='UTC')), ('day', pa.date32()), ('share', pa.float64()),
  ('name', pa.string()), ('price', pa.decimal128(12, 2)), ('tags', pa.list_(pa.string())), ('ok', pa.bool_()),
  ('raw', pa.binary()), ('p', pa.string()), ('k', pa.int32()), ('d', pa.date32())])
odd = ['plain', 'a b', 'a%20b', 'ü/ö', 'k=v:w?x#y', '日本', None]
def rows(base):
  full = [[base + i, when, when.date(), float('inf') if i else -0.5, 'ü' * i, decimal.Decimal('12.50'), ['a', ''], i % 2 == 0,
    b'\\x00\\xff', p, i, when.date()] for i, p in enumerate(odd)]
  nulls = [[base + 100 + i] + [None] * 8 + [p, None, None] for i, p in enumerate(odd)]
  return pa.table({f.name: pa.array([r[i] for r in full + nulls], f.type) for i, f in enumerate(schema)}, schema=schema)
for i in range(4):
  write_deltalake(sys.argv[1], rows(1000 * i), mode='append', partition_by=['p', 'k', 'd'], storage_options=options,
    commit_properties=CommitProperties(app_transactions=[Transaction('app', i)]))
table = DeltaTable(sys.argv[1], storage_options=options)
table.delete("n = 1001")
table.create_checkpoint()
write_deltalake(sys.argv[1], rows(9000), mode='append', partition_by=['p', 'k', 'd'], storage_options=options)
`;

describe.each(KINDS)('in a %s', (kind) => {
  it('a table of ours reads alike after create, append, removal, added columns, checkpoint and clean-up', async () => {
    await inPlaces(
      kind,
      () => minio,
      async (placeOf) => {
        const { table, lake } = placeOf('table');
        const store = await openStore(lake, { prepares: true });
        const log = await create(store);
        for (const [i, value] of ODD.entries()) {
          const path = `${partitionFolder('p q', value)}/part ${i}.parquet`;
          const file = encodeRows(model, [[i]], SEAL);
          await store.put(path, file.bytes);
          await commit(log, `file ${i}`, [addOf(path, { 'p q': value }, file)]);
        }
        const appended = await expectReadAlike(table);
        expect(appended.rows.map(([, value]) => value).sort()).toEqual([...ODD].sort());

        const gone = `${partitionFolder('p q', 'ü/ö')}/part 3.parquet`;
        await commit(log, 'remove', [
          {
            remove: {
              path: gone,
              deletionTimestamp: Date.now(),
              dataChange: true,
              partitionValues: { 'p q': 'ü/ö' },
            },
          },
        ]);
        const fields = [...FIELDS, { name: 'more', type: 'string', nullable: true, metadata: {} }];
        const { schema: _, ...metaData } = log.metaData;
        const file = encodeRows(later, [[99, 'text']], SEAL);
        const path = `${partitionFolder('p q', 'plain')}/later.parquet`;
        await store.put(path, file.bytes);
        await commit(log, 'add column', [
          { metaData: { ...metaData, schemaString: JSON.stringify({ type: 'struct', fields }) } },
          addOf(path, { 'p q': 'plain' }, file),
          { txn: { appId: 'headrace/g/t/x/0', version: 2n ** 60n + 1n } },
        ]);
        const whole = await expectReadAlike(table);
        expect(whole.rows).toHaveLength(ODD.length);

        expect(await writeCheckpoint(store, { nowMs: Date.now() })).toMatchObject({ version: 13, files: 11 });
        expect((await expectReadAlike(table)).rows).toHaveLength(ODD.length);
        await commit(log, 'behind it', [
          addOf(`${partitionFolder('p q', null)}/x.parquet`, { 'p q': null }, await put(7)),
        ]);
        const before = await expectReadAlike(table);
        const { paths } = await cleanUpLog(store, {
          nowMs: Date.now() + 60_000,
          retentionMs: 1_000,
          neededFrom: 14,
        });
        expect(paths).toContain(versionPath(12));
        expect(paths).not.toContain(versionPath(13));
        const after = await expectReadAlike(table);
        expect(after.rows.toSorted()).toEqual(before.rows.toSorted());
        expect(await expectReadAlike(table, { version: 13 })).toMatchObject({ version: 13 });
        // a second one stands on the first alone
        expect(await writeCheckpoint(store, { nowMs: Date.now() })).toMatchObject({ version: 14, files: 12 });
        await store.delete(versionPath(13));
        await store.delete(versionPath(14));
        await store.delete('_delta_log/00000000000000000013.checkpoint.parquet');
        expect((await expectReadAlike(table)).rows.toSorted()).toEqual(before.rows.toSorted());
        expect((await DeltaLog.open(store))!.txns.get('headrace/g/t/x/0')!.version).toBe(2n ** 60n + 1n);

        async function put(n: number) {
          const one = encodeRows(later, [[n, null]], SEAL);
          await store.put(`${partitionFolder('p q', null)}/x.parquet`, one.bytes);
          return one;
        }
      },
    );
  }, 300_000);

  it('a table of delta-rs with escaped partitions, nulls and a checkpoint reads alike, and after a checkpoint of ours', async () => {
    await inPlaces(
      kind,
      () => minio,
      async (placeOf) => {
        const { table } = placeOf('table');
        python(DELTA_RS_TABLE, ...argumentsOf(table));
        const first = await expectReadAlike(table);
        expect(first.rows).toHaveLength(5 * 14 - 1);
        const { store } = table;
        for (const version of [0, 1, 2, 3]) await store.delete(versionPath(version));
        const second = await expectReadAlike(table);
        expect(second.rows.toSorted()).toEqual(first.rows.toSorted());
        expect(await writeCheckpoint(store, { nowMs: Date.now() })).toMatchObject({ version: 5 });
        await store.delete(versionPath(4));
        await store.delete(versionPath(5));
        await store.delete('_delta_log/00000000000000000004.checkpoint.parquet');
        const third = await expectReadAlike(table);
        expect(third.rows.toSorted()).toEqual(first.rows.toSorted());
        expect((await DeltaLog.open(store))!.txns.get('app')!.version).toBe(3n);
      },
    );
  }, 300_000);

  it('what delta-rs appends between two of our commits stays, and both go on', async () => {
    await inPlaces(
      kind,
      () => minio,
      async (placeOf) => {
        const { table, lake } = placeOf('table');
        const store = await openStore(lake, { prepares: true });
        const log = await create(store);
        const put = async (n: number) => {
          const path = `${partitionFolder('p q', 'ours')}/${n}.parquet`;
          const file = encodeRows(model, [[n]], SEAL);
          await store.put(path, file.bytes);
          const actions = [{ commitInfo: commitInfo(`n${n}`) }, addOf(path, { 'p q': 'ours' }, file)];
          return await log.tryCommit(log.version + 1, actions);
        };
        const append = `
import json, sys, pyarrow as pa
from deltalake import write_deltalake
schema = pa.schema([pa.field('n', pa.int64(), nullable=False), pa.field('p q', pa.string())])
write_deltalake(sys.argv[1], pa.table({'n': [int(sys.argv[3])], 'p q': ['their s']}, schema=schema), mode='append',
  storage_options=json.loads(sys.argv[2]))
`;
        expect(await put(1)).toBe('committed');
        python(append, ...argumentsOf(table), '50');
        expect(await put(2)).toBe('conflict');
        await log.refresh();
        expect(await put(2)).toBe('committed');
        python(append, ...argumentsOf(table), '51');
        const { rows, version } = await expectReadAlike(table);
        expect(version).toBe(4);
        expect(rows.toSorted()).toEqual([
          ['1', 'ours'],
          ['2', 'ours'],
          ['50', 'their s'],
          ['51', 'their s'],
        ]);
      },
    );
  }, 300_000);
});

it('a table with a feature that we have not is refused, naming version, file and feature', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'table');
    python(
      `import sys, pyarrow as pa
from deltalake import write_deltalake
write_deltalake(sys.argv[1], pa.table({'n': [1]}), configuration={sys.argv[2]: sys.argv[3]})`,
      path,
      'delta.enableDeletionVectors',
      'true',
    );
    const refused = DeltaLog.open(new LocalStore(path));
    await expect(refused).rejects.toThrow(/protocol 3\/7.*knows up to 1\/2/);
    await expect(refused).rejects.toMatchObject({
      code: 'LAKE_NOT_OURS',
      where: { version: 0, path: versionPath(0), features: expect.stringContaining('deletionVectors') },
    });
  });
}, 120_000);
