import type { Finding } from '../clickhouse/compare.js';
import { withReachable } from '../clickhouse/hosts.js';
import { assertRunnable, type MigrationPlan, planMigration, runMigration } from '../clickhouse/migrate.js';
import { type ClickHouseTarget, openClickHouse, targetOf } from '../clickhouse/target.js';
import { loadModel } from '../model/load.js';
import type { CompiledModel } from '../model/types.js';
import type { ClickHouseMigrateOptions } from './options.js';

/**
 * `headrace clickhouse migrate`: says what it will do in ClickHouse, then does it, a line each. Resolves to 0; throws HeadraceError,
 * CLICKHOUSE_UNFIT (78) where a person must decide something first: nothing is done then.
 */
export async function clickhouseMigrateCommand(
  options: ClickHouseMigrateOptions,
  write: (text: string) => void = (text) => process.stdout.write(text),
): Promise<number> {
  const model = loadModel(options.settings.model);
  const wanted = targetOf(options.settings.clickhouse, model);
  return await withReachable(wanted, (target) => migrate(options, target, model, write));
}

/** Sums are filled from all rows that are there. */
const REQUEST_MS = 3_600_000;

async function migrate(
  options: ClickHouseMigrateOptions,
  target: ClickHouseTarget,
  model: CompiledModel,
  write: (text: string) => void,
): Promise<number> {
  // not the database itself: it may be what is missing
  const client = openClickHouse(target, {
    database: 'system',
    requestTimeoutMs: Math.max(REQUEST_MS, target.requestTimeoutMs),
  });
  const say = (text: string) => {
    if (!options.json) write(text);
  };
  const done = new Set<Finding>();
  try {
    const plan = await planMigration(client, target, model);
    say(planText(plan, target, options.dryRun));
    assertRunnable(plan, target);
    if (!options.dryRun) {
      await runMigration(client, target, plan, (step) => {
        done.add(step);
        say(`done  ${step.action} ${step.where}\n`);
      });
    }
    if (options.json) write(`${JSON.stringify(resultOf(plan, done, target, options.dryRun))}\n`);
    return 0;
  } finally {
    await client.close();
  }
}

function planText({ steps, refused }: MigrationPlan, target: ClickHouseTarget, dryRun: boolean): string {
  const all = [...steps, ...refused];
  const at = `ClickHouse at ${target.url}, database ${target.database}`;
  if (all.length === 0) return `${at}: all is there, nothing to do\n`;
  const widths = [widest(all.map(({ action }) => action)), widest(all.map(({ where }) => where))] as const;
  const line = ({ action, where, what }: Finding) =>
    `  ${action.padEnd(widths[0])}  ${where.padEnd(widths[1])}  ${what}`;
  const parts = [`${at}: ${steps.length} to do`, ...steps.map(line)];
  if (refused.length > 0)
    parts.push('for a person to decide, so that nothing is done now:', ...refused.map(line));
  if (dryRun)
    parts.push('', ...all.map(({ statement }) => `${statement};\n`), 'nothing was done (--dry-run)');
  return `${parts.join('\n')}\n`;
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length));
}

function resultOf(
  { steps }: MigrationPlan,
  done: ReadonlySet<Finding>,
  { url, database, table }: ClickHouseTarget,
  dryRun: boolean,
): Record<string, unknown> {
  const shown = steps.map((step) => ({
    action: step.action,
    where: step.where,
    what: step.what,
    statement: step.statement,
    done: done.has(step),
  }));
  return { url, database, table, dry_run: dryRun, steps: shown };
}
