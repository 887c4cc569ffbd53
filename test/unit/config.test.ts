import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ConfigFlags } from '#src/config/flags.js';
import { PLAINTEXT } from '#src/config/kafka-security.js';
import { loadConfig, resolveConfig } from '#src/config/load.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { coresOfQuota, thisMachine } from '#src/config/machine.js';
import { configSchema, settingPaths } from '#src/config/schema.js';
import { NEEDED, SURROUNDINGS } from './config-cases.js';

const resolve = (text: string, flags: ConfigFlags = {}, name = 'engine.yaml') =>
  resolveConfig({ name, text }, flags, SURROUNDINGS);
const ALL_FIVE: ConfigFlags = {
  brokers: 'b:9092',
  topic: 't',
  group: 'g',
  model: 'clickstream',
  lake: './lake',
};
const shipped = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../config/${name}`, import.meta.url)), 'utf8');
/** Lines of a section that is off begin with # and a name, those of its settings and remarks with # and two spaces. */
const withSectionsOn = (text: string) => text.replace(/^#(?=[a-z]+:| {2})/gm, '');

describe('the shipped files', () => {
  it('default.yaml says exactly what the defaults are', () => {
    const example = resolve(shipped('default.yaml'));
    const needed = resolve(
      NEEDED.replace('clicks', 'clickstream_events').replace('group: g', 'group: headrace'),
    );
    expect(example).toEqual(needed);
  });

  it('default.yaml shows every setting, the sections that are off by default behind #', () => {
    const shown = parse(withSectionsOn(shipped('default.yaml'))) as Record<string, unknown>;
    for (const path of settingPaths()) {
      const value = path.reduce<unknown>((map, key) => (map as Record<string, unknown>)[key], shown);
      expect(value, path.join('.')).not.toBe(undefined);
    }
  });

  it('default.yaml says what the defaults of the sections are that are off', () => {
    const example = resolve(withSectionsOn(shipped('default.yaml')));
    const needed = resolve(
      NEEDED.replace('clicks', 'clickstream_events')
        .replace('group: g', 'group: headrace')
        .concat('clickhouse: {url: "http://localhost:8123"}\noutput: {}\n'),
    );
    expect(example.clickhouse).not.toBe(null);
    expect(example.output).not.toBe(null);
    expect(example).toEqual(needed);
  });

  it('production.yaml is valid', () => {
    const config = resolve(shipped('production.yaml'));
    expect(config.kafka.brokers).toHaveLength(3);
    expect(config.lake).toMatchObject({
      path: 's3://session-metrics/sessions',
      s3: { secretAccessKeyFile: '/etc/headrace/s3-secret-access-key' },
    });
  });
});

describe('a resolved configuration', () => {
  it('has units in its names and defaults where nothing was said', () => {
    expect(resolve(NEEDED)).toEqual({
      kafka: {
        brokers: ['localhost:9092'],
        topic: 'clicks',
        group: 'g',
        groupProtocol: 'classic',
        sessionTimeoutMs: 10_000,
        instanceId: null,
        clientId: 'headrace',
        rack: null,
        start: 'earliest',
        acceptGaps: [],
        acceptTopic: null,
        isolation: 'read_committed',
        security: PLAINTEXT,
        librdkafka: {},
      },
      fetch: {
        partitionBytes: 2 ** 20,
        inFlightBytes: 2 ** 26,
        responseBytesMax: 2 ** 27,
        maxWaitMs: 500,
      },
      model: 'clickstream',
      lake: {
        path: '/work-folder/lake',
        s3: {
          endpoint: null,
          region: null,
          pathStyle: 'auto',
          accessKeyIdFile: null,
          secretAccessKeyFile: null,
          sessionTokenFile: null,
          requestTimeoutMs: 10_000,
        },
      },
      maintenance: {
        foldIntervalMs: 3_600_000,
        compactIntervalMs: 3_600_000,
        vacuumIntervalMs: 86_400_000,
        vacuumRetentionMs: 7 * 86_400_000,
        expireAfterMs: null,
        archiveAfterMs: null,
        archiveTo: null,
        smallFileBytes: 2 ** 26,
        targetFileBytes: 2 ** 27,
        filesMin: 8,
        clusterBy: 'auto',
        ioBytesPerSecond: 2 ** 25,
        memoryBytes: 2 ** 29,
      },
      clickhouse: null,
      output: null,
      quality: null,
      http: {
        host: '127.0.0.1',
        port: null,
        tokenFile: null,
        hosts: [],
        connectionsMax: 64,
        streamsMax: 16,
      },
      cutIntervalMs: 1_000,
      snapshotIntervalMs: 30_000,
      drainTimeoutMs: 25_000,
      workers: 3,
      engine: 'kernel',
      limits: {
        ringBytes: 2 ** 26,
        sessionMemoryBytes: 2 ** 30,
        cutsInFlight: 4,
        recordBytesMax: 2 ** 24,
        decompressedBatchBytesMax: 2 ** 27,
      },
      log: { level: 'info', format: 'auto' },
    });
  });

  it('has a least quality where one is set, by the file or a flag', () => {
    expect(resolve(`${NEEDED}quality: {min: 0.5}\n`).quality).toEqual({
      min: 0.5,
      overMs: 60_000,
      eventsMin: 1_000,
    });
    expect(resolve(`${NEEDED}quality: {min: 0.5}\n`, { qualityMin: 'off' }).quality).toBeNull();
    expect(resolve(NEEDED, { qualityMin: '.9' }).quality).toMatchObject({ min: 0.9 });
    expect(() => resolve(NEEDED, { qualityMin: '90%' })).toThrow(
      /--quality-min \(quality\.min\): must be a number from 0 to 1 or off, not "90%"/,
    );
    expect(() => resolve(`${NEEDED}quality: {min: 2}\n`)).toThrow(
      /quality\.min: must be a number from 0 to 1/,
    );
  });

  it('has ClickHouse where the section is there, with everything it needs', () => {
    const text = `${NEEDED}clickhouse: {url: "HTTP://CH-1:8123/", password_file: ch.secret}\n`;
    const config = resolve(text, {}, '/etc/headrace/engine.yaml');
    expect(config.clickhouse).toEqual({
      url: 'http://ch-1:8123',
      urls: ['http://ch-1:8123'],
      database: null,
      table: 'session_metrics',
      user: 'default',
      userFile: null,
      passwordFile: '/etc/headrace/ch.secret',
      tls: { caFile: null, certFile: null, keyFile: null },
      requestTimeoutMs: 30_000,
      keptBytes: 2 ** 26,
      settings: {},
      warehouse: {
        views: 'all',
        exactEveryMs: 600_000,
        retentionMonths: null,
        coldAfterMonths: null,
        coldVolume: 'cold',
        storagePolicy: null,
        kind: 'single',
        cluster: null,
      },
    });
    expect(resolve(text, { clickhousePasswordFile: 'mine' }).clickhouse?.passwordFile).toBe(
      '/work-folder/mine',
    );
  });

  it('takes addresses of ClickHouse with a name, an IPv4 and an IPv6 address', () => {
    for (const url of ['https://ch.example.org:8443', 'http://127.0.0.1:8123', 'http://[::1]:8123']) {
      expect(resolve(NEEDED, { clickhouse: url }).clickhouse?.url).toBe(url);
    }
  });

  it('cannot be changed, not even deep inside', () => {
    const config = resolve(NEEDED.replace('group: g', 'group: g\n  librdkafka: {debug: all}'));
    expect(() => Object.assign(config.kafka.librdkafka, { debug: 'none' })).toThrow(TypeError);
    expect(() => Object.assign(config.kafka.brokers, ['x'])).toThrow(TypeError);
    expect(() => Object.assign(config, { workers: 9 })).toThrow(TypeError);
  });

  it('takes brokers as one text with commas or as a list, each once', () => {
    const list = '[b-1:9092, "[::1]:9093", b-1:9092]';
    expect(resolve(NEEDED.replace('localhost:9092', list)).kafka.brokers).toEqual(['b-1:9092', '[::1]:9093']);
    expect(resolve(NEEDED, { brokers: 'b-1:9092, b-2:9092,' }).kafka.brokers).toEqual([
      'b-1:9092',
      'b-2:9092',
    ]);
  });

  it('takes an empty setting as one that is not set', () => {
    const config = resolve(`${NEEDED}fetch:\ncut_interval:\n`.replace('group: g', 'group: g\n  rack:'));
    expect(config).toEqual(resolve(NEEDED));
  });

  it('passes librdkafka properties on as they are', () => {
    const properties = 'socket.keepalive.enable: true, statistics.interval.ms: 1000, debug: cgrp';
    const config = resolve(NEEDED.replace('group: g', `group: g\n  librdkafka: {${properties}}`));
    expect(config.kafka.librdkafka).toEqual({
      'socket.keepalive.enable': true,
      'statistics.interval.ms': 1000,
      debug: 'cgrp',
    });
  });

  it('takes paths in the file from its folder and paths in flags from the working folder', () => {
    const text = NEEDED.replace('model: clickstream', 'model: models/mine.yaml');
    const fromFile = resolve(text, {}, '/etc/headrace/engine.yaml');
    expect(fromFile.lake.path).toBe('/etc/headrace/lake');
    expect(fromFile.model).toBe('/etc/headrace/models/mine.yaml');
    const fromFlags = resolve(text, { lake: 'lake', model: './mine.yml' }, '/etc/headrace/engine.yaml');
    expect(fromFlags.lake.path).toBe('/work-folder/lake');
    expect(fromFlags.model).toBe('/work-folder/mine.yml');
    expect(resolve(text, { lake: 'file:///data/a%20b' }).lake.path).toBe('/data/a b');
  });

  it('leaves one core to the main thread with workers auto', () => {
    const workers = (cores: number) =>
      resolveConfig(undefined, ALL_FIVE, { ...SURROUNDINGS, machine: { cores, memoryBytes: 2 ** 36 } })
        .workers;
    expect([workers(1), workers(2), workers(16)]).toEqual([1, 1, 15]);
  });

  it('has a JSON schema for editors, with defaults as they are written', () => {
    const schema = z.toJSONSchema(configSchema, { io: 'input' });
    expect(schema).toMatchObject({
      additionalProperties: false,
      required: ['model'],
      properties: { cut_interval: { type: 'string', default: '1s' } },
    });
  });
});

describe('flags and file', () => {
  it('names output topics after the source topic, unless they have names', () => {
    expect(resolve(`${NEEDED}output: {dead_letters: bad}\n`).output).toEqual({
      topic: 'clicks_enriched',
      deadLetters: 'bad',
      positions: 'clicks_positions',
      missingPosition: 'halt',
    });
  });

  it('refuses to write where it reads, or two things into one topic', () => {
    expect(() => resolve(`${NEEDED}output: {topic: clicks}\n`)).toThrow(/output\.topic.*kafka\.topic/);
    expect(() => resolve(`${NEEDED}output: {positions: clicks_dlq}\n`)).toThrow(
      /output\.positions.*dead_letters/,
    );
  });

  it('five flags are enough', () => {
    const config = resolveConfig(undefined, ALL_FIVE, SURROUNDINGS);
    expect(config.kafka).toMatchObject({ brokers: ['b:9092'], topic: 't', group: 'g' });
  });

  const winning: [ConfigFlags, (config: ReturnType<typeof resolve>) => unknown, unknown][] = [
    [{ brokers: 'x:1' }, (config) => config.kafka.brokers, ['x:1']],
    [{ topic: 'x' }, (config) => config.kafka.topic, 'x'],
    [{ group: 'x' }, (config) => config.kafka.group, 'x'],
    [{ model: 'x' }, (config) => config.model, 'x'],
    [{ lake: '/x' }, (config) => config.lake.path, '/x'],
    [{ clickhouse: 'http://x:1' }, (config) => config.clickhouse?.url, 'http://x:1'],
    [{ clickhouseDatabase: 'x' }, (config) => config.clickhouse?.database, 'x'],
    [{ clickhouseUser: 'x' }, (config) => config.clickhouse?.user, 'x'],
    [{ clickhousePasswordFile: '/x' }, (config) => config.clickhouse?.passwordFile, '/x'],
    [{ missingPosition: 'latest' }, (config) => config.output?.missingPosition, 'latest'],
    [{ workers: '7' }, (config) => config.workers, 7],
    [{ workers: 'auto' }, (config) => config.workers, 3],
    [{ engine: 'reference' }, (config) => config.engine, 'reference'],
    [{ groupProtocol: 'classic' }, (config) => config.kafka.groupProtocol, 'classic'],
    [{ start: 'earliest' }, (config) => config.kafka.start, 'earliest'],
    [{ cutInterval: '2s' }, (config) => config.cutIntervalMs, 2_000],
    [{ logLevel: 'debug' }, (config) => config.log.level, 'debug'],
    [{ json: true }, (config) => config.log.format, 'json'],
    [{ json: false }, (config) => config.log.format, 'pretty'],
  ];
  it.each(winning)('%o wins over the file', (flags, read, expected) => {
    const file = NEEDED.replace('group: g', 'group: g\n  start: latest\n  group_protocol: consumer').concat(
      'clickhouse: {url: "http://ch:8123", database: d, user: u}\nworkers: 2\nlimits: {session_memory_bytes: 64MiB}\ncut_interval: 5s\nlog: {level: warn, format: pretty}\n',
    );
    const config = resolve(file, flags);
    expect(read(config)).toEqual(expected);
    // and nothing else is touched
    const changed = Object.entries(config).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(resolve(file)[name as keyof typeof config]),
    );
    expect(changed.length).toBeLessThanOrEqual(1);
  });

  it('a wrong flag is named as the flag, a wrong line as the line', () => {
    const both = () => resolve(`${NEEDED}cut_interval: 5\n`, { workers: 'few', groupProtocol: 'clasic' });
    expect(both).toThrow(/--workers \(workers\): must be auto or a whole number/);
    expect(both).toThrow(/--group-protocol \(kafka\.group_protocol\): .* did you mean classic\?/);
    expect(both).toThrow(/engine\.yaml:8: cut_interval: 5 has no unit/);
  });

  it('a violated relation names the flag that caused it', () => {
    expect(() => resolve(NEEDED, { cutInterval: '50s' })).toThrow(
      /--cut-interval \(cut_interval\): 50s must be at most snapshot_interval \(30s\)/,
    );
  });

  it('without a file and with some flags, the missing ones are named with an example', () => {
    const partly = () => resolveConfig(undefined, { brokers: 'b:9092', topic: 't' }, SURROUNDINGS);
    expect(partly).toThrow(/3 problems/);
    expect(partly).toThrow(/--group\n.*--model\n.*--lake.*ledger lives in the sessions table/);
    expect(partly).toThrow(/for example: headrace run --brokers localhost:9092/);
  });

  it('a flag does not hide that its section is no map', () => {
    expect(() => resolve('kafka: localhost\nmodel: m\nlake: {path: x}\n', { topic: 't' })).toThrow(
      /kafka: must be a map of settings, not text/,
    );
  });
});

describe('what preparing ClickHouse needs', () => {
  const settings = (text: string | undefined, flags: ConfigFlags = {}) =>
    resolveClickHouseConfig(
      text === undefined ? undefined : { name: 'engine.yaml', text },
      flags,
      SURROUNDINGS.workingFolder,
    );

  it('is the model and where ClickHouse is, by flags alone', () => {
    const { model, clickhouse } = settings(undefined, {
      model: './mine.yaml',
      clickhouse: 'http://ch:8123',
      clickhouseDatabase: 'd',
      clickhouseUser: 'admin',
      clickhousePasswordFile: 'admin.secret',
    });
    expect(model).toBe('/work-folder/mine.yaml');
    expect(clickhouse).toMatchObject({
      url: 'http://ch:8123',
      database: 'd',
      user: 'admin',
      passwordFile: '/work-folder/admin.secret',
    });
  });

  it('is in an engine’s file, whatever else is in there', () => {
    const file =
      'kafka: {}\nmodel: clickstream\nworkers: many\nclickhouse: {url: "http://ch:8123", table: t}\n';
    expect(settings(file).clickhouse.table).toBe('t');
    expect(settings(file, { clickhouse: 'http://other:8123' }).clickhouse.url).toBe('http://other:8123');
  });

  it('without one of the two is refused with the flag and an example', () => {
    expect(() => settings(NEEDED)).toThrow(
      /clickhouse\.url: is not set: give it in the file or as --clickhouse.*/,
    );
    expect(() => settings(undefined, { clickhouse: 'http://ch:8123' })).toThrow(/model: is not set.*--model/);
    const failure = expect.objectContaining({ remedy: expect.stringMatching(/headrace clickhouse migrate/) });
    expect(() => settings(NEEDED)).toThrow(failure);
  });

  it('mistyped is not taken for absent', () => {
    expect(() => settings(`${NEEDED}clikhouse: {}\n`)).toThrow(/clikhouse: .* did you mean clickhouse\?/);
  });
});

describe('reading the file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headrace-config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('reads it, and this machine', () => {
    const file = join(folder, 'engine.yaml');
    writeFileSync(file, `${NEEDED}limits: {session_memory_bytes: 16MiB}\n`);
    const config = loadConfig({ file, flags: { workers: '1' } });
    expect(config.lake.path).toBe(join(folder, 'lake'));
    expect(thisMachine().cores).toBeGreaterThanOrEqual(1);
    expect(thisMachine().memoryBytes).toBeGreaterThan(2 ** 27);
  });

  it('says when there is none, or a folder, or something that is far too large', () => {
    expect(() => loadConfig({ file: join(folder, 'none.yaml'), flags: {} })).toThrow(/there is no such file/);
    expect(() => loadConfig({ file: folder, flags: {} })).toThrow(/is a folder/);
    const large = join(folder, 'large.yaml');
    writeFileSync(large, '#'.repeat(2 ** 20 + 1));
    expect(() => loadConfig({ file: large, flags: {} })).toThrow(/larger than 1MiB/);
  });

  it('knows the cores of a CPU quota', () => {
    expect(coresOfQuota('max 100000\n')).toBe(undefined);
    expect(coresOfQuota('250000 100000\n')).toBe(3);
    expect(coresOfQuota('50000 100000\n')).toBe(1);
    expect(coresOfQuota('')).toBe(undefined);
  });
});

describe('any text', () => {
  it('is accepted or refused with a ConfigError, never something else', () => {
    const word = fc.constantFrom(
      'kafka',
      'brokers',
      ':',
      '- ',
      '\n',
      '  ',
      '{',
      ']',
      '&a',
      '*a',
      '!t',
      '"',
      '1',
      '?',
      '|',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 30 }), (parts) => {
        expect(() => resolve(parts.join(''))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      }),
      { numRuns: 300 },
    );
  });
});

describe('places and gaps', () => {
  const kafkaOf = (more: string) => resolve(`${NEEDED.replace('  group: g\n', `  group: g\n${more}`)}`).kafka;

  it.each([
    ['latest', 'latest'],
    ['2026-01-31T12:00:00Z', { timestampMs: Date.UTC(2026, 0, 31, 12) }],
    ['2026-01-31T12:00:00.250+02:00', { timestampMs: Date.UTC(2026, 0, 31, 10, 0, 0, 250) }],
    ['2026-01-31T12:00', { timestampMs: Date.UTC(2026, 0, 31, 12) }],
    ['2026-01-31', { timestampMs: Date.UTC(2026, 0, 31) }],
  ])('start: %s', (text, start) => {
    expect(kafkaOf(`  start: ${text}\n`).start).toEqual(start);
  });

  it('gaps are a list, or one text with commas, with the offset behind the last', () => {
    const gaps = [
      { partition: 3, from: 100n, to: 200n },
      { partition: 0, from: 7n, to: 8n },
    ];
    expect(kafkaOf('  accept_gaps: [3:100-199, 0:7-7]\n').acceptGaps).toEqual(gaps);
    expect(kafkaOf('  accept_gaps: 3:100-199, 0:7-7\n').acceptGaps).toEqual(gaps);
  });
});
