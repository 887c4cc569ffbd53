import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dlqList, type LettersReport } from '#src/commands/dlq/list.js';
import { lakeHistory } from '#src/commands/lake/history.js';
import { lakeShow } from '#src/commands/lake/show.js';
import type { LakeConfig } from '#src/config/types.js';
import { openStore } from '#src/lake/store/open-store.js';
import type { LettersAnswer } from '#src/page/client/letter-answers.js';
import type { TailAnswer } from '#src/page/client/tail-answers.js';
import type { VersionAnswer, VersionsAnswer } from '#src/page/client/version-answers.js';
import { LakeStory, printed, sessionRow } from '../support/lake-story.js';
import { withFolder } from '../support/lake-table.js';
import { letter, writeLetterTable } from '../support/letter-table.js';
import { type MinioServer, startMinio } from '../support/minio.js';
import { PanelsRig } from '../support/panels-rig.js';

/** What the page asks of a table, where that lies in a bucket: the same as the commands say. The process that looks is the real one. */
const TEST_MS_MAX = 240_000;
let minio: MinioServer;

beforeAll(async () => {
  minio = await startMinio();
}, TEST_MS_MAX);
afterAll(() => minio?.close());

/** A table of a folder, as it is, in the bucket. */
async function inBucket(folder: string, prefix: string): Promise<LakeConfig> {
  const place = minio.place(prefix);
  const store = await openStore(place);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    await store.put(relative(folder, path), await readFile(path));
  }
  return place;
}

async function said<T>(command: (out: ReturnType<typeof printed>) => Promise<unknown>): Promise<T> {
  const out = printed();
  await command(out);
  return JSON.parse(out.said.stdout) as T;
}

describe('the page of an engine whose table lies in a bucket', { timeout: TEST_MS_MAX }, () => {
  it('has versions, the table at one of them, and rows as they come', async () => {
    await withFolder(async (folder) => {
      const story = await LakeStory.begin(join(folder, 'lake'));
      await story.cut([sessionRow('a', 0, 0, 3), sessionRow('b', 0, 0, 1)]);
      await story.cut([sessionRow('a', 0, 0, 3, -1), sessionRow('a', 0, 1, 4)]);
      const lake = await inBucket(story.folder, 'told/sessions');
      const rig = await PanelsRig.open(lake, { facts: () => ({ tableVersion: 2, lanes: [] }) });
      try {
        const { newest, versions } = (await rig.get('/api/versions')).body as VersionsAnswer;
        const history = await said<{ version: number; rowsAdded: number }[]>(({ stdout, stderr }) =>
          lakeHistory({ lake, limit: 50, json: true, stdout, stderr }),
        );
        expect(newest).toBe(2);
        expect(versions.map(({ version, rowsAdded }) => [version, rowsAdded])).toEqual(
          history.map(({ version, rowsAdded }) => [version, rowsAdded]).reverse(),
        );
        const { past, now } = (await rig.get('/api/version?version=1')).body as VersionAnswer;
        expect([past.rows, now.rows]).toEqual([2, 4]);
        for (const { version, files, rows, bytes } of [past, now]) {
          const shown = await said<object>(({ stdout }) =>
            lakeShow({ lake, version: String(version), files: false, json: true, stdout }),
          );
          expect(shown).toMatchObject({ files, rows, bytes });
        }
        const [tail] = (await rig.heard('/api/tail/sessions', 1)) as [TailAnswer];
        expect(tail).toMatchObject({ looked: 4, passed: 0, trouble: null });
        expect(rig.log.lines).toEqual([]);
      } finally {
        await rig.close();
      }
    });
  });

  it('has the latest dead letters', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(join(folder, 'lake'), {
        one: [3, [letter(1, 'malformed'), letter(2, 'late')]],
        two: [0, [letter(101, 'malformed')]],
      });
      const lake = await inBucket(join(folder, 'lake'), 'letters/sessions');
      const rig = await PanelsRig.open(lake);
      try {
        const shown = (await rig.get('/api/letters')).body as LettersAnswer;
        const { newest } = await said<LettersReport>(({ stdout }) =>
          dlqList({ lake, newest: 50, json: true, stdout }),
        );
        expect(newest).toHaveLength(3);
        const places = (letters: readonly { partition: number; offset: number; reason: string }[]) =>
          letters.map(({ partition, offset, reason }) => [partition, offset, reason]);
        expect(places(shown.letters)).toEqual(places(newest));
      } finally {
        await rig.close();
      }
    });
  });

  it('says what to do where the bucket is not there, and no key', async () => {
    const lake = { ...minio.place('none'), path: 's3://no-such-bucket/sessions' };
    const rig = await PanelsRig.open(lake);
    try {
      const { status, body } = await rig.get('/api/versions');
      expect(status).toBe(503);
      expect(body).toMatchObject({ error: expect.stringMatching(/no such bucket/) });
      const secret = (await readFile(minio.keyFiles.secretAccessKey, 'utf8')).trim();
      expect(JSON.stringify(body)).not.toContain(secret);
    } finally {
      await rig.close();
    }
  });
});
