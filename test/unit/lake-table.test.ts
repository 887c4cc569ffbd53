import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deltaSchema } from '#src/columnar/schema.js';
import type { VersionActions } from '#src/lake/delta/actions.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { ensureTable } from '#src/lake/delta/table.js';
import { resolveTableFolder } from '#src/lake/delta/table-folder.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { CompiledModel } from '#src/model/types.js';
import { clickstreamLike, everyType } from '../support/columnar-model.js';
import { commit, commitInfo, withFolder } from '../support/lake-table.js';

const OWNER = { group: 'g', topic: 't' };
const ensure = (store: LocalStore, model: CompiledModel = everyType, owner = OWNER) =>
  ensureTable(store, model, owner, { commitInfo: commitInfo('create') });

describe('the sessions table', () => {
  it('is created with our protocol, schema, partition column and configuration', async () => {
    await withFolder(async (folder) => {
      const seen: VersionActions[] = [];
      const { log, created } = await ensureTable(new LocalStore(folder), everyType, OWNER, {
        commitInfo: commitInfo('create'),
        onVersion: (version) => {
          seen.push(version);
        },
      });
      expect(created).toBe(true);
      expect(log.version).toBe(0);
      expect(seen.map(({ version }) => version)).toEqual([0]);
      expect(log.protocol).toEqual({ minReaderVersion: 1, minWriterVersion: 2 });
      expect(log.metaData.partitionColumns).toEqual(['session_date']);
      expect(log.metaData.schema).toEqual(deltaSchema(everyType));
      expect(log.metaData.id).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      expect(log.metaData.configuration).toEqual({
        'delta.enableExpiredLogCleanup': 'false',
        'headrace.format': '1',
        'headrace.group': 'g',
        'headrace.topic': 't',
        'headrace.model': 'every_type',
      });
    });
  });

  it('is found again', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      const { log } = await ensure(store);
      await commit(log, 'a', []);
      const again = await ensure(store);
      expect(again.created).toBe(false);
      expect(again.log.version).toBe(1);
    });
  });

  it('is created once by many that start together', async () => {
    await withFolder(async (folder) => {
      const tables = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          ensureTable(new LocalStore(folder), everyType, OWNER, { commitInfo: commitInfo(`engine-${i}`) }),
        ),
      );
      expect(tables.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(tables.map(({ log }) => log.metaData.id)).size).toBe(1);
    });
  });

  it('of another group, topic or model is refused, naming what differs', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      await ensure(store);
      for (const [owner, model, message] of [
        [{ ...OWNER, group: 'h' }, everyType, /its group is g, not h/],
        [{ ...OWNER, topic: 'u' }, everyType, /its topic is t, not u/],
        [OWNER, clickstreamLike, /its model is every_type, not clickstream/],
      ] as const) {
        const refused = ensure(store, model, owner);
        await expect(refused).rejects.toMatchObject({ code: 'LAKE_NOT_OURS' });
        await expect(refused).rejects.toThrow(message);
      }
    });
  });

  it('with other columns than the model is refused, naming them', async () => {
    const without = (name: string): CompiledModel => ({
      ...everyType,
      columns: everyType.columns.filter((column) => column.name !== name),
    });
    const changed = (change: object): CompiledModel => ({
      ...everyType,
      columns: everyType.columns.map((column) => (column.name === 'f64' ? { ...column, ...change } : column)),
    });
    for (const [created, model, message] of [
      [without('f64'), everyType, /column f64 is not in the table/],
      [everyType, without('f64'), /the table has a column f64 that the model has not/],
      [everyType, changed({ type: 'string' }), /column f64 is double in the table, string here/],
      [everyType, changed({ type: 'list<string>' }), /column f64 is double in the table, \{"type":"array"/],
      [changed({ nullable: false }), everyType, /column f64 may not be null in the table/],
    ] as const) {
      await withFolder(async (folder) => {
        const store = new LocalStore(folder);
        await ensure(store, created);
        await expect(ensure(store, model)).rejects.toThrow(message);
      });
    }
  });

  it('is refused when somebody else made it, or a later version of us, or when it forgets transactions', async () => {
    for (const [configuration, message] of [
      [{}, /not made by headrace/],
      [{ 'headrace.format': '2' }, /format 2/],
      [
        {
          'headrace.format': '1',
          'headrace.group': 'g',
          'headrace.topic': 't',
          'headrace.model': 'every_type',
          'delta.setTransactionRetentionDuration': 'interval 7 days',
        },
        /setTransactionRetentionDuration/,
      ],
    ] as [Record<string, string>, RegExp][]) {
      await withFolder(async (folder) => {
        const store = new LocalStore(folder);
        await DeltaLog.create(store, {
          id: 'i',
          name: 'n',
          description: '',
          schemaString: JSON.stringify(deltaSchema(everyType)),
          partitionColumns: ['session_date'],
          configuration,
          createdTimeMs: 0,
          commitInfo: commitInfo('create'),
        });
        await expect(ensure(store)).rejects.toMatchObject({ code: 'LAKE_NOT_OURS' });
        await expect(ensure(store)).rejects.toThrow(message);
      });
    }
  });

  it('is not created over files of others; what is hidden or ours is no obstacle', async () => {
    await withFolder(async (folder) => {
      const store = new LocalStore(folder);
      await store.put('year=2020/foreign.parquet', new Uint8Array(1));
      await expect(ensure(store)).rejects.toThrow(/not empty: it has year=2020\/foreign.parquet/);
      expect(await store.list('_delta_log/')).toEqual([]);
      await store.delete('year=2020/foreign.parquet');
      await store.put('_headrace/x', new Uint8Array(1));
      await store.put('.DS_Store', new Uint8Array(1));
      expect((await ensure(store)).created).toBe(true);
    });
  });
});

describe('the folder of the table', () => {
  const table = (...parts: string[]) => fs.mkdir(join(...parts, '_delta_log'), { recursive: true });

  it('is the path itself when it is a table, also beside other things', async () => {
    await withFolder(async (folder) => {
      await table(folder);
      await table(folder, 'child');
      expect(await resolveTableFolder(folder)).toBe(folder);
    });
  });

  it('is the only table among its children', async () => {
    await withFolder(async (folder) => {
      await table(folder, 'sessions');
      await fs.mkdir(join(folder, 'other'));
      await fs.writeFile(join(folder, 'README'), '');
      expect(await resolveTableFolder(folder)).toBe(join(folder, 'sessions'));
    });
  });

  it('is refused when several children are tables, naming them', async () => {
    await withFolder(async (folder) => {
      await table(folder, 'a');
      await table(folder, 'b');
      await expect(resolveTableFolder(folder)).rejects.toThrow(/several Delta tables.*a, b/);
    });
  });

  it('is the path itself when it is empty or not there', async () => {
    await withFolder(async (folder) => {
      expect(await resolveTableFolder(folder)).toBe(folder);
      expect(await resolveTableFolder(join(folder, 'not/there'))).toBe(join(folder, 'not/there'));
      expect(await fs.readdir(folder)).toEqual([]);
    });
  });

  it('is refused when other things lie in it, or when it is a file', async () => {
    await withFolder(async (folder) => {
      await fs.writeFile(join(folder, 'data.csv'), '');
      await expect(resolveTableFolder(folder)).rejects.toMatchObject({ code: 'LAKE_NOT_OURS' });
      await expect(resolveTableFolder(folder)).rejects.toThrow(/data.csv/);
      await expect(resolveTableFolder(join(folder, 'data.csv'))).rejects.toMatchObject({
        code: 'LAKE_UNWRITABLE',
      });
    });
  });
});
