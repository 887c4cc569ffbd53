import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LakeConfig } from '#src/config/types.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { tablePlace } from '#src/lake/delta/table-place.js';
import { openStore } from '#src/lake/store/open-store.js';
import { probeWritable, startFailure } from '#src/lake/store/probe.js';
import { S3Store } from '#src/lake/store/s3.js';
import { createTable } from '../support/fake-ledger.js';
import { S3Rig, s3Answer } from '../support/s3-rig.js';

/** What an engine asks of a bucket before it does anything else. */
let rig: S3Rig;

beforeAll(async () => {
  rig = await S3Rig.start();
  await rig.minio.makeBucket('behind-a-gateway');
  await rig.minio.openToAll('behind-a-gateway');
});
afterAll(() => rig?.close());

describe('the probe of a bucket', () => {
  /** The gateway signs nothing, so the bucket is open to all. */
  function throughGateway(names: string[]): { store: S3Store; remove: () => void } {
    const place = rig.minio.place('sessions', { endpoint: rig.proxy.url });
    const fault = rig.proxy.inject(
      { kind: 'strip-headers', names: ['authorization', ...names] },
      { times: 1e6 },
    );
    return {
      store: new S3Store({ ...place, path: 's3://behind-a-gateway/sessions' }),
      remove: () => fault.remove(),
    };
  }

  it('refuses one behind a gateway that drops If-None-Match, and says what to do', async () => {
    const { store, remove } = throughGateway(['if-none-match']);
    await expect(probeWritable(store)).rejects.toMatchObject({
      code: 'LAKE_UNWRITABLE',
      exitCode: 78,
      message: expect.stringContaining('a second write under the same name was not refused'),
      where: { table: 's3://behind-a-gateway/sessions' },
      remedy: expect.stringMatching(/honours conditional writes \(If-None-Match\).*a proxy or gateway/),
    });
    expect(await store.list('')).toEqual([]);
    remove();
  });

  it('passes behind the same gateway when it lets the header through', async () => {
    const { store, remove } = throughGateway([]);
    await probeWritable(store);
    remove();
  });

  it('refuses a store that does not know the header', async () => {
    const { store } = rig.stores();
    const fault = rig.proxy.inject(s3Answer(501, 'NotImplemented'), {
      when: ({ method }) => method === 'PUT',
      times: 9,
    });
    await expect(probeWritable(store)).rejects.toMatchObject({
      code: 'LAKE_UNWRITABLE',
      remedy: expect.stringContaining('If-None-Match'),
    });
    fault.remove();
  });

  it('takes a store that is away or slow for what passes', async () => {
    const { store } = rig.stores({ requestTimeoutMs: 1_000 });
    const fault = rig.proxy.inject(s3Answer(503, 'SlowDown'), { times: 1_000 });
    await expect(probeWritable(store)).rejects.toMatchObject({ code: 'LAKE_IO', exitCode: 75 });
    fault.remove();
  });

  it('takes a missing bucket for what the configuration must mend', async () => {
    const place = { ...rig.minio.place(''), path: 's3://no-such-bucket/sessions' };
    const error = await tablePlace(place).catch((reason: unknown) => startFailure(place.path, reason));
    expect(error).toMatchObject({ code: 'LAKE_UNWRITABLE', exitCode: 78 });
    expect(`${error}`).toContain('there is no such bucket');
    expect(`${error}`).toContain('make the bucket, or name another in lake.path');
  });
});

describe('which table a prefix means', () => {
  const at = (prefix: string): LakeConfig => rig.minio.place(prefix);
  const put = async (prefix: string, path: string) =>
    (await openStore(at(prefix))).put(path, Buffer.from('1'));

  it('the table itself, or the only one below, or none yet', async () => {
    await createTable(await openStore(at('which/one/sessions')));
    expect(await tablePlace(at('which/one/sessions'))).toEqual(at('which/one/sessions'));
    expect(await tablePlace(at('which/one'))).toEqual(at('which/one/sessions'));
    expect(await tablePlace(at('which/new'))).toEqual(at('which/new'));
    const log = await DeltaLog.open(await openStore(await tablePlace(at('which/one'))));
    expect(log?.version).toBe(0);
  });

  it('not one of several, nor one over files of others', async () => {
    for (const name of ['a', 'b']) await createTable(await openStore(at(`which/two/${name}`)));
    await expect(tablePlace(at('which/two'))).rejects.toMatchObject({
      code: 'LAKE_NOT_OURS',
      message: 'several Delta tables lie below the prefix: a, b',
      remedy: 'name one of them, e.g. --lake s3://session-metrics/which/two/a',
    });
    await put('which/batches', 'batch_1/part-0.parquet');
    await expect(tablePlace(at('which/batches'))).rejects.toMatchObject({
      code: 'LAKE_NOT_OURS',
      message: 'the prefix is not a Delta table and not empty: it has batch_1',
    });
  });

  it('what is hidden to readers is no table and in nobody’s way', async () => {
    await put('which/hidden', '_headrace/probe');
    await put('which/hidden', '.keep');
    expect(await tablePlace(at('which/hidden'))).toEqual(at('which/hidden'));
  });
});
