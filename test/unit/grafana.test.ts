import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildCli, type CliSurroundings } from '#src/commands/cli.js';
import { exposedMetrics } from '../support/exposed-metrics.js';
import {
  alertFindings,
  alertSections,
  alertsIn,
  type Dashboard,
  dashboardFindings,
} from '../support/grafana-files.js';
import { checkExpression } from '../support/promql.js';

const FOLDER = 'config/grafana';
const SCHEMA_VERSION = 42;

const exposed = await exposedMetrics();
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const dashboard = (name: string) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Dashboard;
const rules = readFileSync(join(FOLDER, 'alerts.yaml'), 'utf8');
const sections = alertSections(readFileSync('README.md', 'utf8'));

describe('dashboards for Grafana', () => {
  it.each(files)('%s asks for what an engine exposes, in every panel', (name) => {
    expect(dashboardFindings(dashboard(name), exposed)).toEqual([]);
  });

  it.each(files)(
    '%s is of the current schema, has an address of its own and chooses source, job, topic and engine',
    (name) => {
      const { uid, schemaVersion, templating, panels } = dashboard(name);
      expect(schemaVersion).toBe(SCHEMA_VERSION);
      expect(uid).toMatch(/^headrace-/);
      expect(templating.list.map((variable) => variable.name)).toEqual([
        'datasource',
        'job',
        'topic',
        'instance',
      ]);
      expect(panels.length).toBeGreaterThan(10);
      const ids = panels.map((panel) => (panel as unknown as { id: number }).id);
      expect(new Set(ids).size).toBe(ids.length);
    },
  );

  it('shows each group of figures by which such a pipeline is judged', () => {
    const rows = dashboard('overview.json').panels.filter(({ type }) => type === 'row');
    expect(rows.map(({ title }) => title)).toEqual(['Now', 'Throughput', 'Latency', 'Resources', 'Quality']);
  });
});

describe('alerts for Prometheus', () => {
  const alerts = alertsIn(rules);

  it('ask for what an engine exposes, and each has its section in the README', () => {
    expect(alertFindings(alerts, sections, exposed)).toEqual([]);
    expect(alerts.length).toBeGreaterThan(10);
  });

  it('have names of their own', () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  });

  it('send operators to panels that there are', () => {
    const titles = new Set(files.flatMap((name) => dashboard(name).panels.map(({ title }) => title)));
    const told = [...sections.values()].flatMap((section) =>
      [...section.replace(/\s+/g, ' ').matchAll(/(?<!\*)\*([A-Z][^*]+)\*(?!\*)/g)].map(([, title]) => title!),
    );
    expect(told.length).toBeGreaterThan(5);
    expect(told.filter((title) => !titles.has(title))).toEqual([]);
  });

  it('send operators to commands that there are, with flags that they take', () => {
    const told = [...sections.values()].flatMap((section) =>
      [...section.matchAll(/`headrace ([^`]+)`/g)].map(([, words]) => words!),
    );
    expect(told.length).toBeGreaterThan(10);
    for (const words of told) expect(unknownIn(words), words).toEqual([]);
    expect(unknownIn('ledger stats --config engine.yaml')).toEqual(['stats']);
    expect(unknownIn('ledger status --confg engine.yaml')).toEqual(['--confg']);
  });
});

describe('what is wrong is found', () => {
  const planted: [string, RegExp][] = [
    ['rate(headrace_event_total[5m])', /no metric headrace_event_total/],
    ['headrace_lane_lag_events{lane="1"}', /no label lane/],
    ['sum by (topic) (headrace_lane_lag_events)', /no label topic/],
    ['sum by (job) (rate(headrace_events_total[5m])', /no PromQL/],
    ['rate(headrace_lag_events[5m])', /is a gauge/],
    ['deriv(headrace_events_total[5m])', /no gauge/],
    ['histogram_quantile(0.9, sum by (job) (rate(headrace_close_lag_seconds_bucket[5m])))', /no label le/],
    ['headrace_lane_lag_events > kafka_consumergroup_lag', /nothing meets/],
    ['headrace_lag_events * on (topic) group_left headrace_info', /no label topic/],
  ];

  it.each(planted)('%s', (expression, says) => {
    expect(checkExpression(expression, exposed).findings).toEqual([expect.stringMatching(says)]);
  });

  it('and says which labels a result has', () => {
    const labelsOf = (expression: string) => {
      const { findings, labels } = checkExpression(expression, exposed);
      expect(findings).toEqual([]);
      return [...labels].sort();
    };
    expect(labelsOf('topk(3, headrace_lane_lag_events > 1)')).toEqual([
      'instance',
      'job',
      'partition',
      'worker',
    ]);
    expect(labelsOf('sum by (job) (rate(headrace_events_total[5m])) / 2')).toEqual(['job']);
    expect(labelsOf('headrace_lag_events * on (job, instance) group_left (topic) headrace_info')).toEqual([
      'instance',
      'job',
      'topic',
    ]);
    expect(labelsOf('sum(headrace_lag_events)')).toEqual([]);
  });

  it('in a dashboard: a metric, a panel without a query, a variable, a legend', () => {
    const wrong = dashboard('overview.json');
    const shown = wrong.panels.filter(({ type }) => type !== 'row');
    shown[0]!.targets![0]!.expr = 'headrace_reddy{job=~"$job", instance=~"$instance"}';
    shown[1]!.targets = [];
    shown[2]!.targets![0]!.expr = 'headrace_ready{job=~"$job", instance=~"$engine", instance=~"$instance"}';
    shown[3]!.targets![0]!.legendFormat = '{{partition}}';
    wrong.templating.list[1]!.query = 'label_values(headrace_inf, job)';
    expect(dashboardFindings(wrong, exposed)).toEqual([
      expect.stringContaining('$job: no metric headrace_inf'),
      expect.stringContaining('no label job'),
      expect.stringContaining('no metric headrace_reddy'),
      expect.stringContaining('no query'),
      expect.stringContaining('no variable $engine'),
      expect.stringContaining('no label partition for its legend'),
    ]);
  });

  it('in alerts: a metric, a label that the result lacks, an alert without a section, a section without an alert', () => {
    const alerts = alertsIn(rules).slice(0, 3);
    alerts[0]!.expr = 'upp == 0';
    alerts[1]!.annotations.summary = '{{ $labels.partition }}';
    const known = new Map(alerts.map(({ alert }) => [alert, '']));
    known.delete(alerts[2]!.alert);
    known.set('HeadraceGone', '');
    const found = alertFindings(alerts, known, exposed);
    expect(found).toContainEqual(expect.stringContaining('no metric upp'));
    expect(found).toContainEqual(expect.stringContaining('no label partition for its summary'));
    expect(found).toContainEqual(expect.stringContaining('no section in the README'));
    expect(found).toContainEqual(expect.stringContaining('HeadraceGone: a section for no alert'));
  });
});

/** Words of a command line that name no command or flag. */
function unknownIn(words: string): string[] {
  const unused = {
    run: never,
    demo: never,
    clickhouseMigrate: never,
  } as unknown as CliSurroundings['loaders'];
  const cli = buildCli({ loaders: unused, stdout: never, stderr: never }, { exitCode: 0, stacks: false });
  let command: Command = cli;
  const unknown: string[] = [];
  const given = words.split(' ');
  for (const [index, word] of given.entries()) {
    if (word.startsWith('-')) {
      if (!command.options.some(({ long }) => long === word)) unknown.push(word);
      continue;
    }
    const next = command.commands.find((each) => each.name() === word);
    if (next !== undefined) command = next;
    else if (command.commands.length > 0 && !given[index - 1]?.startsWith('-')) return [word];
  }
  return unknown;
}

function never(): never {
  throw new Error('nothing is run here');
}
