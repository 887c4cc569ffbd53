import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { ClickHouseFollower } from '#src/followers/clickhouse/follower.js';
import type { StoredPosition } from '#src/followers/clickhouse/tables.js';
import type { Action } from '#src/lake/delta/actions.js';
import type { CutEntry } from '#src/ledger/types.js';
import { seededRandom } from '#src/random.js';
import { FakeLog } from '../support/fake-log.js';
import { HurriedClock } from '../support/fake-time.js';
import { commitInfo } from '../support/lake-table.js';
import { ModelClickHouse } from '../support/model-clickhouse.js';

const path = (version: number) => `session_date=2026-01-01/part-${version}-0-${version}.parquet`;

/** A version with one file of lane 0. */
function version(number: number): Action[] {
  const files = [{ path: path(number), rows: 2, lanes: [0] }];
  const cut: CutEntry = { id: '1', createdAtMs: 1, lanes: [], deadLetterFiles: [], files };
  const add = { path: path(number), partitionValues: {}, size: 1, modificationTime: 1, dataChange: true };
  return [{ commitInfo: commitInfo('attempt', { cuts: [cut] }) }, { add }];
}

function rig(
  problem: HeadraceError | null,
  versions = [version(0), version(1), version(2)],
  newest = 2,
  stored: StoredPosition | null = null,
) {
  const [clock, log, random] = [new HurriedClock(), new FakeLog(), seededRandom(1)];
  const clickhouse = new ModelClickHouse({ clock, random, window: 100, before: () => [] });
  const reached: string[] = [];
  if (stored !== null) clickhouse.hasPosition('lane/0', stored);
  const follower = new ClickHouseFollower({
    tables: clickhouse.tables(),
    inserter: clickhouse.inserter(),
    check: async () => {
      if (problem !== null) throw problem;
    },
    readVersion: async (number) => versions[number] ?? null,
    newestVersion: () => newest,
    appId: (partition) => `lane/${partition}`,
    workerOf: () => 0,
    window: 100,
    clock,
    random,
    log,
    onReached: (...values) => reached.push(values.join(' ')),
  });
  follower.acquired([0]);
  return { follower, clickhouse, log, reached };
}

describe('the end of the ClickHouse follower', () => {
  it('is waited for by a bounded run until all is in, and leaves nothing behind', async () => {
    const { follower, clickhouse, reached } = rig(null);
    follower.committed(2, [{ partition: 0, to: 30n }]);
    expect(await follower.caughtUp(60_000)).toBe(true);
    expect(follower.figures).toEqual({ files: 3, rows: 6 });
    expect([...clickhouse.counts.values()]).toEqual([1, 1, 1]);
    expect(reached).toEqual(['0 2 30']);
    expect(await follower.close(1_000)).toBe(0);
  });

  it('is not waited for when nothing moves, and says how many files are left', async () => {
    const { follower, log } = rig(new HeadraceError('CLICKHOUSE_UNREACHABLE', 'nobody there'));
    expect(await follower.caughtUp(60_000)).toBe(false);
    expect(await follower.close(1_000)).toBe(3);
    expect(log.with('its files wait in the lake').length).toBeGreaterThan(0);
  });

  it('comes at once when the ledger has lost what ClickHouse needs', async () => {
    const { follower, log } = rig(null, [version(0)]);
    expect(await follower.caughtUp(1e9)).toBe(false);
    expect(log.with('not followed any more')).toMatchObject([
      {
        fields: { error: expect.stringMatching(/^CLICKHOUSE_RESTORED: .* — bring the older log files back/) },
      },
    ]);
    follower.abandon();
  });

  it('comes at once when ClickHouse is at a version that the table never had, and none of its files is taken for in', async () => {
    const versions = [version(0), version(1)];
    const { follower, log, clickhouse } = rig(null, versions, 1, { version: 7, seq: 3n });
    expect(await follower.caughtUp(1e9)).toBe(false);
    expect(log.with('not followed any more')).toMatchObject([
      {
        fields: {
          error: expect.stringMatching(
            /^CLICKHOUSE_RESTORED: .* does not have.*version=7 newest_version=1.*clickhouse rebuild/,
          ),
        },
      },
    ]);
    expect(follower.health.positions.size).toBe(0);
    expect([...clickhouse.counts.keys()]).toEqual([]);
    follower.abandon();
  });

  it('does not come when another engine has gone further than this one knows of', async () => {
    const { follower, clickhouse } = rig(null, [version(0), version(1), version(2)], 1, {
      version: 2,
      seq: 3n,
    });
    expect(await follower.caughtUp(60_000)).toBe(true);
    expect([...clickhouse.counts.keys()]).toEqual([]);
    await follower.close(1_000);
  });
});
