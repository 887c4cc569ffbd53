import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '#src/clickhouse/compare.js';
import { schemaOf } from '#src/clickhouse/schema.js';
import { targetOf } from '#src/clickhouse/target.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { type ClickHouseFront, startClickHouseFront } from '#src/embedded/clickhouse-front.js';
import { loadModel } from '#src/model/load.js';
import { ClickHouseRig } from '../support/clickhouse-rig.js';

/** What would be run on a cluster and in ClickHouse Cloud: no such server is here, so a ClickHouse parses each statement. */

let front: ClickHouseFront;
beforeAll(async () => {
  front = await startClickHouseFront();
});
afterAll(async () => {
  await front.stop();
});

const NOTHING = {
  hasDatabase: false,
  tables: new Map(),
  windowDefaults: new Map(),
  viewTargets: new Map(),
  applied: null,
};

function statementsOf(more: string, name: string) {
  const text = `model: ${name}\nclickhouse: {url: "${front.url}", ${more}}\n`;
  const { clickhouse } = resolveClickHouseConfig({ name: 'engine.yaml', text }, {}, '/');
  const model = loadModel(name);
  const target = targetOf(clickhouse, model);
  return { target, model, steps: compare(schemaOf(target, model), NOTHING) };
}

const KEPT = 'retention_months: 24, cold_after_months: 3, storage_policy: headrace_tiered';

describe('statements for other kinds of ClickHouse', () => {
  it.each([
    ['kind: cluster, cluster: main', 'web_clicks'],
    [`kind: cluster, cluster: main, ${KEPT}`, 'clickstream'],
    ['kind: cloud', 'web_clicks'],
    [`kind: single, ${KEPT}`, 'clickstream'],
  ])('%s: each is one that ClickHouse parses (%s)', { timeout: 200_000 }, async (more, name) => {
    const { target, model, steps } = statementsOf(more, name);
    const rig = new ClickHouseRig(target, model);
    try {
      expect(steps.length).toBeGreaterThan(30);
      for (const { statement } of steps) {
        if (!/^INSERT/.test(statement)) await rig.sql(`EXPLAIN AST ${statement}`);
      }
    } finally {
      await rig.close();
    }
  });

  it('of a cluster are for all its servers, replicated, and spread by the session', () => {
    const statements = statementsOf('kind: cluster, cluster: main', 'web_clicks').steps.map(
      ({ statement }) => statement,
    );
    const all = statements.filter((statement) => !/^INSERT/.test(statement));
    expect(all.filter((statement) => !statement.includes('ON CLUSTER `main`'))).toEqual([]);
    const text = all.join('\n');
    expect(text).toContain("ReplicatedVersionedCollapsingMergeTree('/clickhouse/tables/{shard}");
    expect(text).toContain('`session_metrics_local`, cityHash64(`session_id`, `session_start`))');
    expect(text).not.toContain('non_replicated_deduplication_window');
    expect(text).toContain('replicated_deduplication_window = 100000');
  });
});

describe('the words of a warehouse', () => {
  const refused = (more: string) => () => statementsOf(more, 'web_clicks');

  it('are refused where they contradict each other', () => {
    expect(refused('kind: cluster')).toThrow(/clickhouse\.cluster: is not set/);
    expect(refused('cluster: main')).toThrow(/is for kind: cluster, and kind is single/);
    expect(refused('retention_months: 3, cold_after_months: 3')).toThrow(
      /must be less than retention_months/,
    );
    expect(refused('user: a, user_file: b')).toThrow(/says the same as user/);
    expect(refused('cert_file: a')).toThrow(/belong together/);
    expect(refused('ca_file: a')).toThrow(/has no TLS/);
  });

  it('name several hosts only where they are replicas', () => {
    const hosts = 'url: ["http://a:8123", "http://b:8123"]';
    const load = (more: string) =>
      resolveClickHouseConfig(
        { name: 'engine.yaml', text: `model: web_clicks\nclickhouse: {${hosts}${more}}\n` },
        {},
        '/',
      ).clickhouse;
    expect(() => load('')).toThrow(/names several hosts, which must be replicas/);
    expect(load(', kind: cloud').urls).toEqual(['http://a:8123', 'http://b:8123']);
  });
});
