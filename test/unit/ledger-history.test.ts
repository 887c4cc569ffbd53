import { describe, expect, it } from 'vitest';
import { appIdOf, isEndedAt, LedgerHistory, recoveryOf, type VersionFacts } from '#src/ledger/history.js';
import type { CutLaneEntry } from '#src/ledger/types.js';

const SOURCE = { group: 'a/group', topic: 'clicks' };
const TOPIC_ID = 'topic-id';

function lane(from: number, to: number, overrides: Partial<CutLaneEntry> = {}): CutLaneEntry {
  return {
    partition: 7,
    from,
    to,
    watermarkMs: null,
    marks: {},
    rows: 1,
    deadLetters: 0,
    crc: 5,
    parent: -1,
    ...overrides,
  };
}

function version(number: number, ...lanes: CutLaneEntry[]): VersionFacts {
  const cuts = lanes.map((entry, i) => ({
    id: `${number}${i}`,
    createdAtMs: 0,
    lanes: [entry],
    deadLetterFiles: [],
  }));
  return {
    version: number,
    entry: { format: 1, attempt: 'x', engine: 'e', semantics: 's', cuts },
    txns: [{ appId: appIdOf(SOURCE, TOPIC_ID, 7), version: BigInt(lanes.at(-1)!.to) }],
  };
}

describe('LedgerHistory', () => {
  it('follows a lane from its start through its cuts', () => {
    const history = new LedgerHistory(SOURCE);
    history.apply(version(1, lane(40, 40, { start: true, rows: 0 })));
    history.apply(version(2, lane(40, 50), lane(50, 60)));
    expect(history.lane(TOPIC_ID, 7)).toMatchObject({ startOffset: 40n, committedTo: 60n, version: 2 });
    expect(history.lane(TOPIC_ID, 7)!.cuts.map((cut) => cut.to)).toEqual([50n, 60n]);
    expect(history.lastSemantics).toBe('s');
  });

  it('passes over versions and transactions that are not ours', () => {
    const history = new LedgerHistory(SOURCE);
    history.apply({
      version: 1,
      entry: null,
      txns: [{ appId: 'headrace/another/clicks/topic-id/7', version: 3n }],
    });
    expect(history.lanes(TOPIC_ID)).toEqual([]);
  });

  it('tells the lanes of a recreated topic from those of its predecessor', () => {
    const history = new LedgerHistory(SOURCE);
    history.apply(version(1, lane(0, 10)));
    const recreated = {
      ...version(2, lane(0, 3)),
      txns: [{ appId: appIdOf(SOURCE, 'new-id', 7), version: 3n }],
    };
    history.apply(recreated);
    expect(history.lane(TOPIC_ID, 7)!.committedTo).toBe(10n);
    expect(history.lane('new-id', 7)!.committedTo).toBe(3n);
    expect(history.partitionsOf(recreated, TOPIC_ID)).toEqual([]);
    expect(history.partitionsOf(recreated, 'new-id')).toEqual([7]);
  });

  it('refuses our transaction id in a version without cuts of ours', () => {
    const history = new LedgerHistory(SOURCE);
    const facts = { version: 3, entry: null, txns: [{ appId: appIdOf(SOURCE, TOPIC_ID, 7), version: 3n }] };
    expect(() => history.apply(facts)).toThrow(/carries a lane's txn but none of our cuts/);
  });

  it('refuses cuts that leave a gap, overlap, or do not end at the txn', () => {
    const history = new LedgerHistory(SOURCE);
    history.apply(version(1, lane(0, 10)));
    expect(() => history.apply(version(2, lane(11, 20)))).toThrow(/do not join/);
    expect(() => history.apply(version(2, lane(9, 20)))).toThrow(/do not join/);
    const torn = {
      ...version(2, lane(10, 20)),
      txns: [{ appId: appIdOf(SOURCE, TOPIC_ID, 7), version: 21n }],
    };
    expect(() => history.apply(torn)).toThrow(/txn and its cuts differ/);
  });

  it('starts a lane over where the operator moved it, before or behind where it stood, and forgets what it knew', () => {
    for (const to of [5, 90]) {
      const history = new LedgerHistory(SOURCE);
      history.apply(version(1, lane(0, 0, { start: true, rows: 0 })));
      const known = { snapshot: { path: 'a', sizeBytes: 1 }, watermarkMs: 9, gaps: [{ from: 3, to: 4 }] };
      history.apply(version(2, lane(0, 30, { ...known, marks: { endOfInput: true } })));
      history.apply(version(3, lane(30, to, { reset: true, rows: 0 })));
      const state = history.lane(TOPIC_ID, 7)!;
      expect(state).toMatchObject({
        startOffset: BigInt(to),
        committedTo: BigInt(to),
        version: 3,
        resetIn: 3,
      });
      expect(state).toMatchObject({ snapshots: [], cuts: [], gaps: [], watermarkMs: null, endedAt: null });
      expect(recoveryOf(state, new Set())).toEqual({ snapshot: null, replay: [] });
      history.apply(version(4, lane(to, to + 10)));
      expect(recoveryOf(state, new Set())!.replay.map((cut) => cut.to)).toEqual([BigInt(to + 10)]);
    }
  });

  it('keeps the gaps that a lane passed', () => {
    const history = new LedgerHistory(SOURCE);
    history.apply(version(1, lane(0, 20, { gaps: [{ from: 5, to: 12 }] })));
    history.apply(version(2, lane(20, 30)));
    expect(history.lane(TOPIC_ID, 7)!.gaps).toEqual([{ from: 5, to: 12 }]);
  });

  it('keeps two snapshots and the cuts behind the older of them', () => {
    const history = new LedgerHistory(SOURCE);
    for (let i = 0; i < 6; i++) {
      history.apply(
        version(
          i,
          lane(i * 10, i * 10 + 10, i % 2 === 0 ? { snapshot: { path: `s${i}`, sizeBytes: 1 } } : {}),
        ),
      );
    }
    const state = history.lane(TOPIC_ID, 7)!;
    expect(state.snapshots.map((snapshot) => snapshot.path)).toEqual(['s2', 's4']);
    expect(state.cuts.map((cut) => cut.to)).toEqual([40n, 50n, 60n]);
  });
});

describe('recoveryOf', () => {
  function twoSnapshots() {
    const history = new LedgerHistory(SOURCE);
    history.apply(version(1, lane(0, 10, { snapshot: { path: 'a', sizeBytes: 1 } })));
    history.apply(version(2, lane(10, 20)));
    history.apply(version(3, lane(20, 30, { snapshot: { path: 'b', sizeBytes: 1 } })));
    history.apply(version(4, lane(30, 30, { marks: { endOfInput: true } })));
    return history.lane(TOPIC_ID, 7)!;
  }

  it('takes the newest snapshot and the cuts after it, one at the snapshot’s own offset included', () => {
    const recovery = recoveryOf(twoSnapshots(), new Set())!;
    expect(recovery.snapshot).toMatchObject({ path: 'b', offset: 30n });
    expect(recovery.replay.map((cut) => [cut.to, cut.marks])).toEqual([[30n, { endOfInput: true }]]);
  });

  it('falls back to the one before when the newest can not be read', () => {
    const recovery = recoveryOf(twoSnapshots(), new Set(['b']))!;
    expect(recovery.snapshot).toMatchObject({ path: 'a', offset: 10n });
    expect(recovery.replay.map((cut) => cut.to)).toEqual([20n, 30n, 30n]);
  });

  it('has no way left when neither can be read and the lane’s beginning was let go', () => {
    expect(recoveryOf(twoSnapshots(), new Set(['a', 'b']))).toBeNull();
  });

  it('of a snapshot of a cut that names the lane twice takes what comes after the second time', () => {
    const history = new LedgerHistory(SOURCE);
    const snapshot = { path: 'a', sizeBytes: 1 };
    const parts = version(1, lane(0, 10, { marks: { evictBeforeMs: 5 } }));
    parts.entry!.cuts[0]!.lanes.push(lane(10, 20, { snapshot }));
    parts.txns[0]!.version = 20n;
    history.apply(parts);
    history.apply(version(2, lane(20, 30)));
    const state = history.lane(TOPIC_ID, 7)!;
    expect(recoveryOf(state, new Set())!.replay.map((cut) => cut.to)).toEqual([30n]);
    expect(recoveryOf(state, new Set(['a']))!.replay.map((cut) => [cut.to, cut.marks])).toEqual([
      [10n, { evictBeforeMs: 5 }],
      [20n, {}],
      [30n, {}],
    ]);
  });

  it('joins very many cuts, but never over marks, so that they fit a ring', () => {
    const history = new LedgerHistory(SOURCE);
    for (let i = 0; i < 4_000; i++) {
      const marks = i === 1_000 ? { endOfInput: true } : {};
      history.apply(version(i, lane(i, i + 1, { crc: 2 ** 31 + i, deadLetters: 2, marks })));
    }
    const { replay } = recoveryOf(history.lane(TOPIC_ID, 7)!, new Set())!;
    expect(replay.length).toBeLessThan(1_003);
    expect(replay.at(-1)!.to).toBe(4_000n);
    expect(replay.filter((cut) => cut.marks.endOfInput).map((cut) => cut.to)).toEqual([1_001n]);
    const sum = (of: (cut: (typeof replay)[number]) => number) =>
      replay.reduce((all, cut) => all + of(cut), 0);
    expect(sum((cut) => cut.rows)).toBe(4_000);
    expect(sum((cut) => cut.deadLetters)).toBe(8_000);
    expect(sum((cut) => cut.crc) % 2 ** 32).toBe((4_000 * 2 ** 31 + (3_999 * 4_000) / 2) % 2 ** 32);
  });

  it('replays from the lane’s start when it has no snapshot', () => {
    const history = new LedgerHistory(SOURCE);
    history.apply(version(1, lane(5, 10)));
    expect(recoveryOf(history.lane(TOPIC_ID, 7)!, new Set())).toMatchObject({
      snapshot: null,
      replay: [{ to: 10n }],
    });
  });
});

describe('isEndedAt', () => {
  it('holds when a bounded run let the sessions out at the lane’s newest offset, whatever snapshots came after', () => {
    const history = new LedgerHistory(SOURCE);
    history.apply(version(1, lane(0, 10)));
    const state = history.lane(TOPIC_ID, 7)!;
    expect(isEndedAt(state, 10n)).toBe(false);
    history.apply(
      version(2, lane(10, 10, { marks: { endOfInput: true }, snapshot: { path: 'a', sizeBytes: 1 } })),
    );
    for (const path of ['b', 'c'])
      history.apply(version(3, lane(10, 10, { snapshot: { path, sizeBytes: 1 } })));
    expect(isEndedAt(state, 10n)).toBe(true);
    expect(isEndedAt(state, 11n)).toBe(false);
    history.apply(version(4, lane(10, 20)));
    expect(isEndedAt(state, 10n)).toBe(false);
  });

  it('holds for a lane in which there never was anything', () => {
    const history = new LedgerHistory(SOURCE);
    history.apply(version(1, lane(5, 5, { start: true, rows: 0 })));
    expect(isEndedAt(history.lane(TOPIC_ID, 7)!, 5n)).toBe(true);
  });
});

it('a log that is read anew from a checkpoint has its erasures once', async () => {
  const erasure = { id: 'e', files: [{ path: 'a', gone: [1], to: { path: 'a2', sizeBytes: 1 } }] };
  const erased = { version: 3, entry: { ...version(3, lane(0, 1)).entry!, cuts: [], erasure }, txns: [] };
  const history = new LedgerHistory(SOURCE);
  history.apply(erased);
  await history.begin({ version: 3, txns: [], readKept: async () => [erased] });
  expect(history.rewrites.of('a')).toEqual({ now: { path: 'a2', sizeBytes: 1 }, gone: [1] });
});
