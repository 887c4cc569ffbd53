import { HeadraceError } from '../../errors.js';
import { versionPath } from '../../lake/delta/path.js';
import { foldDifferences } from '../../lake/reading/fold-differences.js';
import { checkpointActions, readVersions } from '../../lake/reading/table-at.js';
import { TableFold } from '../../lake/reading/table-fold.js';
import { LaneContinuity } from '../../ledger/lane-continuity.js';
import type { Finding } from './check.js';
import type { Lake } from './open-lake.js';

/** Differences of a checkpoint that are shown. */
const OF_A_CHECKPOINT_MAX = 10;

/** The log itself: do the lanes' cuts join, and are checkpoints what the versions before them add up to? */
export async function checkLog({ store, log }: Pick<Lake, 'store' | 'log'>): Promise<{
  versions: number;
  checkpoints: number;
  lanes: number;
  findings: Finding[];
}> {
  const findings: Finding[] = [];
  const lanes = new LaneContinuity();
  const byVersion = new Map(log.checkpoints.map((checkpoint) => [checkpoint.version, checkpoint]));
  // of a log that was cleaned up, what its oldest checkpoint says has to be believed
  let fold: TableFold | null = log.first === 0 ? new TableFold() : null;
  let compared = 0;
  const meet = async (version: number) => {
    const checkpoint = byVersion.get(version);
    if (checkpoint === undefined) return;
    const where = checkpoint.paths[0]!;
    const said = new TableFold();
    try {
      said.apply(version, await checkpointActions(store, checkpoint));
    } catch (error) {
      if (!(error instanceof HeadraceError) || error.code !== 'LAKE_LOG_CORRUPT') throw error;
      findings.push({ where, what: error.message });
      return;
    }
    if (fold === null) fold = said;
    else {
      compared++;
      const differences = foldDifferences(said, fold);
      for (const what of differences.slice(0, OF_A_CHECKPOINT_MAX)) findings.push({ where, what });
      const left = differences.length - OF_A_CHECKPOINT_MAX;
      if (left > 0) findings.push({ where, what: `and ${left} more differences` });
    }
  };
  if (log.first > 0) await meet(log.first - 1);
  for await (const version of readVersions(store, log.first, log.last)) {
    for (const what of lanes.take(version)) findings.push({ where: versionPath(version.version), what });
    fold?.apply(version.version, version.actions);
    await meet(version.version);
  }
  return {
    versions: Math.max(0, log.last - log.first + 1),
    checkpoints: compared,
    lanes: lanes.lanes,
    findings,
  };
}
