import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingPaths } from '#src/config/schema.js';
import { runCommandLine } from '../support/run-command.js';

/** `headrace config print`: what holds, why, and no secret. */
let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-config-'));
  file = join(folder, 'engine.yaml');
  await writeFile(
    file,
    `kafka:
  brokers: [a:9092, b:9092]
  topic: clicks
  group: g
  librdkafka: { "socket.timeout.ms": 6000, "some.vendor.api.key": hunter2 }
model: clickstream
lake: { path: ./lake, s3: { secret_access_key_file: key, access_key_id_file: id } }
clickhouse: { url: "http://ch:8123", password_file: pass }
`,
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Setting {
  path: string;
  value: unknown;
  origin: string | null;
}

describe('headrace config print', () => {
  it('has every setting once, each with its value and what gave it', async () => {
    const args = ['config', 'print', '--config', file, '--topic', 'others', '--workers', '2', '--json'];
    const { code, stdout, stderr } = await runCommandLine(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { settings } = JSON.parse(stdout) as { settings: Setting[] };
    const of = (path: string) => settings.find((each) => each.path === path);
    expect(of('kafka.topic')).toEqual({ path: 'kafka.topic', value: 'others', origin: '--topic' });
    expect(of('kafka.brokers')).toMatchObject({ value: ['a:9092', 'b:9092'], origin: `${file}:2` });
    expect(of('workers')).toMatchObject({ value: 2, origin: '--workers' });
    expect(of('cut_interval')).toEqual({ path: 'cut_interval', value: '1s', origin: null });
    expect(of('http.listen')).toMatchObject({ value: 'auto', origin: null });
    expect(of('clickhouse.table')).toMatchObject({ value: 'session_metrics', origin: null });
    expect(of('output')).toEqual({ path: 'output', value: null, origin: null });
    const paths = settings.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    // every setting of the schema is there, or the section that is off
    const known = settingPaths().map((path) => path.join('.'));
    const isLeaf = (path: string) => !known.some((other) => other.startsWith(`${path}.`));
    for (const path of known.filter(isLeaf).filter((each) => !each.startsWith('output.')))
      expect(paths).toContain(path);
  });

  it('shows paths of secrets and no secret, as text for people too', async () => {
    const { code, stdout } = await runCommandLine(['config', 'print', '--config', file]);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/hunter2/);
    expect(stdout).toMatch(/"some\.vendor\.api\.key":"\[redacted\]"/);
    expect(stdout).toMatch(/^clickhouse\.password_file +pass +.*engine\.yaml:8$/m);
    expect(stdout).toMatch(/^limits\.session_memory_bytes +auto \(\d+ here\) +default$/m);
  });

  it('refuses what run would refuse, with the same words', async () => {
    const bad = ['--config', file, '--cut-interval', '5'];
    const [print, run] = await Promise.all([
      runCommandLine(['config', 'print', ...bad]),
      runCommandLine(['run', ...bad]),
    ]);
    expect(print).toEqual({ code: 78, stdout: '', stderr: run.stderr });
  });
});
