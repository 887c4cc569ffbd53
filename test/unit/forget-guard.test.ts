import { describe, expect, it } from 'vitest';
import { deletable, retentionText } from '#src/commands/forget/topic-records.js';
import { behindText, freeFiles, whoIsBehind } from '#src/lake/maintenance/follower-guard.js';
import { planVacuum, STRAY_AGE_MS } from '#src/lake/maintenance/vacuum.js';

const need = (path: string, version: number | null, lanes: number[] | null = [0]) => ({
  path,
  version,
  lanes,
});
const place = (follower: string, partition: number, version: number) => ({ follower, partition, version });

describe('a file goes', () => {
  it('when every follower has passed its version in each of its lanes', () => {
    const files = [need('a', 4, [0, 1]), need('b', 9, [1])];
    const places = [place('ClickHouse', 0, 4), place('ClickHouse', 1, 8), place('ClickHouse', 2, -1)];
    expect(whoIsBehind(files, places)).toEqual([{ follower: 'ClickHouse', partition: 1, has: 8, needs: 9 }]);
    expect(freeFiles(files, places).map(({ path }) => path)).toEqual(['a']);
    expect(freeFiles(files, [...places, place('topics', 0, 3)])).toEqual([]);
    expect(behindText(whoIsBehind(files, places))).toBe(
      'ClickHouse has version 8 of partition 1 and needs 9',
    );
  });

  it('at once when no cut brought it, and late when nobody knows whose it is', () => {
    const behind = [place('ClickHouse', 5, -1)];
    expect(freeFiles([need('theirs', null)], behind)).toHaveLength(1);
    expect(freeFiles([need('of a checkpoint', 3, null)], behind)).toEqual([]);
    expect(behindText(whoIsBehind([need('x', 3, null)], behind))).toMatch(
      /has nothing of partition 5 and needs 3/,
    );
  });
});

describe('a vacuum', () => {
  const nowMs = 10 * STRAY_AGE_MS;
  const file = (path: string, ageMs: number) => ({ path, sizeBytes: 1, modifiedMs: nowMs - ageMs });
  const removedMs = new Map([
    ['gone', 5],
    ['late', 5],
    ['by others', 5],
    ['long ago', 2 * STRAY_AGE_MS],
  ]);
  const facts = {
    removedAtMs: (path: string) => (removedMs.has(path) ? nowMs - removedMs.get(path)! : null),
    needOf: (path: string) => need(path, path === 'late' ? 7 : 1),
    places: [place('ClickHouse', 0, 6)],
    isHeldByAll: false,
    nowMs,
    retentionMs: 0,
  };
  const beside = [
    file('gone', 9),
    file('late', 9),
    file('by others', 9),
    file('long ago', 9),
    file('young', STRAY_AGE_MS - 1),
    file('old', STRAY_AGE_MS),
  ];

  it('takes what was removed and what was never committed and is old, and no more', () => {
    const plan = planVacuum(beside, facts);
    expect(plan.free.map(({ path }) => path)).toEqual(['gone', 'by others', 'long ago', 'old']);
    expect(plan.held.map(({ path }) => path)).toEqual(['late']);
    expect(plan.young.map(({ path }) => path)).toEqual(['young']);
  });

  it('leaves what was removed less than the retention ago to those who read older versions', () => {
    const plan = planVacuum(beside, { ...facts, retentionMs: 2 * STRAY_AGE_MS });
    expect(plan.free.map(({ path }) => path)).toEqual(['long ago']);
    expect(plan.young.map(({ path }) => path)).toEqual(['gone', 'late', 'by others', 'young', 'old']);
  });

  it('takes nothing while a follower can’t be asked', () => {
    const plan = planVacuum([file('gone', 9)], { ...facts, isHeldByAll: true });
    expect(plan).toMatchObject({ free: [], held: [{ path: 'gone' }] });
  });
});

describe('of a topic of dead letters', () => {
  it('the beginning may be deleted as far as all of it is the person’s', () => {
    expect(deletable({ partition: 0, own: [3, 4, 9], firstOther: 6 })).toEqual({
      below: 5,
      records: 2,
      kept: 1,
    });
    expect(deletable({ partition: 0, own: [3, 4], firstOther: null })).toEqual({
      below: 5,
      records: 2,
      kept: 0,
    });
    expect(deletable({ partition: 0, own: [3], firstOther: 2 })).toBeNull();
    expect(deletable({ partition: 0, own: [], firstOther: null })).toBeNull();
  });

  it('the rest stays as long as its retention says', () => {
    const told = (policy: string | null, retentionMs: string | null) =>
      retentionText({ policy, retentionMs });
    expect(told('delete', '604800000')).toBe('it keeps records for 7 days');
    expect(told('delete', '7200000')).toBe('it keeps records for 2 h');
    expect(told('delete', '-1')).toBe('it keeps records for ever');
    expect(told('compact', '604800000')).toMatch(/compacted/);
    expect(told('compact,delete', '604800000')).toMatch(/7 days, and is compacted/);
    expect(told(null, null)).toBe('its retention is not told');
  });
});
