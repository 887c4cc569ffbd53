import { describe, expect, it } from 'vitest';
import { judgeOffsets } from '#src/commands/run/group-offsets.js';
import { resolveConfig } from '#src/config/load.js';
import { offsetNote, tableOfNote } from '#src/ledger/offset-note.js';
import { FakeLog } from '../support/fake-log.js';
import { NEEDED, SURROUNDINGS } from './config-cases.js';

const config = resolveConfig({ name: 'engine.yaml', text: NEEDED }, {}, SURROUNDINGS);

function judged(notes: Record<number, string>, tellMoved?: boolean): FakeLog {
  const log = new FakeLog();
  const found = new Map(
    Object.entries(notes).map(([partition, metadata]) => [Number(partition), { offset: 5n, metadata }]),
  );
  judgeOffsets({ config, tableId: 'ours', log }, found, tellMoved);
  return log;
}

describe('the committed offsets of a group', () => {
  it('of this table, and of early 0.1, say nothing', () => {
    expect(judged({ 0: offsetNote('ours', 7), 1: 'headrace version=3' }).lines).toEqual([]);
  });

  it('of another table are refused', () => {
    expect(() => judged({ 0: offsetNote('ours', 7), 4: offsetNote('theirs', 9) })).toThrow(
      expect.objectContaining({
        code: 'LAKE_NOT_OURS',
        where: expect.objectContaining({ partition: 4, their_table: 'theirs', our_table: 'ours' }),
      }),
    );
  });

  it('that others wrote are told of in one line, once', () => {
    const { lines } = judged({ 3: '', 1: 'kafka-ui' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'warn', fields: { partitions: '1,3' } });
    expect(judged({ 3: '' }, false).lines).toEqual([]);
  });

  it('carry a note that can be read back', () => {
    expect(tableOfNote(offsetNote('0f-1', 12))).toBe('0f-1');
    expect(tableOfNote('headrace table= version=1')).toBeNull();
  });
});
