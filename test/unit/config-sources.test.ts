import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ConfigFlags } from '#src/config/flags.js';
import { loadConfig, resolveConfig } from '#src/config/load.js';
import { resolveBrokers } from '#src/config/load-brokers.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { NEEDED, SURROUNDINGS } from './config-cases.js';

const folder = mkdtempSync(join(tmpdir(), 'headrace-sources-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BASE = { name: '/etc/headrace/base.yaml', text: NEEDED };
const over = (text: string) => ({ name: '/srv/site/over.yaml', text });

function resolve(files: Parameters<typeof resolveConfig>[0], environment = {}, flags: ConfigFlags = {}) {
  return resolveConfig(files, flags, { ...SURROUNDINGS, environment });
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return String(error);
  }
  return 'it was taken';
}

describe('what wins', () => {
  it('defaults < file < later file < environment < flags', () => {
    const file = over('cut_interval: 2s\n');
    expect(resolve(BASE).cutIntervalMs).toBe(1_000);
    expect(resolve([BASE, file]).cutIntervalMs).toBe(2_000);
    expect(resolve([BASE, file, over('cut_interval: 3s\n')]).cutIntervalMs).toBe(3_000);
    const environment = { HEADRACE__CUT_INTERVAL: '4s' };
    expect(resolve([BASE, file], environment).cutIntervalMs).toBe(4_000);
    expect(resolve([BASE, file], environment, { cutInterval: '5s' }).cutIntervalMs).toBe(5_000);
  });

  it('maps of files are joined, lists and values are replaced', () => {
    const first = { ...BASE, text: NEEDED.replace('localhost:9092', '[a:1, b:2]') };
    const later = over('kafka: {brokers: [c:3], librdkafka: {debug: all}}\n');
    const { kafka } = resolve([first, later]);
    expect(kafka).toMatchObject({ brokers: ['c:3'], topic: 'clicks', librdkafka: { debug: 'all' } });
  });

  it('an overlay that leaves a setting empty leaves it as it was', () => {
    expect(resolve([BASE, over('kafka:\n  rack:\ncut_interval:\n')]).kafka.topic).toBe('clicks');
  });
});

describe('the environment', () => {
  it('is read as a setting takes it: text as it is, the rest as in YAML', () => {
    const config = resolve(BASE, {
      HEADRACE__KAFKA__GROUP: '42',
      HEADRACE__KAFKA__BROKERS: 'a:1,b:2',
      HEADRACE__KAFKA__LIBRDKAFKA: '{socket.timeout.ms: 5000}',
      HEADRACE__WORKERS: '3',
      HEADRACE__LAKE__S3__PATH_STYLE: 'true',
      HEADRACE__LAKE__MAINTENANCE__CLUSTER_BY: '[country]',
      HEADRACE__QUALITY__MIN: '0.5',
      HEADRACE__LOG__LEVEL: '',
      HEADRACE_CRASH_POINT: 'something else',
      PATH: '/bin',
    });
    expect(config.kafka).toMatchObject({
      group: '42',
      brokers: ['a:1', 'b:2'],
      librdkafka: { 'socket.timeout.ms': 5_000 },
    });
    expect(config.workers).toBe(3);
    expect(config.lake.s3.pathStyle).toBe(true);
    expect(config.maintenance.clusterBy).toEqual(['country']);
    expect(config.quality?.min).toBe(0.5);
    expect(config.log.level).toBe('info');
  });

  it('alone is enough for an engine', () => {
    const config = resolve(undefined, {
      HEADRACE__KAFKA__BROKERS: 'b:9092',
      HEADRACE__KAFKA__TOPIC: 't',
      HEADRACE__KAFKA__GROUP: 'g',
      HEADRACE__MODEL: 'clickstream',
      HEADRACE__LAKE__PATH: './lake',
    });
    expect(config.lake.path).toBe('/work-folder/lake');
  });

  it('names its variable where something is wrong, and never what it holds where that may be a secret', () => {
    expect(refusal(() => resolve(BASE, { HEADRACE__CUT_INTERVAL: '10' }))).toBe(
      'CONFIG_INVALID: HEADRACE__CUT_INTERVAL (cut_interval): 10 has no unit: write 10s if you mean that',
    );
    expect(refusal(() => resolve(BASE, { HEADRACE__KAFKA__TOPPIC: 'x' }))).toMatch(
      /^CONFIG_INVALID: HEADRACE__KAFKA__TOPPIC \(kafka.toppic\): no such setting; did you mean kafka.topic\?/,
    );
    const secret = refusal(() => resolve(BASE, { HEADRACE__KAFKA__SECURITY__PASSWORD: 'hunter2' }));
    expect(secret).toMatch(/HEADRACE__KAFKA__SECURITY__PASSWORD .*set kafka\.security\.password_file/);
    expect(secret).not.toContain('hunter2');
  });

  it('reaches the commands that read a part of a file', () => {
    const environment = { HEADRACE__KAFKA__BROKERS: 'e:1', HEADRACE__CLICKHOUSE__URL: 'http://e:8123' };
    expect(resolveBrokers(BASE, {}, environment).brokers).toEqual(['e:1']);
    expect(resolveClickHouseConfig(BASE, {}, '/', environment).clickhouse.url).toBe('http://e:8123');
  });
});

describe('several files', () => {
  it('each has its own lines, and its own folder', () => {
    const { lake, clickhouse } = resolve([
      BASE,
      over('clickhouse:\n  url: http://ch:8123\n  password_file: ./secret\n'),
    ]);
    expect(lake.path).toBe('/etc/headrace/lake');
    expect(clickhouse?.passwordFile).toBe('/srv/site/secret');
    const said = refusal(() =>
      resolve([{ ...BASE, text: NEEDED.concat('workers: many\n') }, over('\ncut_interval: soon\n')]),
    );
    expect(said.split('\n')).toEqual([
      'CONFIG_INVALID: 2 problems in the configuration',
      expect.stringMatching(/^ {2}\/etc\/headrace\/base\.yaml:8: workers: /),
      expect.stringMatching(/^ {2}\/srv\/site\/over\.yaml:2: cut_interval: /),
    ]);
  });

  it('are given with commas, and one that is not there is told', () => {
    const [a, b] = [join(folder, 'a.yaml'), join(folder, 'b.yaml')];
    writeFileSync(a, NEEDED);
    writeFileSync(b, 'workers: 1\n');
    expect(loadConfig({ file: `${a}, ${b}`, flags: {} }).workers).toBe(1);
    expect(refusal(() => loadConfig({ file: `${a},${b}.gone`, flags: {} }))).toMatch(
      /--config .*b\.yaml\.gone: there is no such file/,
    );
  });
});
