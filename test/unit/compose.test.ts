import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

/** config/compose.yaml is not run here: there is no Docker. It is held against the schema of Compose files, and what it says. */

const FILE = 'config/compose.yaml';
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

it('is a Compose file, to the linter too', () => {
  expect(problemsOf(FILE)).toEqual([]);
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
