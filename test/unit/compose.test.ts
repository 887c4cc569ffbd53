import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { JMX_AGENT_VERSION } from '../../config/setup/jmx-agent.mjs';

/** config/compose.yaml is not run here: there is no Docker. It is held against the schema of Compose files, and what it says. */

const FILE = 'config/compose.yaml';
const METRICS_FILE = 'config/compose.metrics.yaml';
const text = readFileSync(FILE, 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'headrace-compose-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The schema, and all rules of the linter but those of taste (orders and quotation marks). */
function problemsOf(path: string): string[] {
  const taste = {
    'service-dependencies-alphabetical-order': 0,
    'service-keys-order': 0,
    'service-ports-alphabetical-order': 0,
    'services-alphabetical-order': 0,
    'top-level-properties-order': 0,
    'require-quotes-in-ports': 0,
  } as const;
  const linter = new DCLinter({ rules: taste, quiet: false, debug: false, exclude: [] });
  const results = linter.lintFiles([path], false) as { messages: { rule: string; message: string }[] }[];
  return results.flatMap(({ messages }) => messages.map(({ rule, message }) => `${rule}: ${message}`));
}

interface Service {
  image: string;
  ports?: string[];
  volumes?: string[];
  environment?: Record<string, string | number>;
  healthcheck?: { test: string[] };
  restart?: string;
}

const compose = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: object };

it.each([FILE, METRICS_FILE])('%s is a Compose file, to the linter too', (file) => {
  expect(problemsOf(file)).toEqual([]);
});

it('and the linter would say so if it were none', () => {
  const broken = join(folder, 'compose.yaml');
  writeFileSync(broken, text.replace('hostname: kafka-2', 'hostnam: kafka-2'));
  expect(problemsOf(broken).join()).toMatch(/invalid-schema.*services\/kafka-2/);
  writeFileSync(broken, text.replace('19093:19093', '19092:19092'));
  expect(problemsOf(broken).join()).toMatch(/no-duplicate-exported-ports/);
});

describe('its services', () => {
  const brokers = [1, 2, 3].map((id) => [id, compose.services[`kafka-${id}`]!] as const);

  it('are named images of one version each, with a health check unless they end, on this machine only', () => {
    for (const [name, { image, ports = [], healthcheck, restart }] of Object.entries(compose.services)) {
      expect(image, name).toMatch(/^[\w./-]+:(?!latest)[\w.-]+$/);
      if (restart !== undefined) expect(healthcheck?.test.length, name).toBeGreaterThan(1);
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    }
  });

  it('are three brokers, the maintained page to look at them, MinIO and ClickHouse', () => {
    const images = Object.entries(compose.services).map(([name, { image }]) => [name, image.split(':')[0]]);
    expect(images).toEqual([
      ['kafka-1', 'apache/kafka'],
      ['kafka-2', 'apache/kafka'],
      ['kafka-3', 'apache/kafka'],
      ['kafka-ui', 'ghcr.io/kafbat/kafka-ui'],
      ['minio', 'minio/minio'],
      ['minio-bucket', 'minio/mc'],
      ['clickhouse', 'clickhouse/clickhouse-server'],
    ]);
    expect(text).not.toMatch(/ZOOKEEPER|zookeeper-/);
  });

  it('keep their data in volumes that are declared', () => {
    const named = Object.values(compose.services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(':')[0]!).filter((source) => !source.startsWith('.')),
    );
    expect(named.sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  it('are three voters that are brokers too, from the files that the test cluster starts from', () => {
    for (const [id, { environment, volumes, ports }] of brokers) {
      expect(environment).toMatchObject({
        KAFKA_NODE_ID: id,
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093',
        KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://kafka-${id}:9092,HOST://localhost:${19_091 + id}`,
      });
      expect(ports).toEqual([`127.0.0.1:${19_091 + id}:${19_091 + id}`]);
      expect(volumes).toContain('./kafka/broker.jvm:/etc/headrace/broker.jvm:ro');
      expect(volumes?.[0]).toMatch(/^\.\/kafka\/\$\{KAFKA_PROFILE:-standard}\.properties:/);
      expect(environment?.KAFKA_HEAP_OPTS).toMatch(/^@\/etc\/headrace\/broker\.jvm /);
    }
    const id = Buffer.from(String(brokers[0]![1].environment?.CLUSTER_ID), 'base64url');
    expect(id.length).toBe(16);
  });
});

it('the brokers of the other file have the JMX agent that the tests start one with, each at a port of its own', () => {
  const more = readFileSync(METRICS_FILE, 'utf8');
  const { services } = parse(more, { merge: true }) as typeof compose;
  expect(Object.keys(services)).toEqual(['kafka-1', 'kafka-2', 'kafka-3']);
  for (const [name, { environment, volumes = [] }] of Object.entries(services)) {
    const [, jar, rules] = /^-javaagent:(\S+)=9404:(\S+)$/.exec(String(environment?.KAFKA_OPTS))!;
    expect(volumes, name).toEqual([
      expect.stringMatching(new RegExp(`^\\$\\{JMX_AGENT:\\?.*\\}:${jar}:ro$`)),
      `./kafka/jmx-rules.yaml:${rules}:ro`,
    ]);
    // Kafka's tools inherit a container's environment: a second agent at the same port would end them
    expect(compose.services[name]!.healthcheck!.test.join(' ')).toContain(' KAFKA_OPTS= ');
  }
  const agents = Object.values(services).map(
    ({ ports }, at) => `${at + 1}=localhost:${ports![0]!.split(':')[1]}`,
  );
  expect(more).toContain(`--metrics ${agents.join(',')}`);
  expect(new Set(more.match(/\b\d+\.\d+\.\d+\b(?=\.jar|\/jmx)/g))).toEqual(new Set([JMX_AGENT_VERSION]));
});
