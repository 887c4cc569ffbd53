import { systemClock } from '../../clock.js';
import type { LakeConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { LOOK_EVERY_MS, SNAPSHOT_REQUESTS } from '../../lanes/snapshot-requests.js';
import type { LaneHistory } from '../../ledger/history.js';
import { factsOf } from '../../ledger/ledger.js';
import { systemRandom } from '../../random.js';
import { formatBytes, formatElapsed, formatTable, formatWhole } from '../../telemetry/progress.js';
import { type OpenedTable, openTable } from './open-table.js';
import { jsonOf } from './status-text.js';

export interface LedgerSnapshotOptions {
  /** The table, or what holds it. */
  lake: LakeConfig;
  /** How long engines may take. */
  timeoutMs: number;
  json: boolean;
  stdout(text: string): void;
}

interface LaneSnapshot {
  partition: number;
  /** Null: it has none that stands where the lane does. */
  snapshot: LaneHistory['snapshots'][number] | null;
  /** Taken since it was asked for; else the lane has not moved since. */
  isNew: boolean;
}

const POLL_MS = 250;
/** A lane that stands where its snapshot does may have read more, and not said so yet: engines look at requests and commit meanwhile. */
const SETTLE_MS = 3 * LOOK_EVERY_MS;
const EXIT_TRY_AGAIN = 75;

/**
 * `headrace ledger snapshot`: asks the running engines for a snapshot of every lane, and waits until there is one. A lane that has not
 * moved since its last one needs none. Exit code 0: each lane has one; 75: some have none in time.
 */
export async function ledgerSnapshot({
  lake,
  timeoutMs,
  json,
  stdout,
}: LedgerSnapshotOptions): Promise<number> {
  const opened = await openTable(lake);
  const since = opened.delta.version;
  const topicId = opened.history.topicIds().at(-1);
  if (topicId === undefined) {
    throw new HeadraceError('USAGE', 'no engine has started a lane in this table yet', {
      where: { table: opened.table },
    });
  }
  const request = `${SNAPSHOT_REQUESTS}snapshot-${systemRandom.id63().toString(36)}.json`;
  await opened.store.put(
    request,
    Buffer.from(JSON.stringify({ asked_ms: systemClock.nowMs(), version: since })),
  );
  let lanes: LaneSnapshot[];
  try {
    lanes = await waitForAll(opened, topicId, since, timeoutMs);
  } finally {
    await opened.store.delete(request);
  }
  const nowMs = systemClock.nowMs();
  if (json) stdout(`${jsonOf({ table: opened.table, lanes })}\n`);
  else stdout(`${snapshotsText(opened, lanes, nowMs, timeoutMs)}\n`);
  return lanes.every(({ snapshot }) => snapshot !== null) ? 0 : EXIT_TRY_AGAIN;
}

async function waitForAll(
  { delta, history, times }: OpenedTable,
  topicId: string,
  since: number,
  timeoutMs: number,
): Promise<LaneSnapshot[]> {
  const startedMs = systemClock.monotonicMs();
  for (;;) {
    await delta.refresh((version) => {
      history.apply(factsOf(version));
      for (const action of version.actions) {
        if ('commitInfo' in action)
          (times as Map<number, number>).set(version.version, action.commitInfo.timestamp);
      }
    });
    const lanes = history.lanes(topicId).map((lane) => snapshotOf(lane, since));
    const waitedMs = systemClock.monotonicMs() - startedMs;
    if (lanes.every(({ snapshot, isNew }) => snapshot !== null && (isNew || waitedMs >= SETTLE_MS)))
      return lanes;
    if (waitedMs >= timeoutMs) return lanes;
    await systemClock.sleep(POLL_MS);
  }
}

function snapshotOf({ partition, snapshots, cuts, committedTo }: LaneHistory, since: number): LaneSnapshot {
  const newest = snapshots.at(-1);
  if (newest === undefined) return { partition, snapshot: null, isNew: false };
  if (newest.version > since) return { partition, snapshot: newest, isNew: true };
  const last = cuts.at(-1);
  const stands = newest.offset === committedTo && (last === undefined || last.cutId === newest.cutId);
  return { partition, snapshot: stands ? newest : null, isNew: false };
}

function snapshotsText(
  { table, times }: OpenedTable,
  lanes: readonly LaneSnapshot[],
  nowMs: number,
  timeoutMs: number,
): string {
  const rows = lanes.map(({ partition, snapshot, isNew }) =>
    snapshot === null
      ? [partition, 'none', '–', '–', '–']
      : [
          partition,
          isNew ? 'taken now' : 'has not moved since',
          formatWhole(snapshot.offset),
          formatBytes(snapshot.sizeBytes),
          `${formatElapsed(Math.max(0, nowMs - (times.get(snapshot.version) ?? nowMs)))} ago`,
        ],
  );
  const parts = [
    `Table ${table}`,
    formatTable(['partition', 'snapshot', 'at offset', 'size', 'taken'], rows),
  ];
  const missing = lanes.filter(({ snapshot }) => snapshot === null).length;
  if (missing > 0) {
    parts.push(
      `${missing} of ${lanes.length} partitions have none within ${formatElapsed(timeoutMs)}: does an engine run, and are they its own (not halted)? An engine that is stopped in order (SIGTERM) has written them.`,
    );
  } else if (lanes.every(({ isNew }) => !isNew)) {
    parts.push('Nothing had to be taken: an orderly stop, or the last interval, wrote them.');
  }
  return parts.join('\n');
}
