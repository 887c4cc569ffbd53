import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepingFirstIds, type RawRecord, RawRecordFile, sessionsBySql } from '../support/oracle.js';
import { sessionsNaively } from '../support/oracle-naive.js';
import { makeSpineEvents } from '../support/spine-events.js';

/** The oracle of the spine's tests is itself checked: its SQL against plain JavaScript. */
const PARTITIONS = 5;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-oracle-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function records(): { records: RawRecord[]; halfOffsets: number[] } {
  const { events, half } = makeSpineEvents({ seed: 7, users: 600, events: 3000, spanMs: 4 * 3_600_000 });
  const next: number[] = new Array(PARTITIONS).fill(0);
  let halfOffsets: number[] = [];
  const list = events.map(({ userId, value }, index) => {
    if (index === half) halfOffsets = [...next];
    const partition = [...userId].reduce((sum, char) => sum + char.codePointAt(0)!, 0) % PARTITIONS;
    const offset = next[partition]!;
    next[partition] = offset + 1;
    return { partition, offset, key: Buffer.from(userId), value: Buffer.from(value) };
  });
  return { records: list, halfOffsets };
}

const byStart = <Row extends { session_start: number; user_id: string }>(rows: Row[]) =>
  rows.toSorted((a, b) => a.session_start - b.session_start || (a.user_id < b.user_id ? -1 : 1));

it('the SQL of the oracle gives the sessions that plain JavaScript gives, whole and up to an offset', async () => {
  const { records: all, halfOffsets } = records();
  const raw = new RawRecordFile(join(folder, 'raw.bin'));
  await raw.write(all);
  await raw.close();

  const whole = await sessionsBySql(folder, 'raw.bin');
  const naive = sessionsNaively(all);
  expect(byStart(whole)).toEqual(byStart(naive));

  const firstHalf = all.filter((record) => record.offset < halfOffsets[record.partition]!);
  const half = await sessionsBySql(folder, 'raw.bin', halfOffsets);
  expect(byStart(half)).toEqual(byStart(sessionsNaively(firstHalf)));

  // the awkward sessions are there: more pages and products than a row lists, starts moved by the second half
  expect(naive.some((row) => row.pages.length === 256 && row.page_views + row.clicks > 256)).toBe(true);
  expect(naive.some((row) => row.product_ids.length === 64)).toBe(true);
  const kept = keepingFirstIds(whole, half);
  const moved = kept.filter((row) => row.session_id !== `${row.user_id}:${row.session_start}`);
  expect(moved.length).toBeGreaterThan(10);
});
