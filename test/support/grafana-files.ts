import { parse } from 'yaml';
import { checkExpression, type ExposedMetrics } from './promql.js';

/** The shipped dashboards and alerts, held against what an engine exposes and what the README says. Each gives what is wrong. */

interface Target {
  expr?: string;
  legendFormat?: string;
}

interface Panel {
  title: string;
  type: string;
  datasource?: { uid: string };
  targets?: Target[];
  panels?: Panel[];
}

interface Variable {
  name: string;
  type: string;
  query: string | { query: string };
}

export interface Dashboard {
  uid: string;
  schemaVersion: number;
  panels: Panel[];
  templating: { list: Variable[] };
}

interface Alert {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook: string };
}

/** What Grafana fills in: durations, which stand where PromQL wants one. */
const FILLED_IN: Record<string, string> = { __rate_interval: '5m', __interval: '1m', __range: '1h' };
const CHOSEN_SOURCE = /^\$\{datasource\}$/;
const VARIABLE = /\$\{?(\w+)\}?/g;
const IN_LEGEND = /\{\{\s*(\w+)\s*\}\}/g;
const IN_ANNOTATION = /\$labels\.(\w+)/g;
const LABEL_VALUES = /^label_values\((.+), (\w+)\)$/;

export function dashboardFindings(dashboard: Dashboard, exposed: ExposedMetrics): string[] {
  const variables = dashboard.templating.list;
  const names = new Set(variables.map(({ name }) => name));
  const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  return [
    ...variables.flatMap((variable) => variableFindings(variable, names, exposed)),
    ...panels
      .filter(({ type }) => type !== 'row')
      .flatMap((panel) =>
        panelFindings(panel, names, exposed).map((finding) => `${panel.title}: ${finding}`),
      ),
  ];
}

/** Each dashboard can be shown of one data source, and for some engines. */
function panelFindings(panel: Panel, names: ReadonlySet<string>, exposed: ExposedMetrics): string[] {
  const targets = panel.targets ?? [];
  const findings = targets.length === 0 ? ['no query'] : [];
  if (!CHOSEN_SOURCE.test(panel.datasource?.uid ?? '')) findings.push('a data source of its own');
  for (const { expr = '', legendFormat = '' } of targets) {
    const { findings: wrong, labels } = checkExpression(filledIn(expr, names, findings), exposed);
    findings.push(...wrong);
    for (const name of ['job', 'instance'])
      if (!expr.includes(`$${name}`)) findings.push(`of all: no $${name}`);
    for (const [, label] of legendFormat.matchAll(IN_LEGEND)) {
      if (!labels.has(label!)) findings.push(`no label ${label} for its legend`);
    }
  }
  return findings;
}

function variableFindings(
  { name, type, query }: Variable,
  names: ReadonlySet<string>,
  exposed: ExposedMetrics,
): string[] {
  if (type === 'datasource') return [];
  const text = typeof query === 'string' ? query : query.query;
  const [, selector, label] = LABEL_VALUES.exec(text) ?? [];
  if (selector === undefined) return [`$${name}: ${text}`];
  const findings: string[] = [];
  const { findings: wrong, labels } = checkExpression(filledIn(selector, names, findings), exposed);
  const missing = labels.has(label!) ? [] : [`no label ${label}`];
  return [...findings, ...wrong, ...missing].map((finding) => `$${name}: ${finding}`);
}

function filledIn(expr: string, names: ReadonlySet<string>, findings: string[]): string {
  return expr.replace(VARIABLE, (whole, name: string) => {
    if (FILLED_IN[name] !== undefined) return FILLED_IN[name];
    if (!names.has(name)) findings.push(`no variable ${whole}`);
    return whole;
  });
}

export function alertsIn(rules: string): Alert[] {
  const { groups } = parse(rules) as { groups: { rules: Alert[] }[] };
  return groups.flatMap((group) => group.rules);
}

/** `sections`: of the README, by the name of the alert. */
export function alertFindings(
  alerts: readonly Alert[],
  sections: ReadonlyMap<string, string>,
  exposed: ExposedMetrics,
): string[] {
  const findings = alerts.flatMap((alert) => {
    const { findings: wrong, labels } = checkExpression(alert.expr, exposed);
    const { summary = '', description = '', runbook = '' } = alert.annotations;
    const used = [...`${summary} ${description}`.matchAll(IN_ANNOTATION)].map(([, label]) => label!);
    return [
      ...wrong,
      ...used.filter((label) => !labels.has(label)).map((label) => `no label ${label} for its summary`),
      ...(summary === '' || description === '' ? ['nothing that says what it is'] : []),
      ...(runbook === `README.md#${alert.alert.toLowerCase()}` ? [] : [`runbook ${runbook}`]),
      ...(sections.has(alert.alert) ? [] : ['no section in the README']),
      ...(['critical', 'warning'].includes(alert.labels.severity) ? [] : ['no severity']),
    ].map((finding) => `${alert.alert}: ${finding}`);
  });
  const names = new Set(alerts.map(({ alert }) => alert));
  const left = [...sections.keys()].filter((name) => !names.has(name));
  return [...findings, ...left.map((name) => `${name}: a section for no alert`)];
}

/** What stands below each heading of an alert. */
export function alertSections(readme: string): Map<string, string> {
  const parts = readme.split(/^#{1,5} /m).map((part) => [part.split('\n')[0]!.trim(), part] as const);
  return new Map(parts.filter(([name]) => /^Headrace[A-Z]\w+$/.test(name)));
}
