import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { lakeHistory } from '#src/commands/lake/history.js';
import { lakeShow } from '#src/commands/lake/show.js';
import type { LettersAnswer, ReplayAnswer } from '#src/page/client/letter-answers.js';
import type { VersionAnswer, VersionsAnswer } from '#src/page/client/version-answers.js';
import { info, LakeStory, printed, sessionRow } from '../support/lake-story.js';
import { withFolder } from '../support/lake-table.js';
import { letter, writeLetterTable } from '../support/letter-table.js';
import { fakeHelper, PanelsRig } from '../support/panels-rig.js';
import { rawExchange, statusOf } from '../support/raw-http.js';

/** The table through time, dead letters and their replay, as pages ask for them. The process that looks is the real one. */
let rig: PanelsRig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

async function story(work: (story: LakeStory) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const told = await LakeStory.begin(`${folder}/lake`);
    await told.cut([sessionRow('a', 0, 0, 3), sessionRow('b', 0, 0, 1)]);
    await told.cut([sessionRow('a', 0, 0, 3, -1), sessionRow('a', 0, 1, 4), sessionRow('c', 1, 0, 7)]);
    rig = await PanelsRig.open(told.folder);
    await work(told);
  });
}

async function history(lake: string) {
  const { said, ...out } = printed();
  await lakeHistory({ lake, limit: null, json: true, ...out });
  return JSON.parse(said.stdout) as Record<string, unknown>[];
}

async function shown(lake: string, version: number) {
  const { said, stdout } = printed();
  await lakeShow({ lake, version: String(version), files: false, json: true, stdout });
  return JSON.parse(said.stdout) as {
    files: number;
    rows: number;
    bytes: number;
    lanes: { appId: string; offset: string }[];
  };
}

describe('the table through time', () => {
  it('has the versions that lake history has, the newest first', async () => {
    await story(async ({ folder }) => {
      const { status, body } = await rig!.get('/api/versions');
      expect(status).toBe(200);
      const { newest, versions } = body as VersionsAnswer;
      expect(newest).toBe(2);
      const told = await history(folder);
      expect([...versions].reverse()).toEqual(
        told.map(({ time, readable, lanes, ...story }) => ({
          ...story,
          timeMs: Date.parse(String(time)),
          isReadable: readable,
          lanes: (lanes as unknown[]).length,
        })),
      );
    });
  });

  it('is at a version what lake show says, beside the newest', async () => {
    await story(async ({ folder }) => {
      const { status, body } = await rig!.get('/api/version?version=1');
      expect(status).toBe(200);
      const { past, now, filesNew, filesGone, lanes } = body as VersionAnswer;
      const [first, last] = [await shown(folder, 1), await shown(folder, 2)];
      const sizes = ({ files, rows, bytes }: typeof first) => ({ files, rows, bytes });
      expect(past).toMatchObject({ version: 1, ...sizes(first) });
      expect(now).toMatchObject({ version: 2, ...sizes(last) });
      expect([past.rows, now.rows, filesNew, filesGone]).toEqual([2, 5, last.files - first.files, 0]);
      expect(lanes).toEqual([
        {
          lane: '0',
          appId: first.lanes[0]!.appId,
          past: first.lanes[0]!.offset,
          now: last.lanes[0]!.offset,
        },
      ]);
      expect(lanes[0]).toMatchObject({ past: '10', now: '20' });
    });
  });

  it('has no more than fifty versions', async () => {
    await story(async (told) => {
      for (let i = 0; i < 60; i++)
        await told.put([{ commitInfo: { ...info(`more-${i}`, [], i), operation: 'x'.repeat(900) } }]);
      const { versions } = (await rig!.get('/api/versions')).body as VersionsAnswer;
      expect(versions.map(({ version }) => version)).toEqual(Array.from({ length: 50 }, (_, i) => 62 - i));
      expect(versions[0]!.operation).toHaveLength(40);
    });
  });

  it.each([
    ['no version', ''],
    ['a version that is none', '?version=newest'],
    ['a negative one', '?version=-1'],
    ['one with an exponent', '?version=1e1'],
    ['a very long one', `?version=${'9'.repeat(5_000)}`],
    ['one with a path', '?version=../../etc/passwd'],
    ['one that is not there yet', '?version=3'],
  ])('refuses %s', async (_, query) => {
    await story(async () => {
      expect(await rig!.get(`/api/version${query}`)).toMatchObject({ status: 400 });
    });
  });

  it('says what is wrong where there is no table', async () => {
    await withFolder(async (folder) => {
      rig = await PanelsRig.open(`${folder}/none`);
      expect(await rig.get('/api/versions')).toMatchObject({
        status: 503,
        body: { error: expect.stringMatching(/no Delta table/) },
      });
      expect(rig.log.lines).toEqual([]);
    });
  });
});

describe('dead letters', () => {
  it('are the newest, of a reason if that is asked for, and fifty at most', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(folder, {
        1: [3, Array.from({ length: 60 }, (_, i) => letter(i + 1, 'missing_field'))],
        2: [3, [letter(101, 'malformed', { value: Buffer.from('{"a\u001b'), key: null, timestampMs: -1 })]],
      });
      rig = await PanelsRig.open(folder);
      const { status, body } = await rig.get('/api/letters');
      expect(status).toBe(200);
      const { letters, reasons, troubles, topic } = body as LettersAnswer;
      expect(letters.map(({ offset }) => offset)).toEqual([
        101,
        ...Array.from({ length: 49 }, (_, i) => 60 - i),
      ]);
      expect(letters[0]).toMatchObject({
        partition: 3,
        reason: 'malformed',
        value: '{"a·',
        key: null,
        version: 2,
      });
      expect(letters[1]).toMatchObject({ value: '{"a":1}', key: 'key-60', detail: 'a is missing' });
      expect([topic, troubles, reasons.includes('late')]).toEqual(['clicks', [], true]);
      const some = (await rig.get('/api/letters?reason=malformed&partition=3')).body as LettersAnswer;
      expect(some.letters.map(({ offset }) => offset)).toEqual([101]);
    });
  });

  it.each([
    ['a reason that is none', '?reason=nobody'],
    ['a reason of 5 KB', `?reason=${'late,'.repeat(1_000)}`],
    ['a partition that is none', '?partition=x'],
    ['partitions of 5 KB', `?partition=${'1,'.repeat(2_500)}`],
  ])('are refused of %s, and nobody looks', async (_, query) => {
    const { helper, asked } = fakeHelper(() => ({}));
    rig = await PanelsRig.open('/none', { helper });
    expect(await rig.get(`/api/letters${query}`)).toMatchObject({ status: 400 });
    expect(await rig.post(`/api/replay${query}`)).toMatchObject({ status: 400 });
    expect(asked).toEqual([]);
  });
});

const REPORT: ReplayAnswer = {
  ...{ topic: 'clicks', done: true, sent: 2, notesMissing: null, troubles: [] },
  reasons: [{ reason: 'late', letters: 3, sent: 2, replayedBefore: 1, refused: 0, gone: 0 }],
};

describe('a replay', () => {
  it('is asked for by POST, shown first, done with yes, and told in the log', async () => {
    const { helper, asked } = fakeHelper(() => REPORT);
    rig = await PanelsRig.open('/none', { helper });
    const { config } = rig;
    expect(await rig.post('/api/replay?reason=late')).toEqual({ status: 200, body: REPORT });
    expect(rig.log.lines).toEqual([]);
    expect(await rig.post('/api/replay?reason=late&partition=1,2&refused_too=1&yes=1')).toMatchObject({
      status: 200,
    });
    const only = { kind: 'replay', config };
    expect(asked).toEqual([
      { ...only, filter: { reason: 'late' }, refusedToo: false, yes: false },
      { ...only, filter: { reason: 'late', partition: '1,2' }, refusedToo: true, yes: true },
    ]);
    expect(rig.log.lines).toMatchObject([
      { level: 'info', fields: { topic: 'clicks', reason: 'late', sent: 2 } },
    ]);
  });

  it.each([
    ['by GET', 'GET', 'Origin: http://127.0.0.1:PORT', 405],
    ['by HEAD', 'HEAD', 'Origin: http://127.0.0.1:PORT', 405],
    ['by a page elsewhere', 'POST', 'Origin: https://evil.example', 403],
    ['by a form, whose page has no origin', 'POST', 'Origin: null', 403],
    ['without an origin', 'POST', 'X: y', 403],
    ['with a body', 'POST', 'Origin: http://127.0.0.1:PORT\r\nContent-Length: 5', 413],
    ['from another site', 'POST', 'Origin: http://127.0.0.1:PORT\r\nSec-Fetch-Site: cross-site', 403],
  ])('asked for %s is refused', async (_, method, headers, status) => {
    const { helper, asked } = fakeHelper(() => REPORT);
    rig = await PanelsRig.open('/none', { helper });
    const { host, port } = new URL(rig.url);
    const lines = `Host: ${host}\r\n${headers.replace('PORT', port)}\r\nConnection: close`;
    const request = `${method} /api/replay?yes=1 HTTP/1.1\r\n${lines}\r\n\r\n`;
    expect(statusOf((await rawExchange(rig.url, request)).answer)).toBe(status);
    expect(asked).toEqual([]);
  });

  it('into a table that is another’s is refused with what to do, and a line in the log', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(folder, { 1: [3, [letter(1, 'late')]] });
      rig = await PanelsRig.open(folder);
      const { status, body } = await rig.post('/api/replay?yes=1');
      const error = "the table's group is group, not another";
      expect([status, body]).toEqual([503, { error, remedy: expect.stringMatching(/configuration/) }]);
      expect(rig.log.lines).toMatchObject([{ level: 'warn', fields: { why: error } }]);
    });
  });
});

describe('those who follow', () => {
  const BATCH = { columns: ['event', 'key', 'value'], looked: 3, passed: 1, trouble: null };
  const facts = () => ({ tableVersion: 7, lanes: [{ partition: 2 }] as never });

  it('hear of rows and events with their filter, from where they left off', async () => {
    let batches = 0;
    const { helper, asked } = fakeHelper(() => {
      batches++;
      return { ...BATCH, rows: [[`2:${batches}`, null, 'x']], positions: { 2: batches } };
    });
    rig = await PanelsRig.open('/none', { helper, facts });
    const events = await rig.heard('/api/tail/events?filter=a%26b', 2);
    expect(events).toMatchObject([
      { ...BATCH, rows: [['2:1', null, 'x']] },
      { ...BATCH, rows: [['2:2', null, 'x']] },
    ]);
    expect(asked.slice(0, 2)).toMatchObject([
      { kind: 'events', filter: 'a&b', partitions: [2], after: {} },
      { kind: 'events', filter: 'a&b', partitions: [2], after: { 2: 1 } },
    ]);
    asked.length = 0;
    const [rows] = await rig.heard('/api/tail/sessions', 1);
    expect(rows).toMatchObject({ looked: 3 });
    // the version is the same: there is nothing to be asked again
    expect(asked.filter(({ kind }) => kind === 'sessions')).toMatchObject([
      { kind: 'sessions', filter: '', after: -1, upTo: 7 },
    ]);
  });

  it('are few, and with a short filter; nothing is asked when they have gone', async () => {
    const { helper, asked } = fakeHelper(() => ({ ...BATCH, rows: [], positions: {} }));
    rig = await PanelsRig.open('/none', { helper, facts }, 2);
    expect(await rig.get(`/api/tail/events?filter=${'x'.repeat(201)}`)).toMatchObject({ status: 400 });
    expect(asked).toEqual([]);
    const controller = new AbortController();
    const open = (filter: string) =>
      fetch(`${rig!.url}/api/tail/events?filter=${filter}`, { signal: controller.signal });
    expect((await Promise.all([open('a'), open('b')])).map(({ status }) => status)).toEqual([200, 200]);
    expect((await open('c')).status).toBe(503);
    expect((await fetch(`${rig.url}/api/tail/events`, { method: 'POST' })).status).toBe(405);
    controller.abort();
    await expect.poll(() => rig!.streams.open, { timeout: 20_000 }).toBe(0);
    // a turn that was under way may still ask once
    await setImmediate();
    const before = asked.length;
    for (let turn = 0; turn < 100; turn++) await setImmediate();
    expect(asked).toHaveLength(before);
  });
});
