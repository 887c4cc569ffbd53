import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepingFirstIds, type OracleRow, type RawRecord, RawRecordFile } from '../support/oracle.js';
import { sessionsNaively } from '../support/oracle-naive.js';
import { webClickSessionsNaively } from '../support/oracle-web-clicks-naive.js';
import { makeSpineEvents, type SpineForm } from '../support/spine-events.js';
import { CLICKSTREAM, type SpineModel, WEB_CLICKS } from '../support/spine-model.js';
import { differences, standingRows, type TableRow } from '../support/spine-table.js';

/** The oracle of the spine's tests is itself checked: its SQL against plain JavaScript. */
const PARTITIONS = 5;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-oracle-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function records(form: SpineForm, events: number): { records: RawRecord[]; halfOffsets: number[] } {
  const profile = { seed: 7, users: 600, events, spanMs: 4 * 3_600_000 };
  const { events: made, half } = makeSpineEvents(profile, form);
  const next: number[] = new Array(PARTITIONS).fill(0);
  let halfOffsets: number[] = [];
  const list = made.map(({ key, value }, index) => {
    if (index === half) halfOffsets = [...next];
    const partition = [...key].reduce((sum, char) => sum + char.codePointAt(0)!, 0) % PARTITIONS;
    const offset = next[partition]!;
    next[partition] = offset + 1;
    return { partition, offset, key: Buffer.from(key), value: Buffer.from(value) };
  });
  return { records: list, halfOffsets };
}

const byStart = <Row extends OracleRow>(rows: Row[]) =>
  rows.toSorted((a, b) => a.session_start - b.session_start || (a.session_id < b.session_id ? -1 : 1));

/** Sessions by SQL of all records and of their first half, each held against plain JavaScript's. */
async function compare<Row extends OracleRow>(
  { name, form, sessionsBySql }: SpineModel<Row>,
  naively: (records: readonly RawRecord[]) => Row[],
  events: number,
): Promise<{ whole: Row[]; half: Row[] }> {
  const { records: all, halfOffsets } = records(form, events);
  const raw = new RawRecordFile(join(folder, `${name}.bin`));
  await raw.write(all);
  await raw.close();
  const whole = await sessionsBySql(folder, `${name}.bin`);
  expect(byStart(whole)).toEqual(byStart(naively(all)));
  const firstHalf = all.filter((record) => record.offset < halfOffsets[record.partition]!);
  const half = await sessionsBySql(folder, `${name}.bin`, halfOffsets);
  expect(byStart(half)).toEqual(byStart(naively(firstHalf)));
  return { whole, half };
}

it('the SQL of the oracle gives the sessions that plain JavaScript gives, whole and up to an offset', async () => {
  const { whole, half } = await compare(CLICKSTREAM, sessionsNaively, 3000);

  // the awkward sessions are there: more pages and products than a row lists, starts moved by the second half
  expect(whole.some((row) => row.pages.length === 256 && row.page_views + row.clicks > 256)).toBe(true);
  expect(whole.some((row) => row.product_ids.length === 64)).toBe(true);
  const kept = keepingFirstIds(whole, half);
  const moved = kept.filter((row) => row.session_id !== `${row.user_id}:${row.session_start}`);
  expect(moved.length).toBeGreaterThan(10);
});

it('so does the SQL of web_clicks', async () => {
  const { whole } = await compare(WEB_CLICKS, webClickSessionsNaively, 6000);

  const lists = [
    'categories_visited',
    'article_ids_visited',
    'article_titles_visited',
    'page_events',
  ] as const;
  const lengths = whole.map((row) => lists.map((name) => JSON.parse(row[name]).length));
  expect(lengths).toContainEqual([1000, 1000, 1000, 1000]);
  expect(whole.some((row) => row.unique_categories_count > 1000 && row.pages_visited_count > 1000)).toBe(
    true,
  );
  // ids that come again within the gap: an end event lay between
  const last = new Map<string, number>();
  let ended = 0;
  for (const { session_id, session_start, session_end } of byStart(whole)) {
    if (session_start - (last.get(session_id) ?? 0) <= 30 * 60_000) ended += 1;
    last.set(session_id, session_end);
  }
  expect(ended).toBeGreaterThan(10);
});

/** A few of the naive sessions, and the rows that a sound table would have of them. */
function soundTable() {
  const sessions = sessionsNaively(records(CLICKSTREAM.form, 3000).records).slice(0, 50);
  const ofTheCut = { created_at: 1, batch_id: 2n, file_id: 3n, closed_by: 'gap', revision: 0, sign: 1 };
  const rows: TableRow[] = sessions.map(({ partition, ...session }) => ({ ...session, ...ofTheCut }));
  return { sessions, rows };
}

it('the comparison is silent for equal rows, and notices any column, row too many or row missing', () => {
  const { sessions, rows } = soundTable();
  expect(differences(standingRows(rows), sessions)).toEqual([]);
  for (const name of Object.keys(sessions[0]!).filter((column) => column !== 'partition')) {
    const changed = rows.with(7, { ...rows[7], [name]: 'something else' });
    expect(differences(changed, sessions).join(), name).toContain('something else');
    const { [name]: _, ...without } = rows[7]!;
    expect(differences(rows.with(7, without), sessions).length, name).toBeGreaterThan(0);
  }
  expect(differences(rows.slice(1), sessions).join()).toContain('missing');
  expect(differences(rows, sessions.slice(1)).join()).toContain('not expected');
  expect(differences([...rows.slice(1), { ...rows[0], added: 1 }], sessions).join()).toContain('added');
});

it('folding takes back exactly what was written, and refuses anything else', () => {
  const { sessions, rows } = soundTable();
  const old = { ...rows[0]!, total_events: 99, session_end: 5 };
  const back = { ...old, sign: -1, batch_id: 7n, file_id: 8n, created_at: 9 };
  const next = { ...rows[0]!, revision: 1 };
  expect(differences(standingRows([old, ...rows.slice(1), back, next]), sessions)).toEqual([]);
  expect(() => standingRows([...rows, rows[0]!])).toThrow(/stands twice/);
  expect(() => standingRows([old, ...rows.slice(1), next])).toThrow(/stands twice/);
  expect(() => standingRows([...rows, back])).toThrow(/never written/);
  expect(() => standingRows([old, { ...back, revision: 1 }])).toThrow(/never written/);
});
