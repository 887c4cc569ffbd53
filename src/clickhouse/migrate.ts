import type { ClickHouseClient } from '@clickhouse/client';
import type { CompiledModel } from '../model/types.js';
import { compare, type Finding } from './compare.js';
import { asClickHouseError } from './errors.js';
import { schemaOf } from './schema.js';
import { readState } from './state.js';
import type { ClickHouseTarget } from './target.js';
import { problemOf, unfitError } from './unfit.js';

/**
 * Makes what is missing in ClickHouse, and only that: it creates, adds and raises. It never drops, narrows or rewrites; where that
 * would be needed, it does nothing at all and says what a person can do. Run again, there is nothing to do.
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
): Promise<void> {
  assertRunnable(plan, target);
  for (const step of plan.steps) {
    try {
      await client.command({ query: step.statement });
    } catch (error) {
      throw asClickHouseError(error, {
        url: target.url,
        user: target.user,
        database: target.database,
        at: step.where,
      });
    }
    onDone(step);
  }
}
