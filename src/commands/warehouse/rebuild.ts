import type { ClickHouseClient } from '@clickhouse/client';
import { asClickHouseError } from '../../clickhouse/errors.js';
import { assertRunnable, planMigration, runMigration } from '../../clickhouse/migrate.js';
import { analyticsOf } from '../../clickhouse/schema.js';
import { readState } from '../../clickhouse/state.js';
import { type ClickHouseTarget, openClickHouse, targetOf } from '../../clickhouse/target.js';
import { refillAll } from '../../clickhouse/views/compare-views.js';
import type { ClickHouseSettings } from '../../config/load-clickhouse.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { loadModel } from '../../model/load.js';
import type { CompiledModel } from '../../model/types.js';
import { formatBytes, formatWhole } from '../../telemetry/progress.js';
import { checkOwner } from '../ledger/open-table.js';
import { readLakeRows } from './lake-rows.js';
import { TableRebuild } from './table-rebuild.js';

interface Asked {
  /** Without it nothing is done but said. */
  yes: boolean;
  json: boolean;
  stdout(text: string): void;
  stderr(text: string): void;
}

export interface RebuildOptions extends Asked {
  config: EngineConfig;
}

export interface RebuildViewsOptions extends Asked {
  settings: ClickHouseSettings;
}

/** Filling tables takes longer than a request of an engine may. */
const REQUEST_MS = 6 * 3_600_000;

/** `headrace clickhouse rebuild`: the table of change rows as the lake has it now, and the views of it. Resolves to 0. */
export async function clickhouseRebuild({
  config,
  yes,
  json,
  stdout,
  stderr,
}: RebuildOptions): Promise<number> {
  if (config.clickhouse === null) {
    throw new HeadraceError('USAGE', 'which ClickHouse? the configuration has no section clickhouse', {
      remedy: 'give --clickhouse, or the engine’s file',
    });
  }
  const model = loadModel(config.model);
  const target = targetOf(config.clickhouse, model);
  if (target.warehouse.kind !== 'single') throw notSingle(target);
  const lake = await readLakeRows(config.lake);
  checkOwner(lake.opened, config.kafka);
  const sizeBytes = lake.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const what = `${formatWhole(lake.files.length)} files of ${lake.opened.table} at version ${lake.version}, ${formatBytes(sizeBytes)}`;
  if (!yes) {
    const would = { files: lake.files.length, bytes: sizeBytes, version: lake.version, done: false };
    stdout(
      json
        ? `${JSON.stringify(would)}\n`
        : `${nameOf(target)} would be made anew of ${what}; rows that are there now go. --yes does it\n`,
    );
    return 0;
  }
  return await withClient(target, async (client) => {
    await assertFit(client, target, model);
    const result = await new TableRebuild({
      client,
      target,
      model,
      lake: config.lake,
      progress: (text) => stderr(`${text}\n`),
    }).run();
    stdout(
      json
        ? `${JSON.stringify({ ...result, done: true })}\n`
        : `${nameOf(target)} is as version ${result.version} of the lake: ${formatWhole(result.rows)} rows of ${formatWhole(result.files)} files, ${result.views} views, all lanes stand there\n`,
    );
    return 0;
  });
}

/** `headrace clickhouse rebuild --views`: the sums behind the views from the rows in ClickHouse. Resolves to 0. */
export async function clickhouseRebuildViews({
  settings,
  yes,
  json,
  stdout,
  stderr,
}: RebuildViewsOptions): Promise<number> {
  const model = loadModel(settings.model);
  const target = targetOf(settings.clickhouse, model);
  return await withClient(target, async (client) => {
    const wanted = analyticsOf(target, model);
    const steps = refillAll(wanted, await readState(client, target));
    const plan = {
      steps: steps.filter(({ onlyAdds }) => onlyAdds),
      refused: steps.filter(({ onlyAdds }) => !onlyAdds),
    };
    assertRunnable(plan, target);
    const names = wanted.map(({ view }) => view.name);
    if (yes) {
      await runMigration(client, target, plan, ({ action, where }) => stderr(`done  ${action} ${where}\n`));
    }
    const text = yes ? 'made anew' : 'would be made anew; --yes does it';
    stdout(
      json
        ? `${JSON.stringify({ views: names, done: yes })}\n`
        : `${target.database}: ${names.join(', ')} ${text}\n`,
    );
    return 0;
  });
}

/** What is missing is made by migrate; a table that is held or half made anew is what a rebuild is for. */
async function assertFit(
  client: ClickHouseClient,
  target: ClickHouseTarget,
  model: CompiledModel,
): Promise<void> {
  const { steps } = await planMigration(client, target, model);
  const open = steps.filter(({ action }) => action === 'create' || action === 'add column');
  if (open.length === 0) return;
  throw new HeadraceError('CLICKHOUSE_UNFIT', `${open[0]!.where}: ${open[0]!.what}`, {
    where: { url: target.url },
    remedy: 'run `headrace clickhouse migrate` first',
  });
}

async function withClient<T>(
  target: ClickHouseTarget,
  work: (client: ClickHouseClient) => Promise<T>,
): Promise<T> {
  const client = openClickHouse(target, { database: 'system', requestTimeoutMs: REQUEST_MS });
  try {
    return await work(client);
  } catch (error) {
    const { url, user, database } = target;
    throw asClickHouseError(error, { url, user, database });
  } finally {
    await client.close();
  }
}

function nameOf({ database, table }: ClickHouseTarget): string {
  return `${database}.${table}`;
}

function notSingle(target: ClickHouseTarget): HeadraceError {
  return new HeadraceError(
    'CLICKHOUSE_UNFIT',
    `a rebuild is made for one server, and kind is ${target.warehouse.kind}`,
    {
      where: { url: target.url, table: nameOf(target) },
      remedy:
        'stop the engines, drop session_metrics, headrace_files and headrace_positions, run `headrace clickhouse migrate`: engines fill them from the lake',
    },
  );
}
