import { asClickHouseError } from '../../clickhouse/errors.js';
import { withReachable } from '../../clickhouse/hosts.js';
import { analyticsOf } from '../../clickhouse/schema.js';
import { type ClickHouseTarget, openClickHouse, targetOf } from '../../clickhouse/target.js';
import { auditView, type ViewAudit, type ViewDifference } from '../../clickhouse/views/audit.js';
import { systemClock } from '../../clock.js';
import type { ClickHouseSettings } from '../../config/load-clickhouse.js';
import { loadModel } from '../../model/load.js';
import type { CompiledModel } from '../../model/types.js';
import { formatTable, formatWhole } from '../../telemetry/progress.js';

export interface AuditOptions {
  settings: ClickHouseSettings;
  json: boolean;
  stdout(text: string): void;
}

/** Of a view so many are shown; --json has them all. */
const SHOWN = 10;
/** Recomputing months of rows takes longer than a request of an engine may. */
const REQUEST_MS = 3_600_000;

/** `headrace clickhouse audit`: each view against its recomputation. Resolves to 0, or 1 where one differs. */
export async function clickhouseAudit({ settings, json, stdout }: AuditOptions): Promise<number> {
  const model = loadModel(settings.model);
  const target = targetOf(settings.clickhouse, model);
  const audits = await withReachable(target, (at) => auditAll(at, model));
  const differs = audits.some(({ differences }) => differences.length > 0);
  if (json) stdout(`${JSON.stringify({ equal: !differs, views: audits })}\n`);
  else stdout(`${audits.map(auditText).join('\n')}\n${verdict(audits, target)}\n`);
  return differs ? 1 : 0;
}

async function auditAll(target: ClickHouseTarget, model: CompiledModel): Promise<ViewAudit[]> {
  const client = openClickHouse(target, { requestTimeoutMs: REQUEST_MS });
  try {
    const audits: ViewAudit[] = [];
    for (const wanted of analyticsOf(target, model))
      audits.push(await auditView(client, wanted, systemClock));
    return audits;
  } catch (error) {
    const { url, user, database } = target;
    throw asClickHouseError(error, { url, user, database });
  } finally {
    await client.close();
  }
}

function auditText({ name, groups, differences }: ViewAudit): string {
  if (differences.length === 0) return `${name}: ${formatWhole(groups)} groups, as recomputed`;
  const shown = differences.slice(0, SHOWN).map(lineOf);
  const more = differences.length > SHOWN ? [`and ${formatWhole(differences.length - SHOWN)} more`] : [];
  const head = ['day', 'keys', 'column', 'view', 'recomputed'];
  return [`${name}: ${formatWhole(differences.length)} differences`, formatTable(head, shown), ...more].join(
    '\n',
  );
}

function lineOf({ group, column, found, recomputed }: ViewDifference): string[] {
  const [day = '', ...keys] = group;
  return [
    day,
    keys.map((key) => (key === '' ? '–' : key)).join(' / '),
    column,
    found ?? 'none',
    recomputed ?? 'none',
  ];
}

function verdict(audits: readonly ViewAudit[], { database }: ClickHouseTarget): string {
  if (audits.length === 0)
    return `${database}: this model has no analytic views, or clickhouse.views names none`;
  const wrong = audits.filter(({ differences }) => differences.length > 0).map(({ name }) => name);
  if (wrong.length === 0) return `${database}: no differences`;
  return `${database}: ${wrong.join(', ')} differ from the rows; \`headrace clickhouse rebuild --views\` makes them anew`;
}
