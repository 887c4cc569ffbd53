import type { Clock } from '../clock.js';
import { crashPoint } from '../crash-points.js';
import { HeadraceError } from '../errors.js';
import type { Action, Add } from '../lake/delta/actions.js';
import type { DeltaLog } from '../lake/delta/log.js';
import { rewriteActions } from '../lake/maintenance/rewrite-actions.js';
import type { Random } from '../random.js';
import type { ErasureEntry, LedgerEntry } from './types.js';

/**
 * The version that takes rows out of files: each file is removed, and what is left of it added. It has our entry, without cuts, so
 * that it is nobody's rows for followers and no lane's fate for engines; and it says of no one whose rows they were.
 *
 * Both sides have dataChange: rows are gone, and whoever follows the table's changes has to know. Followers of ours go by cuts.
 */
export interface RewrittenPart {
  from: Pick<Add, 'path' | 'partitionValues' | 'size'>;
  /** Rows of `from`, ascending. */
  gone: readonly number[];
  /** Null: nothing is left. */
  to: { path: string; sizeBytes: number; rows: number; stats: string } | null;
}

export interface ErasureVersion {
  /** Of the request. */
  id: string;
  parts: readonly RewrittenPart[];
  /** Of the table's last version of ours. */
  semantics: string;
  /** Of this program. */
  version: string;
}

export function erasureActions(
  { id, parts, semantics, version }: ErasureVersion,
  attempt: string,
  nowMs: number,
): Action[] {
  const erasure: ErasureEntry = {
    id,
    files: parts.map(({ from, gone, to }) => ({
      path: from.path,
      gone: [...gone],
      to: to === null ? null : { path: to.path, sizeBytes: to.sizeBytes },
    })),
  };
  const entry: LedgerEntry = { format: 1, attempt, engine: `operator-${id}`, semantics, cuts: [], erasure };
  const draft = {
    removed: parts.map(({ from }) => from),
    added: parts.flatMap(({ from: { partitionValues }, to }) =>
      to === null ? [] : [{ ...to, partitionValues }],
    ),
    removedDataChange: true,
    addedDataChange: true,
    operation: 'DELETE',
    operationParameters: { predicate: JSON.stringify([`rows of erasure ${id}`]) },
  };
  return rewriteActions(draft, { headrace: entry, version, nowMs });
}

const WAIT_MS_FIRST = 50;
const WAIT_MS_MAX = 5_000;

/**
 * Puts the actions as the version behind all that was read, until it is known whose that version is (rule 8). 'conflict': another's;
 * what it says has to be looked at before the next attempt. Throws HeadraceError LAKE_IO when the log was cleaned up beneath.
 */
export async function putErasure(
  delta: DeltaLog,
  actions: readonly Action[],
  { clock, random }: { clock: Clock; random: Random },
): Promise<'committed' | 'conflict'> {
  const version = delta.version + 1;
  for (let waitMs = WAIT_MS_FIRST; ; waitMs = Math.min(2 * waitMs, WAIT_MS_MAX)) {
    try {
      crashPoint('commit.before-put');
      const outcome = await delta.tryCommit(version, actions);
      if (outcome === 'committed') crashPoint('commit.after-put');
      if (outcome === 'committed' || outcome === 'conflict') return outcome;
      if (outcome === 'overtaken') throw overtaken(version);
    } catch (error) {
      if (!(error instanceof HeadraceError) || error.disposition !== 'retry' || error.where.overtaken === 1)
        throw error;
    }
    await clock.sleep(waitMs * (0.5 + random.float()));
  }
}

function overtaken(version: number): HeadraceError {
  return new HeadraceError('LAKE_IO', "the table's log was cleaned up meanwhile: nothing was changed", {
    where: { version, overtaken: 1 },
    remedy: 'call again',
  });
}
