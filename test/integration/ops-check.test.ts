import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '#src/lake/store/open-store.js';
import { OPS_TOPIC, OpsRig } from '../support/ops-rig.js';
import { runCommandLine } from '../support/run-command.js';
import { isPut, S3Rig, s3Answer } from '../support/s3-rig.js';

/** `headrace check` against a broker that is there and services that are not. */
const TEST_MS_MAX = 120_000;
let rig: OpsRig;

beforeAll(async () => {
  rig = await OpsRig.open();
  await rig.produce([1, 2, 3, 4], Date.now());
}, TEST_MS_MAX);
afterAll(async () => {
  await rig?.close();
});

interface Line {
  what: string;
  ok: boolean;
  text: string;
  remedy: string | null;
  code: string | null;
}

async function check(more: Record<string, string> = {}) {
  const flags = {
    '--brokers': rig.kafka.bootstrap,
    '--topic': OPS_TOPIC,
    '--group': 'checked',
    '--model': 'clickstream',
    '--lake': join(rig.folder, 'lake-checked'),
    ...more,
  };
  const args = ['check', ...Object.entries(flags).flat(), '--json'];
  const { code, stdout, stderr } = await runCommandLine(args);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Line[] };
  expect(stderr).toBe('');
  return { code, ok, lines: new Map(checks.map((line) => [line.what, line])) };
}

describe('headrace check', { timeout: TEST_MS_MAX }, () => {
  it('says of each service that it is as needed, and leaves nothing behind', async () => {
    const folder = join(rig.folder, 'lake-checked');
    await mkdir(folder);
    const { code, ok, lines } = await check();
    expect([...lines.values()].filter((line) => !line.ok)).toEqual([]);
    expect([code, ok]).toEqual([0, true]);
    expect([...lines.keys()]).toEqual(['model', 'brokers', 'topic', 'reading', 'table']);
    expect(lines.get('topic')!.text).toBe('clicks has 4 partitions');
    expect(lines.get('reading')!.text).toBe('clicks holds about 8 events');
    const left = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((each) =>
      each.isFile(),
    );
    expect(left).toEqual([]);
  });

  it('names every one that fails with its remedy, not only the first', async () => {
    const { code, ok, lines } = await check({
      '--brokers': '127.0.0.1:1',
      '--lake': await fileInTheWay(),
      '--clickhouse': 'http://127.0.0.1:1',
    });
    expect([code, ok]).toEqual([78, false]);
    expect(lines.get('brokers')).toMatchObject({ ok: false, code: 'KAFKA_UNREACHABLE' });
    expect(lines.get('table')).toMatchObject({ ok: false, code: 'LAKE_UNWRITABLE' });
    expect(lines.get('clickhouse')).toMatchObject({ ok: false, code: 'CLICKHOUSE_UNREACHABLE' });
    for (const line of [...lines.values()].filter((each) => !each.ok))
      expect(line.remedy, line.what).toBeTruthy();
  });

  it('ends with 75 where nothing but time is needed, and with the model’s own words where that is wrong', async () => {
    const away = await check({ '--clickhouse': 'http://127.0.0.1:1' });
    expect(away.code).toBe(75);
    const model = await check({ '--model': 'clickstraem' });
    expect(model.code).toBe(78);
    expect(model.lines.get('model')).toMatchObject({ ok: false, code: 'MODEL_INVALID' });
    expect(model.lines.get('brokers')!.ok).toBe(true);
  });

  it('reaches a bucket, and says of one that keeps not the first of two writes, or has other keys, what to do', async () => {
    const bucket = await S3Rig.start();
    try {
      const { accessKeyId, secretAccessKey } = bucket.minio.keyFiles;
      const tried = async (name: string, keyId: string) => {
        const config = join(rig.folder, `${name}.yaml`);
        const s3 = {
          endpoint: bucket.proxy.url,
          access_key_id_file: keyId,
          secret_access_key_file: secretAccessKey,
        };
        await writeFile(config, JSON.stringify({ lake: { s3: { ...s3, region: 'us-east-1' } } }));
        const { lines } = await check({
          '--config': config,
          '--lake': `s3://${bucket.minio.bucket}/${name}`,
        });
        return lines.get('table')!;
      };
      expect(await tried('good', accessKeyId)).toMatchObject({ code: null, ok: true });
      const fault = bucket.proxy.inject(s3Answer(501, 'NotImplemented'), { when: isPut, times: 9 });
      expect(await tried('unconditional', accessKeyId)).toMatchObject({
        code: 'LAKE_UNWRITABLE',
        ok: false,
        remedy: expect.stringContaining('If-None-Match'),
      });
      fault.remove();
      const other = join(rig.folder, 'other-key');
      await writeFile(other, 'somebody');
      const denied = await tried('denied', other);
      expect(denied).toMatchObject({ ok: false, remedy: expect.stringMatching(/\w/) });
      expect(JSON.stringify(denied)).not.toContain(await readFile(secretAccessKey, 'utf8'));
      expect(await (await openStore(bucket.minio.place('good'))).list('')).toEqual([]);
    } finally {
      await bucket.close();
    }
  });

  it('shows people one line each, with what to do below', async () => {
    const args = [
      '--brokers',
      rig.kafka.bootstrap,
      '--topic',
      OPS_TOPIC,
      '--group',
      'g',
      '--model',
      'clickstream',
    ];
    const lake = await fileInTheWay();
    const { code, stdout } = await runCommandLine(['check', ...args, '--lake', lake]);
    expect(code).toBe(78);
    expect(stdout).toMatch(/^ok {6}settings/m);
    expect(stdout).toMatch(/^ok {6}topic +clicks has 4 partitions$/m);
    expect(stdout).toMatch(/^failed {2}table +LAKE_UNWRITABLE: .*\n +→ /m);
  });
});

/** A table's place that can't be written, for root neither. */
async function fileInTheWay(): Promise<string> {
  const path = join(rig.folder, 'in-the-way');
  await writeFile(path, '');
  await chmod(path, 0o444);
  return join(path, 'lake');
}
