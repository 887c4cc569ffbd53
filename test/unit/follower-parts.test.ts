import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import { refuseAhead } from '#src/followers/ahead.js';
import { hasRestartedSince, isTokenGood } from '#src/followers/clickhouse/doubt.js';
import { LaneOffsets } from '#src/followers/lane-offsets.js';
import { filesOfVersion } from '#src/followers/ledger-files.js';
import { FollowerTrouble } from '#src/followers/trouble.js';
import type { Action } from '#src/lake/delta/actions.js';
import type { CutEntry } from '#src/ledger/types.js';
import { seededRandom } from '#src/random.js';
import { laneEntry } from '../support/fake-ledger.js';
import { FakeLog } from '../support/fake-log.js';
import { HurriedClock } from '../support/fake-time.js';
import { commitInfo } from '../support/lake-table.js';

const path = (id: number) => `session_date=2026-01-31/part-77-0-${id}.parquet`;

function add(name: string, dataChange = true): Action {
  const stats = '{"numRecords":5}';
  return { add: { path: name, partitionValues: {}, size: 9, modificationTime: 1, dataChange, stats } };
}

function version(cut: Partial<CutEntry> | null, ...actions: Action[]): Action[] {
  if (cut === null) return actions;
  const whole = { id: '1', createdAtMs: 1, lanes: [], deadLetterFiles: [], ...cut };
  return [{ commitInfo: commitInfo('a', { cuts: [whole] }) }, ...actions];
}

describe('the files of a version', () => {
  it('are those that its cuts name, in their order; what others added is passed over', () => {
    const files = [
      { path: path(2), rows: 3, lanes: [1] },
      { path: path(1), rows: 4, lanes: [0] },
    ];
    const actions = version({ files }, add(path(1)), add(path(2)), add(path(3)), add(path(4), false));
    expect(filesOfVersion(7, actions)).toMatchObject({
      files: [
        {
          path: path(2),
          version: 7,
          index: 0,
          rows: 3,
          sizeBytes: 9,
          lanes: [1],
          fileId: '2',
          date: '2026-01-31',
        },
        {
          path: path(1),
          version: 7,
          index: 1,
          rows: 4,
          sizeBytes: 9,
          lanes: [0],
          fileId: '1',
          date: '2026-01-31',
        },
      ],
      skipped: 2,
    });
  });

  it('of a version that does not say whose rows they hold count as files of all its lanes', () => {
    const lanes = [laneEntry(3, 0, 1, 0), laneEntry(5, 0, 1, 0), laneEntry(3, 1, 2, 0)];
    const { files } = filesOfVersion(7, version({ lanes }, add(path(1))));
    expect(files).toMatchObject([{ path: path(1), rows: 5, lanes: [3, 5] }]);
  });

  it('of a version without cuts are none', () => {
    expect(filesOfVersion(7, version(null, add(path(1))))).toMatchObject({ files: [], skipped: 1 });
  });

  it('that the version does not add, or whose names are not ours, are told as a damaged log', () => {
    const named = (name: string) =>
      version({ files: [{ path: name, rows: 1, lanes: [0] }] }, add('x.parquet'));
    expect(() => filesOfVersion(7, named(path(1)))).toThrow(/does not add/);
    expect(() => filesOfVersion(7, named('x.parquet'))).toThrow(/not one of ours/);
  });
});

describe('a token', () => {
  const facts = { nowMs: 10_000_000, uptimeSeconds: 3_600, insertsSince: 10 };

  it('tells a repetition while it is young, the server runs and few inserts came since', () => {
    expect(isTokenGood(facts, facts.nowMs - 60_000, 100)).toBe(true);
  });

  it.each([
    ['an intent nobody knows of', facts, null],
    ['one of half an hour ago', facts, facts.nowMs - 1_800_000],
    ['as many inserts since as half the window', { ...facts, insertsSince: 50 }, facts.nowMs - 60_000],
    ['a server that was started since', { ...facts, uptimeSeconds: 30 }, facts.nowMs - 60_000],
  ])('does not for %s', (_, known, intentAtMs) => {
    expect(isTokenGood(known, intentAtMs, 100)).toBe(false);
  });

  it('a server has restarted since an intent only where its uptime says so for sure', () => {
    const since = (uptimeSeconds: number, agoMs: number | null) =>
      hasRestartedSince({ ...facts, uptimeSeconds }, agoMs === null ? null : facts.nowMs - agoMs);
    expect(since(60, 61_001)).toBe(true);
    // uptime is in whole seconds
    expect(since(60, 60_500)).toBe(false);
    expect(since(60, 1_000)).toBe(false);
    // chDB does not say
    expect(since(0, 3_600_000)).toBe(false);
    expect(since(60, null)).toBe(false);
  });
});

describe('a lane’s offsets', () => {
  it('are told by the newest version that is reached, once', () => {
    const offsets = new LaneOffsets();
    for (const [version, offset] of [
      [1, 10n],
      [3, 30n],
      [5, 50n],
    ] as const)
      offsets.committed(0, version, offset);
    expect(offsets.reached(0, 0)).toBe(null);
    expect(offsets.reached(0, 4)).toBe(30n);
    expect(offsets.reached(0, 4)).toBe(null);
    expect(offsets.reached(0, 9)).toBe(50n);
  });

  it('are thinned out when very many wait, the newest stays', () => {
    const offsets = new LaneOffsets();
    for (let version = 0; version < 10_000; version++) offsets.committed(0, version, BigInt(version));
    expect(offsets.reached(0, 9_999)).toBe(9_999n);
    offsets.committed(0, 10_000, 1n);
    offsets.forget(0);
    expect(offsets.reached(0, 10_000)).toBe(null);
  });
});

describe('trouble with ClickHouse', () => {
  const error = (
    code: 'CLICKHOUSE_UNREACHABLE' | 'CLICKHOUSE_UNFIT' | 'CLICKHOUSE_RESTORED' | 'CLICKHOUSE_REFUSED',
  ) => new HeadraceError(code, 'it went wrong');

  function trouble() {
    const [clock, log] = [new HurriedClock(), new FakeLog()];
    return { clock, log, trouble: new FollowerTrouble({ clock, log, random: seededRandom(1) }) };
  }

  it('holds all up for longer and longer, half a minute at most, in a line now and then, and says when it is over', () => {
    const { clock, log, trouble: met } = trouble();
    const waits: number[] = [];
    for (let times = 0; times < 12; times++) {
      met.met(error('CLICKHOUSE_UNREACHABLE'), 3);
      waits.push(met.untilMs - clock.monotonicMs());
      clock.advance(waits.at(-1)!);
    }
    expect(waits[0]).toBeLessThanOrEqual(250);
    expect(Math.max(...waits)).toBeLessThanOrEqual(30_000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(22_500);
    expect(log.lines.length).toBeLessThan(12);
    expect([met.isOn, met.halted]).toEqual([true, null]);
    met.over(3);
    expect([met.isOn, met.untilMs]).toEqual([false, 0]);
    expect(log.lines.at(-1)).toMatchObject({ level: 'info', fields: { files_behind: 3 } });
  });

  it('of several inserts that fail together is one', () => {
    const { trouble: met } = trouble();
    met.met(error('CLICKHOUSE_UNREACHABLE'), 0);
    const { untilMs } = met;
    met.met(error('CLICKHOUSE_UNREACHABLE'), 0);
    expect(met.untilMs).toBe(untilMs);
  });

  it('with tables that are not fit is looked at again in a minute, and a log that is too short ends it', () => {
    const { clock, log, trouble: met } = trouble();
    met.met(error('CLICKHOUSE_UNFIT'), 0);
    expect(met.untilMs - clock.monotonicMs()).toBe(60_000);
    met.met(error('CLICKHOUSE_RESTORED'), 0);
    expect([met.untilMs, met.halted?.code]).toEqual([Number.POSITIVE_INFINITY, 'CLICKHOUSE_RESTORED']);
    expect(log.with('not followed any more')).toHaveLength(1);
  });

  it('with one file holds up that one', () => {
    const { clock, trouble: met } = trouble();
    const first = met.file('a', error('CLICKHOUSE_REFUSED'), false) - clock.monotonicMs();
    const second = met.file('a', error('CLICKHOUSE_REFUSED'), false) - clock.monotonicMs();
    expect(second).toBeGreaterThan(first);
    expect([met.isOn, met.untilMs]).toEqual([false, 0]);
    met.took('a');
    expect(met.file('a', error('CLICKHOUSE_REFUSED'), false) - clock.monotonicMs()).toBeLessThanOrEqual(250);
  });
});

describe('a version that is ahead of what is known', () => {
  const ahead = (version: number, there: number[]) =>
    refuseAhead(
      0,
      version,
      { newestVersion: () => 3, readVersion: async (each) => (there.includes(each) ? [] : null) },
      () => new HeadraceError('OUTPUT_HALTED', 'ahead'),
    ).then(
      () => false,
      ({ message }: HeadraceError) => message === 'ahead',
    );

  it('is one that the table never had; one that another engine wrote, or that was cleaned up since, is not', async () => {
    expect(await ahead(3, [])).toBe(false);
    expect(await ahead(5, [4, 5])).toBe(false);
    expect(await ahead(5, [6])).toBe(false);
    expect(await ahead(5, [1, 2, 3, 4])).toBe(true);
  });
});
