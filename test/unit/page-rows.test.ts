import { describe, expect, it } from 'vitest';
import { rowsBehind, shownColumns } from '#src/commands/page/latest-sessions.js';
import { columnsOf } from '#src/lake/reading/cell.js';
import { LakeStory, sessionRow } from '../support/lake-story.js';
import { withFolder } from '../support/lake-table.js';

describe('rows of the newest versions', () => {
  it('are those with the text, the newest first, fifty at most; others are counted', async () => {
    await withFolder(async (lake) => {
      const story = await LakeStory.begin(`${lake}/lake`);
      await story.cut([sessionRow('ann', 0, 0, 3), sessionRow('bob', 0, 0, 1)]);
      await story.cut(Array.from({ length: 80 }, (_, i) => sessionRow(`s${i}`, 0, 0, i)));
      await story.cut([sessionRow('ann', 0, 0, 3, -1), sessionRow('ann', 0, 1, 4)]);
      const all = columnsOf(story.log.metaData);
      const columns = all.filter(({ name }) => ['session_id', 'revision', 'sign'].includes(name));
      const at = (name: string) => 1 + columns.findIndex((column) => column.name === name);
      const read = (filter: string, after = -1) =>
        rowsBehind(story.store, columns, { after, upTo: 3, filter });
      const [id, revision, sign] = ['session_id', 'revision', 'sign'].map(at);
      const ann = await read('ANN');
      expect(ann.rows.map((row) => [row[0], row[id!], row[revision!], row[sign!]])).toEqual([
        ['3', 'ann', '1', '1'],
        ['3', 'ann', '0', '-1'],
        ['1', 'ann', '0', '1'],
      ]);
      expect([ann.looked, ann.passed, ann.columns[0]]).toEqual([84, 0, 'version']);
      const most = await read('');
      expect([most.rows.length, most.looked, most.passed]).toEqual([50, 50, 34]);
      expect((await read('', 2)).rows.map((row) => row[id!])).toEqual(['ann', 'ann']);
      expect((await read('nobody')).rows).toEqual([]);
      // of a wide table the first plain columns, and what tells a row's fate
      const names = shownColumns(all).map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['closed_by', 'revision', 'sign']));
      expect(names.length).toBeLessThanOrEqual(13);
    });
  });
});
