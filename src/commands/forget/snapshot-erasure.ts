import { systemClock } from '../../clock.js';
import { SNAPSHOT_REQUESTS } from '../../lanes/snapshot-requests.js';
import { systemRandom } from '../../random.js';
import type { OpenedTable } from '../ledger/open-table.js';
import type { Progress } from './progress.js';
import { type LanePlan, planLane } from './snapshot-plan.js';
import { type SearchOptions, type SnapshotSearch, searchSnapshots } from './snapshot-search.js';

export interface SnapshotErasure {
  before: SnapshotSearch;
  after: SnapshotSearch;
  /** Lanes of the topic that still have something. */
  lanes: LanePlan[];
  deleted: number;
  /** Partitions of which one snapshot is left, since no newer one came in time. */
  single: number[];
}

const POLL_MS = 500;
/** Two take the places of the two that are kept. */
const ROUNDS = 2;
/** A lane that has not moved since its newest snapshot takes no other: then it is not waited for longer than one takes. */
const STILL_MS = 15_000;

/**
 * Has the running engines take new snapshots until the old ones that hold something of the person are replaced, each new one read
 * back here. What engines did not replace in time is deleted where a newer one without the person is whole: of such a lane one
 * snapshot is left until its next.
 */
export async function eraseSnapshots(
  opened: OpenedTable,
  search: Omit<SearchOptions, 'store' | 'owner'> & { readOn(): Promise<void> },
  { timeoutMs, dryRun }: { timeoutMs: number; dryRun: boolean },
): Promise<SnapshotErasure> {
  const options = { ...search, store: opened.store, owner: opened.owner };
  const before = await searchSnapshots(options);
  const topicId = opened.history.topicIds().at(-1) ?? '';
  const plans = (found: SnapshotSearch) =>
    opened.history.lanes(topicId).map((lane) => planLane(lane, topicId, found));
  let after = before;
  let lanes = plans(after);
  const untilMs = systemClock.monotonicMs() + timeoutMs;
  for (let round = 0; round < ROUNDS && !dryRun; round++) {
    const wanted = lanes.filter(({ state }) => state !== 'clean');
    if (wanted.length === 0) break;
    const isSpare = wanted.every(({ state }) => state === 'older');
    const stillMs = systemClock.monotonicMs() + STILL_MS;
    const partitions = wanted.map(({ partition }) => partition);
    await newSnapshots(opened, topicId, partitions, isSpare ? Math.min(untilMs, stillMs) : untilMs, search);
    after = await searchSnapshots(options);
    lanes = plans(after);
  }
  const { deleted, single } = dryRun
    ? { deleted: 0, single: [] }
    : await deleteOlder(opened, topicId, lanes, after, before);
  return { before, after, lanes: plans(after), deleted, single };
}

/** Asks for a snapshot of every lane and waits until these have one, or the time is over. */
async function newSnapshots(
  { store, delta, history }: OpenedTable,
  topicId: string,
  partitions: readonly number[],
  untilMs: number,
  { readOn, progress }: { readOn(): Promise<void>; progress: Progress },
): Promise<void> {
  const since = delta.version;
  const request = `${SNAPSHOT_REQUESTS}forget-${systemRandom.id63().toString(36)}.json`;
  await store.put(request, Buffer.from(JSON.stringify({ asked_ms: systemClock.nowMs(), version: since })));
  try {
    for (;;) {
      await readOn();
      const open = partitions.filter(
        (partition) => (history.lane(topicId, partition)?.snapshots.at(-1)?.version ?? -1) <= since,
      );
      if (open.length === 0 || systemClock.monotonicMs() >= untilMs) return;
      progress.tell(() => `waiting for new snapshots of ${open.length} partitions`);
      await systemClock.sleep(POLL_MS);
    }
  } finally {
    await store.delete(request);
  }
}

async function deleteOlder(
  { store, history }: OpenedTable,
  topicId: string,
  lanes: readonly LanePlan[],
  after: SnapshotSearch,
  before: SnapshotSearch,
): Promise<{ deleted: number; single: number[] }> {
  const single: number[] = [];
  // what engines took away themselves
  let deleted = [...before.held.keys()].filter(
    (path) => !after.all.some((file) => file.path === path),
  ).length;
  // of a topic that was deleted and made again since no lane comes back
  for (const file of after.held.values()) {
    if (file.topicId === topicId) continue;
    await store.delete(file.path);
    after.held.delete(file.path);
    deleted++;
  }
  for (const { partition, state, older } of lanes) {
    const snapshots = history.lane(topicId, partition)?.snapshots ?? [];
    const newest = snapshots.at(-1);
    const isWhole =
      after.all.some(({ path }) => path === newest?.path) && !after.unread.includes(newest?.path ?? '');
    for (const path of older) {
      const isKept = snapshots.some((each) => each.path === path);
      // of what the lane falls back on, only what a whole newer one without the person replaces
      if (isKept && (state === 'in use' || !isWhole)) continue;
      await store.delete(path);
      after.held.delete(path);
      deleted++;
      if (isKept) single.push(partition);
    }
  }
  return { deleted, single };
}
