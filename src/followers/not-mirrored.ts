import { type Action, commitInfoOf } from '../lake/delta/actions.js';
import type { LedgerEntry } from '../ledger/types.js';
import type { PlainLog } from '../telemetry/log.js';

/**
 * What changes the table's rows and is no follower's: followers go by our cuts and erasures. A table that was restored, or from which
 * rows expired, or to which others wrote, is then not what ClickHouse and topics have. They go on, and say so.
 *
 * Folds, compactions and archivals change files and no session.
 */
export function notMirrored(actions: readonly Action[]): string | null {
  const info = commitInfoOf(actions);
  const entry = info?.headrace as (LedgerEntry & { maintenance?: { kind?: string } }) | undefined;
  if (entry?.format === 1) {
    if (entry.restore !== undefined) return `the table was restored to version ${entry.restore.to}`;
    return entry.maintenance?.kind === 'expire' ? 'rows expired' : null;
  }
  const changed = actions.some(
    (action) =>
      ('add' in action && action.add.dataChange) || ('remove' in action && action.remove.dataChange),
  );
  if (!changed) return null;
  return `${info?.engineInfo ?? 'another writer'} changed rows (${info?.operation ?? 'it does not say how'})`;
}

type ReadVersion = (version: number) => Promise<readonly Action[] | null>;

/** Reads versions, and says of the first one that is not mirrored what that means for the follower. */
export function tellingNotMirrored(
  readVersion: ReadVersion,
  { log, meaning }: { log: PlainLog; meaning: string },
): ReadVersion {
  let hasTold = false;
  return async (version) => {
    const actions = await readVersion(version);
    const what = hasTold || actions === null ? null : notMirrored(actions);
    if (what !== null) {
      hasTold = true;
      log.warn({ version }, `${what}: ${meaning}; further versions like it are not told of`);
    }
    return actions;
  };
}
