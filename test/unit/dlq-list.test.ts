import { describe, expect, it } from 'vitest';
import { dlqList, type LettersReport } from '#src/commands/dlq/list.js';
import { dlqShow } from '#src/commands/dlq/show.js';
import { lakeAt } from '#src/config/lake-place.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { DeadLetter } from '#src/model/types.js';
import { withFolder } from '../support/lake-table.js';
import { LETTERS_FOLDER, letter, NOON_MS, writeLetterTable } from '../support/letter-table.js';

const FILES: Record<string, [number, DeadLetter[]]> = {
  '1': [3, [letter(1, 'missing_field'), letter(2, 'missing_field')]],
  '2': [3, [letter(101, 'malformed', { value: null, key: null, timestampMs: -1, detail: 'no value' })]],
  '3': [
    3,
    [0, 5].map((item) => letter(201, 'missing_field', { item, detail: `event ${item}: a is missing` })),
  ],
};

function collected() {
  const out = { text: '' };
  const stdout = (text: string) => {
    out.text += text;
  };
  return { out, stdout };
}

describe('headrace dlq list', () => {
  it('counts what the ledger names, and nothing else, the newest first', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(folder, FILES);
      const { out, stdout } = collected();
      expect(await dlqList({ lake: lakeAt(folder), newest: 3, json: true, stdout })).toBe(0);
      const report = JSON.parse(out.text) as LettersReport;
      expect(report).toMatchObject({ topic: 'clicks', version: 3, letters: 5, troubles: [] });
      expect(report.counts).toEqual([
        {
          reason: 'missing_field',
          partition: 3,
          letters: 4,
          firstOffset: 1,
          lastOffset: 201,
          newestMs: NOON_MS + 201,
        },
        { reason: 'malformed', partition: 3, letters: 1, firstOffset: 101, lastOffset: 101, newestMs: -1 },
      ]);
      expect(report.newest.map(({ offset, item }) => [offset, item])).toEqual([
        [201, 5],
        [201, 0],
        [101, null],
      ]);
    });
  });

  it('shows two tables and what to type next', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(folder, FILES);
      const { out, stdout } = collected();
      await dlqList({ lake: lakeAt(folder), newest: 3, json: false, stdout });
      expect(out.text).toMatch(/^missing_field +3 +4 +1 +201 +2026-01-31 12:00:00\.201$/m);
      expect(out.text).toMatch(
        /^ *3:201:5 +2026-01-31 12:00:00\.201 +missing_field +event 5: a is missing +key-201$/m,
      );
      expect(out.text).toMatch(/^ *3:101 +– +malformed +no value +–$/m);
      expect(out.text).toContain(`headrace dlq show --lake ${folder} 3:201:5`);
    });
  });

  it('names a file that is gone, and goes on with the others', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(folder, FILES);
      await new LocalStore(folder).delete(`${LETTERS_FOLDER}2`);
      const { out, stdout } = collected();
      await dlqList({ lake: lakeAt(folder), newest: 1, json: false, stdout });
      expect(out.text).toMatch(/^4 dead letters$/m);
      expect(out.text).toMatch(/^Left out: _headrace\/dead-letters\/2 is not there$/m);
    });
  });
});

describe('headrace dlq show', () => {
  const shown = async (folder: string, named: string, json = false, model: string | null = null) => {
    const { out, stdout } = collected();
    await dlqShow({ lake: lakeAt(folder), model, letter: named, json, stdout });
    return out.text;
  };

  it('shows a letter with its coordinates, its headers and where it was committed', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(folder, FILES);
      const text = await shown(folder, '3:2');
      expect(text).toMatch(/^Dead letter 3:2 of topic clicks$/m);
      expect(text).toMatch(/^committed +in version 1, _headrace\/dead-letters\/1$/m);
      expect(text).toMatch(
        /^headers +reason=missing_field detail=a is missing topic=clicks partition=3 offset=2 timestamp=\d+$/m,
      );
      expect(text).toMatch(/^key +key-2 \(5 bytes\)$/m);
      expect(JSON.parse(await shown(folder, '3:2', true))).toMatchObject({
        topicId: 'topic-id',
        reason: 'missing_field',
        event: { a: 1 },
        problem: { field: 'a' },
        value: Buffer.from('{"a":1}').toString('base64'),
      });
      expect(await shown(folder, '3:101')).toMatch(/^key +–\nvalue +–\n\nno value$/m);
    });
  });

  it('marks the time of what came too late, where it knows the model', async () => {
    await withFolder(async (folder) => {
      const value = Buffer.from('{"timestamp":"2026-01-31T11:00:00Z"}');
      const late = letter(1, 'late', { value, detail: '5 ms behind the watermark' });
      await writeLetterTable(folder, { 1: [3, [late]] });
      const marked = await shown(folder, '3:1', false, 'clickstream');
      expect(marked).toMatch(/^ {2}"timestamp": "2026-01-31T11:00:00Z" {3}◀── 5 ms behind the watermark$/m);
      expect(await shown(folder, '3:1')).not.toMatch('◀──');
    });
  });

  it('of a message of several events shows the first, and which others there are', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(folder, FILES);
      expect(await shown(folder, '3:201')).toMatch(/^Dead letter 3:201:0 [\s\S]*^same message +3:201:5$/m);
      expect(await shown(folder, '3:201:5')).toMatch(/item=5/);
      await expect(shown(folder, '3:201:1')).rejects.toMatchObject({
        code: 'USAGE',
        remedy: 'of that message there are 3:201:0, 3:201:5',
      });
    });
  });

  it('says so when there is none, and how a letter is named', async () => {
    await withFolder(async (folder) => {
      await writeLetterTable(folder, FILES);
      await expect(shown(folder, '0:7')).rejects.toThrow('the table has no dead letter 0:7');
      await expect(shown(folder, '3')).rejects.toThrow(/named by partition:offset, such as 3:1204/);
    });
  });
});
