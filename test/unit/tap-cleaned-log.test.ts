import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { newVersions } from '#src/commands/tap/new-versions.js';
import { TapOutput } from '#src/commands/tap/tap-options.js';
import { checkpointPath } from '#src/lake/delta/checkpoint.js';
import { versionPath } from '#src/lake/delta/path.js';
import { readableLog } from '#src/lake/reading/readable-log.js';
import { seededRandom } from '#src/random.js';
import { eventually, HurriedClock } from '../support/fake-time.js';
import { LakeStory, printed, sessionRow } from '../support/lake-story.js';
import { withFolder } from '../support/lake-table.js';

describe('a tap behind which the log is cleaned up', () => {
  /** Versions 0 to `last`, and a tap on them that has taken its first look at what is not there. */
  async function following(
    last: number,
    from: 'earliest' | 'latest',
    work: (tapped: {
      story: LakeStory;
      gone: string[];
      next(): Promise<number | null>;
      remove(first: number, last: number): Promise<void>;
    }) => Promise<void>,
  ): Promise<void> {
    await withFolder(async (folder) => {
      const story = await LakeStory.begin(join(folder, 'lake'));
      for (let version = 1; version <= last; version++) await story.cut([sessionRow(`${version}`, 0, 0, 1)]);
      const log = (await readableLog(story.store))!;
      const gone: string[] = [];
      const end = new AbortController();
      const versions = newVersions(
        { store: story.store, log },
        {
          ...{ from, signal: end.signal, clock: new HurriedClock() },
          onGone: (first, to) => gone.push(`${first}–${to}`),
        },
      );
      const next = async () => (await versions.next()).value?.version ?? null;
      const remove = async (first: number, to: number) => {
        for (let version = first; version <= to; version++) await story.store.delete(versionPath(version));
      };
      try {
        await work({ story, gone, next, remove });
      } finally {
        end.abort();
      }
    });
  }

  it('goes on with the first version that is left, and names those that are gone', async () => {
    await following(5, 'earliest', async ({ story, gone, next, remove }) => {
      expect(await next()).toBe(0);
      await story.store.put(checkpointPath(4), Buffer.from('what it says is no matter here'));
      await remove(0, 3);
      expect([await next(), await next()]).toEqual([4, 5]);
      expect(gone).toEqual(['1–3']);
      // it waits for version 6, which is cleaned up before it has looked
      await story.cut([]);
      await story.cut([]);
      await remove(5, 6);
      expect(await next()).toBe(7);
      expect(gone).toEqual(['1–3', '6–6']);
    });
  });

  it('goes on behind a checkpoint where no version is left, once one comes', async () => {
    await following(3, 'latest', async ({ story, gone, next, remove }) => {
      await story.cut([]);
      await story.cut([]);
      await story.store.put(checkpointPath(5), Buffer.from('what it says is no matter here'));
      await remove(0, 5);
      const coming = next();
      await eventually('versions are gone', () => gone.length > 0);
      expect(gone).toEqual(['4–5']);
      await story.cut([]);
      expect(await coming).toBe(6);
    });
  });

  it('waits on while there is none, however long', async () => {
    await following(1, 'latest', async ({ story, gone, next }) => {
      const lists = vi.spyOn(story.store, 'list');
      const coming = next();
      await eventually('it was looked for often', () => lists.mock.calls.length > 5);
      await story.cut([]);
      expect(await coming).toBe(2);
      expect(gone).toEqual([]);
    });
  });

  it('ends when the table is gone, or another one is there', async () => {
    await following(3, 'latest', async ({ next, remove }) => {
      await remove(1, 3);
      await expect(next()).rejects.toThrow(/neither version 3, which was there, nor one behind it/);
    });
  });

  it('tells people in one line', () => {
    const { said, stdout, stderr } = printed();
    const options = {
      ...{ filters: [], limit: null, percent: null, perSecond: null, from: 'latest' as const, json: true },
      ...{ stdout, stderr },
    };
    const output = new TapOutput(options, new HurriedClock(), seededRandom(1));
    output.gone(1, 1);
    output.gone(3, 9);
    expect(said.stderr).toBe(
      "version 1 is gone: the table's log was cleaned up before it was read; on with version 2\n" +
        "versions 3 to 9 are gone: the table's log was cleaned up before they were read; on with version 10\n",
    );
  });
});
