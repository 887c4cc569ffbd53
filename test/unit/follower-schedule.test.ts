import { describe, expect, it } from 'vitest';
import { FollowerSchedule } from '#src/followers/clickhouse/schedule.js';
import type { LedgerFile } from '#src/followers/ledger-files.js';

function file(path: string, version: number, lanes: number[], index = 0): LedgerFile {
  return { path, version, index, rows: 10, sizeBytes: 1, lanes, fileId: '1', date: '2026-01-01' };
}

/** Holds lanes 0 and 1 from the start of the table; `versions[v]` are the files of version v. */
function scheduleOf(versions: LedgerFile[][], lanes = [0, 1]): FollowerSchedule {
  const schedule = new FollowerSchedule();
  for (const lane of lanes) schedule.hold(lane, -1);
  for (const [version, files] of versions.entries()) schedule.addVersion(version, files);
  return schedule;
}

const names = (files: readonly LedgerFile[]) => files.map(({ path }) => path);

/** Brings a due file to its end. */
function bringIn(schedule: FollowerSchedule, path: string): void {
  schedule.prepared([path], 0, 0);
  schedule.trying(path);
  schedule.succeeded(path);
  schedule.recorded([path]);
}

describe('the schedule', () => {
  it('lets files go side by side that share no lane, and those of a lane one behind the other', () => {
    const schedule = scheduleOf([[file('a', 0, [0]), file('b', 0, [1], 1)], [file('c', 1, [0, 1])]]);
    expect(names(schedule.toPrepare(0))).toEqual(['a', 'b']);
    bringIn(schedule, 'b');
    expect(names(schedule.toPrepare(0))).toEqual(['a']);
    bringIn(schedule, 'a');
    expect(names(schedule.toPrepare(0))).toEqual(['c']);
  });

  it('begins the next file of a lane only when the done row of the one before is written', () => {
    const schedule = scheduleOf([[file('a', 0, [0])], [file('b', 1, [0])]]);
    schedule.prepared(['a'], 0, 0);
    schedule.trying('a');
    schedule.succeeded('a');
    expect(names(schedule.toPrepare(0))).toEqual([]);
    expect(names(schedule.toRecord())).toEqual(['a']);
    schedule.recorded(['a']);
    expect(names(schedule.toPrepare(0))).toEqual(['b']);
  });

  it('moves the position of a lane to where something is still to come, and that of others on', () => {
    const schedule = scheduleOf([[file('a', 0, [0])], [file('b', 1, [1])], [], [file('c', 3, [0])]]);
    expect([...schedule.positions()]).toEqual([
      [0, -1],
      [1, 0],
    ]);
    bringIn(schedule, 'a');
    bringIn(schedule, 'b');
    expect([...schedule.positions()]).toEqual([
      [0, 2],
      [1, 3],
    ]);
    expect(schedule.isDone(3)).toBe(false);
    bringIn(schedule, 'c');
    expect([schedule.isDone(3), schedule.isDone(4)]).toEqual([true, false]);
  });

  it('leaves files alone that have no held lane, or that all held lanes have', () => {
    const schedule = new FollowerSchedule();
    schedule.hold(0, 0);
    expect(schedule.cursor).toBe(1);
    schedule.hold(1, 1);
    schedule.addVersion(1, [file('a', 1, [1]), file('b', 1, [2], 1), file('c', 1, [0, 2], 2)]);
    schedule.othersAt(new Map([[2, 0]]));
    expect(names(schedule.toPrepare(0))).toEqual(['c']);
  });

  it('has files that are others’ too wait for the others’ files before them, but not for shared ones', () => {
    const schedule = new FollowerSchedule();
    schedule.hold(0, 1);
    schedule.addVersion(2, [file('a', 2, [1])]);
    schedule.addVersion(3, [file('b', 3, [0, 1])]);
    schedule.addVersion(4, [file('c', 4, [0, 1])]);
    expect(schedule.awaited()).toEqual([1]);
    expect(names(schedule.toPrepare(0))).toEqual([]);
    schedule.othersAt(new Map([[1, 1]]));
    expect(names(schedule.toPrepare(0))).toEqual([]);
    schedule.othersAt(new Map([[1, 2]]));
    expect(schedule.awaited()).toEqual([]);
    expect(names(schedule.toPrepare(0))).toEqual(['b']);
    bringIn(schedule, 'b');
    expect(names(schedule.toPrepare(0))).toEqual(['c']);
    // what lies before the walk began went by unseen
    const late = new FollowerSchedule();
    late.hold(0, 6);
    late.addVersion(7, [file('d', 7, [0, 1])]);
    expect(late.awaited()).toEqual([1]);
    late.hold(1, 6);
    late.addVersion(7, [file('d', 7, [0, 1])]);
    expect([late.awaited(), names(late.toPrepare(0))]).toEqual([[], ['d']]);
  });

  it('has a file wait for one that is not in yet of a lane that went to another engine', () => {
    const schedule = scheduleOf([[file('a', 0, [0])], [file('b', 1, [0, 1])], [file('c', 2, [1])]]);
    schedule.foundIntent('a', 5);
    schedule.drop([0]);
    // it would cancel rows of the one in doubt, of which the other engine can't tell then whether it is in
    expect(names(schedule.toPrepare(0))).toEqual([]);
    expect(schedule.awaited()).toEqual([0]);
    schedule.othersAt(new Map([[0, 0]]));
    expect(names(schedule.toPrepare(0))).toEqual(['b']);
  });

  it('steps back for a lane that is behind the others, and sends nothing of theirs out of order', () => {
    const schedule = new FollowerSchedule();
    schedule.hold(0, 2);
    schedule.addVersion(3, [file('d', 3, [0])]);
    schedule.addVersion(4, [file('e', 4, [0])]);
    schedule.foundIntent('e', 5);
    schedule.hold(1, 0);
    expect(schedule.cursor).toBe(1);
    schedule.addVersion(1, [file('b', 1, [0, 1])]);
    // 'e' is known and in doubt, but 'd' is not here yet
    expect([names(schedule.toPrepare(0)), schedule.toSettle(0)]).toEqual([['b'], []]);
    bringIn(schedule, 'b');
    schedule.addVersion(2, []);
    schedule.addVersion(3, [file('d', 3, [0])]);
    schedule.addVersion(4, [file('e', 4, [0])]);
    expect([names(schedule.toPrepare(0)), schedule.toSettle(0)]).toEqual([['d'], []]);
    bringIn(schedule, 'd');
    expect(schedule.toSettle(0)).toEqual([{ file: file('e', 4, [0]), attempt: 0, intentAtMs: 5 }]);
  });

  it('keeps what lies below a step back', () => {
    const schedule = new FollowerSchedule();
    schedule.hold(0, -1);
    schedule.addVersion(0, [file('a', 0, [0])]);
    schedule.addVersion(1, []);
    schedule.addVersion(2, []);
    schedule.hold(1, 0);
    schedule.addVersion(1, []);
    schedule.addVersion(2, []);
    expect([...schedule.positions()]).toEqual([
      [0, -1],
      [1, 2],
    ]);
    expect(names(schedule.toPrepare(0))).toEqual(['a']);
  });

  it('reads no further while enough files wait', () => {
    const schedule = new FollowerSchedule({ openMax: 2 });
    schedule.hold(0, -1);
    expect(schedule.wantsVersion(-1)).toBe(false);
    expect(schedule.wantsVersion(9)).toBe(true);
    schedule.addVersion(0, [file('a', 0, [0]), file('b', 0, [0], 1)]);
    expect(schedule.wantsVersion(9)).toBe(false);
    expect(schedule.open).toEqual({ files: 2, rows: 20 });
    bringIn(schedule, 'a');
    expect(schedule.wantsVersion(9)).toBe(true);
  });

  it('takes a failed file for one in doubt, with the intent of its first try, not before its time', () => {
    const schedule = scheduleOf([[file('a', 0, [0])]]);
    schedule.prepared(['a'], 70, 0);
    schedule.trying('a');
    schedule.failed('a', 1_000);
    expect([schedule.toSettle(999), schedule.nextRetryMs(999)]).toEqual([[], 1_000]);
    expect(schedule.toSettle(1_000)).toMatchObject([{ intentAtMs: 70 }]);
    schedule.settled('a', 'send', 1_000);
    schedule.trying('a');
    schedule.failed('a', 2_000);
    expect(schedule.toSettle(2_000)).toMatchObject([{ intentAtMs: 70 }]);
    schedule.settled('a', 'present', 2_000);
    expect(names(schedule.toRecord())).toEqual(['a']);
  });

  it('forgets what it learnt when a file waits too long for its turn', () => {
    const schedule = scheduleOf([[file('a', 0, [0]), file('b', 0, [1], 1)]]);
    schedule.prepared(['a', 'b'], 70, 0);
    schedule.trying('b');
    schedule.failed('b', 0);
    schedule.settled('b', 'send', 0);
    expect(names(schedule.toInsert(3_000))).toEqual(['a', 'b']);
    expect(names(schedule.toInsert(3_001))).toEqual([]);
    expect(names(schedule.toPrepare(3_001))).toEqual(['a']);
    expect(schedule.toSettle(3_001)).toMatchObject([{ file: { path: 'b' } }]);
  });

  it('drops the files of lanes that go, but not what is under way', () => {
    const schedule = scheduleOf([[file('a', 0, [0]), file('b', 0, [1], 1)], [file('c', 1, [0, 1])]]);
    schedule.prepared(['a', 'b'], 0, 0);
    schedule.trying('a');
    schedule.drop([0]);
    expect(schedule.open.files).toBe(3);
    schedule.failed('a', 0);
    expect(schedule.open.files).toBe(2);
    schedule.drop([1]);
    expect(schedule.open.files).toBe(0);
    expect(schedule.isDone(9)).toBe(true);
  });

  it('after ClickHouse was set back, starts over and asks for files that it does not know any more', () => {
    const schedule = scheduleOf([[file('a', 0, [0])], [file('b', 1, [0])]]);
    bringIn(schedule, 'a');
    schedule.restart(new Map([[0, -1]]), 1);
    expect(schedule.cursor).toBe(0);
    schedule.addVersion(0, [file('a', 0, [0])]);
    schedule.addVersion(1, [file('b', 1, [0])]);
    schedule.addVersion(2, [file('c', 2, [1])]);
    const fresh = schedule.foundNothing([file('a', 0, [0]), file('c', 2, [1])]);
    expect(names(fresh)).toEqual(['c']);
    expect(schedule.toSettle(0)).toMatchObject([{ file: { path: 'a' }, attempt: 0, intentAtMs: null }]);
  });

  it('doubts what was in without a done row when the line breaks', () => {
    const schedule = scheduleOf([[file('a', 0, [0])]]);
    schedule.prepared(['a'], 70, 0);
    schedule.trying('a');
    schedule.succeeded('a');
    schedule.lineBroke();
    expect(schedule.toRecord()).toEqual([]);
    expect(schedule.toSettle(0)).toMatchObject([{ intentAtMs: 70 }]);
  });
});
