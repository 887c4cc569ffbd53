import type { ClickHouseClient } from '@clickhouse/client';
import type { CompiledModel } from '../model/types.js';
import { checkServer } from './check-server.js';
import { compare } from './compare.js';
import { asClickHouseError, heldError } from './errors.js';
import { isHeld } from './hold-statement.js';
import { DEDUPLICATION_WINDOW, storedName } from './layout.js';
import { schemaOf } from './schema.js';
import { readState } from './state.js';
import { type ClickHouseTarget, openClickHouse } from './target.js';
import { problemOf, type UnfitProblem, unfitError } from './unfit.js';
import { type EngineLoad, loadOf, windowNeeded } from './window.js';

/**
 * Is ClickHouse fit for the engine's inserts? Asked once, at boot: whatever would lose or double rows without a word is said
 * before the first row is sent, all of it at once, each with the statement that mends it.
 */

/** Always there: the engine's own database may be what is missing. */
const SYSTEM = 'system';

/**
 * Resolves when it is. Throws CLICKHOUSE_UNFIT with all problems (exit 78), CLICKHOUSE_UNREACHABLE and the like where it can't be
 * asked: the engine starts all the same then, and asks again.
 */
export async function checkClickHouse(
  target: ClickHouseTarget,
  model: CompiledModel,
  load: Pick<EngineLoad, 'workers' | 'cutIntervalMs' | 'sessionTimeoutMs'>,
): Promise<void> {
  const client = openClickHouse(target, { database: SYSTEM });
  try {
    const problems = await findProblems(client, target, model, load);
    if (problems.length > 0) throw unfitError(problems, target);
  } finally {
    await client.close();
  }
}

export async function findProblems(
  client: ClickHouseClient,
  target: ClickHouseTarget,
  model: CompiledModel,
  load: Pick<EngineLoad, 'workers' | 'cutIntervalMs' | 'sessionTimeoutMs'>,
): Promise<UnfitProblem[]> {
  const needed = windowNeeded(loadOf({ ...load, requestTimeoutMs: target.requestTimeoutMs }));
  const window = Math.max(DEDUPLICATION_WINDOW, needed);
  try {
    const state = await readState(client, target);
    const rows = state.tables.get(storedName(target.warehouse, target.table));
    // whoever holds it is about to make what may be missing: it is looked at again soon
    if (rows !== undefined && isHeld(rows.createQuery))
      throw heldError({ url: target.url, database: target.database, table: target.table });
    const server = await checkServer(client, target, state);
    const found = compare(schemaOf(target, model), state, window);
    return [...server, ...found.filter(({ beside }) => beside !== true).map(problemOf)];
  } catch (error) {
    throw asClickHouseError(error, { url: target.url, user: target.user, database: target.database });
  }
}
