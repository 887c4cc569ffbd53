import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPS_TOPIC, OpsRig } from '../support/ops-rig.js';
import { runCommandLine } from '../support/run-command.js';

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
