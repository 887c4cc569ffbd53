import type { ClickHouseClient } from '@clickhouse/client';
import type { CompiledModel } from '../model/types.js';
import { compare, type Finding } from './compare.js';
import { asClickHouseError } from './errors.js';
import { type HoldTimes, holdTable, releaseTable } from './hold.js';
import { schemaOf } from './schema.js';
import { readState } from './state.js';
import type { ClickHouseTarget } from './target.js';
import { problemOf, unfitError } from './unfit.js';

/**
 * Makes what is missing in ClickHouse, and only that: it creates, adds and raises. It never drops, narrows or rewrites rows of
 * changes; where that would be needed, it does nothing at all and says what a person can do. Sums that are made of these rows are
 * made anew where their definition has changed. Run again, there is nothing to do.
 */

export interface MigrationPlan {
  /** What is run, in this order. */
  steps: readonly Finding[];
  /** What a person must decide; while there is any, nothing is run. */
  refused: readonly Finding[];
}

/** `client` must not name the database, which may be missing. Throws HeadraceError CLICKHOUSE_…. */
export async function planMigration(
  client: ClickHouseClient,
  target: ClickHouseTarget,
  model: CompiledModel,
): Promise<MigrationPlan> {
  const findings = compare(schemaOf(target, model), await readState(client, target));
  return {
    steps: findings.filter(({ onlyAdds }) => onlyAdds),
    refused: findings.filter(({ onlyAdds }) => !onlyAdds),
  };
}

/** Throws CLICKHOUSE_UNFIT when a person must decide something. */
export function assertRunnable({ refused }: MigrationPlan, target: ClickHouseTarget): void {
  if (refused.length > 0) throw unfitError(refused.map(problemOf), target);
}

/** Runs the steps; what was run before one that fails stays, and the next run goes on from there. */
export async function runMigration(
  client: ClickHouseClient,
  target: ClickHouseTarget,
  plan: MigrationPlan,
  onDone: (step: Finding) => void,
  holdTimes?: HoldTimes,
): Promise<void> {
  assertRunnable(plan, target);
  const held = { database: target.database, table: target.table, layout: target.warehouse };
  let isHeld = false;
  try {
    for (const step of plan.steps) {
      await runStep(target, step, async () => {
        if (step.action === 'hold') {
          await holdTable(client, held, holdTimes === undefined ? {} : { times: holdTimes });
          isHeld = true;
        } else await client.command({ query: step.statement, clickhouse_settings: SETTINGS });
        if (step.action === 'release') {
          await releaseTable(client, held);
          isHeld = false;
        }
      });
      onDone(step);
    }
  } finally {
    if (isHeld) await releaseTable(client, held);
  }
}

/** Filling sums may take longer than a request of an engine may, and its answer must come when it is done. */
const SETTINGS = { wait_end_of_query: 1 } as const;

async function runStep(
  { url, user, database }: ClickHouseTarget,
  step: Finding,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    throw asClickHouseError(error, { url, user, database, at: step.where });
  }
}
