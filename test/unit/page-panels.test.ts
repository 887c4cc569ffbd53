import { afterEach, describe, expect, it } from 'vitest';
import { lakeHistory } from '#src/commands/lake/history.js';
import { lakeShow } from '#src/commands/lake/show.js';
import type { VersionAnswer, VersionsAnswer } from '#src/page/client/version-answers.js';
import { info, LakeStory, printed, sessionRow } from '../support/lake-story.js';
import { withFolder } from '../support/lake-table.js';
import { PanelsRig } from '../support/panels-rig.js';

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
