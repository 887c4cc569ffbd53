import { describe, expect, it } from 'vitest';
import { basesOf, LaneCutsOfTable } from '#src/commands/ledger/lane-cuts.js';
import { RowFold } from '#src/commands/ledger/row-fold.js';
import type { Action } from '#src/lake/delta/actions.js';
import { LedgerHistory } from '#src/ledger/history.js';
import { factsOf } from '#src/ledger/ledger.js';
import type { CutLaneEntry } from '#src/ledger/types.js';
import { loadModel } from '#src/model/load.js';
import type { Row } from '#src/model/types.js';
import { laneEntry, SOURCE, TOPIC_ID } from '../support/fake-ledger.js';

const model = loadModel('clickstream');

/** A row with something in every column. */
function rowOf(sessionId: string, changes: Record<string, unknown> = {}): Row {
  const start = Date.UTC(2026, 0, 31, 23);
  return model.columns.map(({ name, type, op }) => {
    if (name in changes) return changes[name] as Row[number];
    if (op.op === 'session_id') return sessionId;
    if (op.op === 'sign') return 1;
    if (type === 'time') return start;
    if (type === 'uint64') return 7n;
    if (type === 'string') return `text "${name}" \ud800`;
    if (type === 'list<string>') return ['a', 'b'];
    return type === 'float' ? 1.5 : 3;
  });
}

/** What a reader of the file says of the same row. */
function textsOf(row: Row): string[] {
  return model.columns.map(({ type }, index) => {
    const value = row[index]!;
    if (value === null) return 'null';
    if (type === 'time') return JSON.stringify(new Date(value as number).toISOString());
    if (type === 'uint64') return JSON.stringify(String(value));
    return JSON.stringify(value).replaceAll('\\ud800', '\ufffd');
  });
}

describe('rows of both sides', () => {
  it('that are the same leave nothing, whatever file and cut they came with', () => {
    const fold = new RowFold(model);
    fold.ofLog(rowOf('a', { created_at: null, batch_id: null, file_id: null }));
    fold.ofTable(textsOf(rowOf('a')), '2026-01-31');
    expect(fold.size).toBe(0);
  });

  it('that were taken back on one side and never let out on the other are the same, too', () => {
    const fold = new RowFold(model);
    fold.ofLog(rowOf('a'));
    fold.ofLog(rowOf('a', { sign: -1 }));
    expect(fold.differences(10)).toEqual([]);
  });

  it('that differ in a column say both values; those of one side only are shown whole', () => {
    const fold = new RowFold(model);
    fold.ofLog(rowOf('a', { total_events: 4 }));
    fold.ofTable(textsOf(rowOf('a')), '2026-01-31');
    fold.ofLog(rowOf('b'));
    fold.ofTable(textsOf(rowOf('c')), '2026-01-31');
    expect(fold.sessions).toBe(3);
    const [first, second, third] = fold.differences(10);
    expect(first).toEqual({ sessionId: 'a', column: 'total_events', table: '3', log: '4' });
    expect(second).toMatchObject({ sessionId: 'b', column: 'the row', table: '–' });
    expect(third).toMatchObject({ sessionId: 'c', column: 'the row', log: '–' });
    expect(fold.differences(1)).toHaveLength(1);
  });

  it('that lie in the folder of another day differ', () => {
    const fold = new RowFold(model);
    fold.ofLog(rowOf('a'));
    fold.ofTable(textsOf(rowOf('a')), '2026-02-01');
    expect(fold.differences(10)).toEqual([
      { sessionId: 'a', column: 'session_date', table: '2026-02-01', log: '2026-01-31' },
    ]);
  });
});

describe('what the ledger says of a lane', () => {
  function tableOf(...entries: CutLaneEntry[]): LaneCutsOfTable {
    const cuts = new LaneCutsOfTable();
    const history = new LedgerHistory(SOURCE);
    for (const [version, entry] of entries.entries()) {
      const headrace = {
        format: 1,
        attempt: `${version}`,
        engine: 'e',
        semantics: 's',
        cuts: [{ id: `${version}`, createdAtMs: 0, lanes: [entry], deadLetterFiles: [] }],
      };
      const actions: Action[] = [
        { commitInfo: { timestamp: 1, operation: 'WRITE', headrace } },
        {
          txn: { appId: `headrace/${SOURCE.group}/${SOURCE.topic}/${TOPIC_ID}/3`, version: BigInt(entry.to) },
        },
      ];
      history.apply(factsOf({ version, actions }));
      cuts.take({ version, actions }, history);
    }
    return cuts;
  }
  const start = (at: number): CutLaneEntry => ({ ...laneEntry(3, at, at, -1), start: true, rows: 0 });
  const snapshot = { path: 's', sizeBytes: 1 };

  it('can be made again from its start and from each snapshot', () => {
    const cuts = tableOf(start(10), { ...laneEntry(3, 10, 20, 0), snapshot }, laneEntry(3, 20, 30, 1));
    const lane = cuts.lane(TOPIC_ID, 3)!;
    expect(basesOf(lane).map(({ offset, firstCut }) => [offset, firstCut])).toEqual([
      [10n, 0],
      [20n, 1],
    ]);
    expect(lane.cuts).toHaveLength(2);
  });

  it('begins anew where an operator moved it', () => {
    const moved: CutLaneEntry = { ...laneEntry(3, 20, 5, 1), reset: true, rows: 0 };
    const lane = tableOf(
      start(10),
      { ...laneEntry(3, 10, 20, 0), snapshot },
      moved,
      laneEntry(3, 5, 15, 2),
    ).lane(TOPIC_ID, 3)!;
    expect(basesOf(lane).map(({ offset }) => offset)).toEqual([5n]);
    expect(lane.cuts.map(({ entry }) => entry.to)).toEqual([15]);
  });
});
