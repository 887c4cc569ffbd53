import { describe, expect, it } from 'vitest';
import { clickHousePlaces, snapshotPlace, vacuumPlace } from '#src/commands/forget/places.js';
import { type ForgetReport, isComplete, reportJson, reportText } from '#src/commands/forget/report.js';
import { HeadraceError } from '#src/errors.js';

const CAUGHT_UP = { places: [], behind: [], silent: [] };
const BEHIND = {
  places: [],
  behind: [{ follower: 'ClickHouse', partition: 2, has: 3, needs: 5 }],
  silent: [],
};
const need = (path: string) => ({ path, version: 5, lanes: [2], sizeBytes: 1, modifiedMs: 0 });
const model = { allowedLatenessMs: 1_000 };

describe('of a place', () => {
  it('old files are for --finish while a follower is behind, and it is said which', () => {
    const held = vacuumPlace({ free: [need('a')], held: [need('b')], young: [] }, 1, BEHIND);
    expect(held).toMatchObject({ found: '2 files', done: '1 file deleted', isOpen: true });
    expect(held.left).toBe('1 file: ClickHouse has version 3 of partition 2 and needs 5');
    const unread = vacuumPlace({ free: [], held: [], young: [] }, 0, CAUGHT_UP, ['x']);
    expect(unread).toMatchObject({ left: '1 file that could not be read: x', isOpen: false });
  });

  it('ClickHouse is for --finish when it failed or is behind, and not when nobody named it', () => {
    const report = {
      findings: [{ table: 'd.t', rows: 2, left: 0, isInLogs: false }],
      nameless: ['d.sums'],
    };
    expect(clickHousePlaces(report, CAUGHT_UP).map(({ done, isOpen }) => [done, isOpen])).toEqual([
      ['2 rows deleted', false],
      ['nothing', false],
    ]);
    expect(clickHousePlaces(report, BEHIND)[0]).toMatchObject({
      isOpen: true,
      left: expect.stringMatching(/behind/),
    });
    const logged = { ...report, findings: [{ ...report.findings[0]!, isInLogs: true }] };
    expect(clickHousePlaces(logged, CAUGHT_UP)[0]!.left).toMatch(/query_log/);
    const failed = new HeadraceError('CLICKHOUSE_UNREACHABLE', 'it is away');
    expect(clickHousePlaces(failed, CAUGHT_UP)).toMatchObject([
      { isOpen: true, left: expect.stringMatching(/away/) },
    ]);
    expect(clickHousePlaces(null, CAUGHT_UP)).toMatchObject([{ isOpen: false }]);
  });

  it('snapshots say until when a partition knows the person', () => {
    const empty = { held: new Map(), all: [], unread: [] };
    const lane = { partition: 7, state: 'in use' as const, older: [], heldMs: Date.UTC(2026, 0, 1, 0, 1) };
    const place = snapshotPlace(
      { before: empty, after: empty, lanes: [lane], deleted: 0, single: [] },
      model,
      false,
    );
    expect(place).toMatchObject({ isOpen: true, done: 'nothing' });
    expect(place.left).toMatch(
      /partition 7 still knows the person, until its event time is past 2026-01-01T00:01:01\.000Z/,
    );
    const single = snapshotPlace(
      { before: empty, after: empty, lanes: [], deleted: 2, single: [3] },
      model,
      false,
    );
    expect(single).toMatchObject({
      isOpen: false,
      done: '2 snapshots replaced; one is left of partition 3 until its next',
    });
  });
});

describe('a report', () => {
  const report: ForgetReport = {
    id: 'abc',
    key: 'user_id',
    table: '/t',
    dryRun: false,
    versions: [1234],
    places: [
      { place: 'table', found: '1 row', done: 'taken out', left: null, isOpen: false },
      {
        place: 'ClickHouse',
        found: '1 row',
        done: 'nothing',
        left: 'a reason that takes more room than a column has',
        isOpen: true,
      },
    ],
  };

  it('is a table with long reasons below it, and says what is to be done', () => {
    const lines = reportText(report).split('\n');
    expect(lines[0]).toBe('Table /t, a person by user_id, erasure abc');
    expect(lines[3]).toMatch(/^table +1 row +taken out +nothing$/);
    expect(lines[4]).toMatch(/^ClickHouse +1 row +nothing +\(1\)$/);
    expect(lines[5]).toBe('(1) ClickHouse: a reason that takes more room than a column has');
    expect(lines.slice(6).join(' ')).toMatch(/version 1,234.*--finish abc --key user_id=… --yes/);
    expect(isComplete(report)).toBe(false);
    expect(JSON.parse(reportJson(report))).toMatchObject({ complete: false, id: 'abc' });
  });

  it('of what was only shown, or is whole, or was only about files, says so', () => {
    const whole = { ...report, places: [report.places[0]!] };
    expect(reportText({ ...report, dryRun: true })).toMatch(/Nothing was changed\. --yes does it\.$/);
    expect(reportText(whole)).toMatch(/All that is ours to erase is gone\.$/);
    expect(reportText({ ...whole, key: null })).toMatch(/with --key only\.$/);
  });
});
