import { describe, expect, it } from 'vitest';
import {
  type HeldLane,
  hasContent,
  isSnapshotOld,
  lanesLost,
  mustList,
  planCommit,
  type SealedCut,
} from '#src/ledger/protocol.js';
import type { SealedFile, SealedLane, SealedReport } from '#src/ledger/types.js';

const IDLE_MS = 30_000;

function held(partition: number, overrides: Partial<HeldLane> = {}): HeldLane {
  return { partition, incarnation: 1, parent: 4, committedTo: 100n, lastCommitMs: 0, ...overrides };
}

function lanes(...list: HeldLane[]): Map<number, HeldLane> {
  return new Map(list.map((lane) => [lane.partition, lane]));
}

function sealed(partition: number, to: bigint, overrides: Partial<SealedLane> = {}): SealedLane {
  return {
    partition,
    incarnation: 1,
    to,
    watermarkMs: 1_000,
    marks: {},
    rows: 0,
    deadLetters: 0,
    crc: 0,
    openSessions: 0,
    evicted: 0,
    sessionBytes: 0,
    snapshot: null,
    ...overrides,
  };
}

function file(path: string, ...partitions: number[]): SealedFile {
  return { path, partitionValues: {}, sizeBytes: 1, rows: 1, stats: '{}', lanes: partitions };
}

function report(cutId: string, worker: number, list: SealedLane[], files: SealedFile[] = []): SealedReport {
  return { cutId, worker, sessionBytes: 0, lanes: list, files, deadLetterFile: null };
}

function cut(id: string, ...reports: SealedReport[]): SealedCut {
  return { id, createdAtMs: 7, reports };
}

function committed(plan: ReturnType<typeof planCommit>) {
  if (!('cuts' in plan)) throw new Error('nothing was to be committed');
  return plan;
}

describe('planCommit', () => {
  it('commits a lane with rows, from the ledger’s offset to the cut’s, on top of its parent version', () => {
    const plan = committed(
      planCommit(
        [cut('1', report('1', 0, [sealed(3, 140n, { rows: 2, crc: 9 })], [file('a', 3)]))],
        lanes(held(3)),
        0,
        IDLE_MS,
      ),
    );
    expect(plan.cuts).toEqual([
      {
        id: '1',
        createdAtMs: 7,
        deadLetterFiles: [],
        files: [{ path: 'a', rows: 1, lanes: [3] }],
        lanes: [
          {
            partition: 3,
            from: 100,
            to: 140,
            watermarkMs: 1_000,
            marks: {},
            rows: 2,
            deadLetters: 0,
            crc: 9,
            parent: 4,
          },
        ],
      },
    ]);
    expect(plan.lanes).toEqual([{ partition: 3, incarnation: 1, to: 140n }]);
    expect(plan.files.map((each) => each.path)).toEqual(['a']);
  });

  it('leaves a cut without rows, dead letters and marks pending until the lane’s last commit is old', () => {
    const cuts = [cut('1', report('1', 0, [sealed(0, 150n)]))];
    expect(planCommit(cuts, lanes(held(0)), IDLE_MS - 1, IDLE_MS)).toEqual({ resets: [] });
    expect(committed(planCommit(cuts, lanes(held(0)), IDLE_MS, IDLE_MS)).lanes).toEqual([
      { partition: 0, incarnation: 1, to: 150n },
    ]);
  });

  it('says whose rows lie in which file, in the order in which they were let out, and only of committed files', () => {
    const voided = sealed(2, 110n, { rows: 1, incarnation: 7 });
    const cuts = [
      cut(
        '1',
        report(
          '1',
          0,
          [sealed(0, 110n, { rows: 1 }), sealed(1, 110n, { rows: 1 })],
          [file('a', 0, 1), file('b', 1)],
        ),
      ),
      cut(
        '2',
        report('2', 1, [voided], [file('c', 2)]),
        report('2', 0, [sealed(0, 120n, { rows: 1 })], [file('d', 0)]),
      ),
    ];
    const plan = committed(planCommit(cuts, lanes(held(0), held(1), held(2)), 0, IDLE_MS));
    expect(plan.cuts.map((each) => each.files)).toEqual([
      [
        { path: 'a', rows: 1, lanes: [0, 1] },
        { path: 'b', rows: 1, lanes: [1] },
      ],
      [{ path: 'd', rows: 1, lanes: [0] }],
    ]);
  });

  it('writes the txn of a lane with marks although its offset did not move', () => {
    const cuts = [cut('1', report('1', 0, [sealed(0, 100n, { marks: { endOfInput: true } })]))];
    const plan = committed(planCommit(cuts, lanes(held(0)), 0, IDLE_MS));
    expect(plan.lanes).toEqual([{ partition: 0, incarnation: 1, to: 100n }]);
  });

  it('always commits a cut that carries a snapshot', () => {
    const snapshot = { path: 's', sizeBytes: 5, offset: 100n, cutId: '1' };
    const cuts = [cut('1', report('1', 0, [sealed(0, 100n, { snapshot })]))];
    const plan = committed(planCommit(cuts, lanes(held(0)), 0, IDLE_MS));
    expect(plan.cuts[0]!.lanes[0]!.snapshot).toEqual({ path: 's', sizeBytes: 5 });
    expect(plan.snapshots).toEqual([{ partition: 0, ...snapshot }]);
  });

  it('joins the cuts of a lane, and gives the way of an empty one to the next', () => {
    const cuts = [
      cut('1', report('1', 0, [sealed(0, 110n), sealed(1, 120n, { rows: 1 })], [file('a', 1)])),
      cut('2', report('2', 0, [sealed(0, 130n, { rows: 1 }), sealed(1, 140n)], [file('b', 0)])),
    ];
    const plan = committed(planCommit(cuts, lanes(held(0), held(1)), 0, IDLE_MS));
    const spans = plan.cuts.map((each) => each.lanes.map((lane) => [lane.partition, lane.from, lane.to]));
    expect(spans).toEqual([
      [[1, 100, 120]],
      [
        [0, 100, 130],
        [1, 120, 140],
      ],
    ]);
  });

  it('joins the parts of a lane that gave up sessions within a cut, in order of their offsets', () => {
    const marks = { evictBeforeMs: 5 };
    const parts = (...list: [bigint, Partial<SealedLane>][]) => list.map(([to, more]) => sealed(0, to, more));
    const cuts = [
      cut('1', report('1', 0, parts([110n, {}], [120n, { marks }], [130n, {}]))),
      cut('2', report('2', 0, parts([140n, { marks }], [150n, { rows: 1 }], [160n, {}]))),
    ];
    const plan = committed(planCommit(cuts, lanes(held(0)), 0, IDLE_MS));
    const spans = plan.cuts.map((each) => each.lanes.map((lane) => [lane.from, lane.to, lane.marks]));
    expect(spans).toEqual([
      [[100, 120, marks]],
      [
        [120, 140, marks],
        [140, 150, {}],
        [150, 160, {}],
      ],
    ]);
    expect(plan.lanes).toEqual([{ partition: 0, incarnation: 1, to: 160n }]);
  });

  it('drops what an older incarnation of a lane sealed', () => {
    const cuts = [cut('1', report('1', 0, [sealed(0, 150n, { rows: 1 })], [file('a', 0)]))];
    expect(planCommit(cuts, lanes(held(0, { incarnation: 2 })), 0, IDLE_MS)).toEqual({ resets: [] });
  });

  it('drops a file with a void lane, and resets the other lanes whose rows lie in it, and theirs', () => {
    const cuts = [
      cut(
        '1',
        report(
          '1',
          0,
          [0, 1, 2, 3].map((partition) => sealed(partition, 150n, { rows: 1 })),
          [file('a', 0, 1), file('b', 1, 2), file('c', 3)],
        ),
      ),
    ];
    const plan = committed(planCommit(cuts, lanes(held(1), held(2), held(3)), 0, IDLE_MS));
    expect(plan.files.map((each) => each.path)).toEqual(['c']);
    expect(plan.lanes.map((lane) => lane.partition)).toEqual([3]);
    expect(plan.resets.sort()).toEqual([1, 2]);
  });

  it('does not commit a later cut of a lane whose earlier one was dropped', () => {
    const cuts = [
      cut(
        '1',
        report('1', 0, [sealed(0, 150n, { rows: 1 }), sealed(1, 150n, { rows: 1 })], [file('a', 0, 1)]),
      ),
      cut('2', report('2', 0, [sealed(1, 160n, { rows: 1 })], [file('b', 1)])),
    ];
    expect(planCommit(cuts, lanes(held(1)), 0, IDLE_MS)).toEqual({ resets: [1] });
  });

  it('commits a new incarnation of a lane although an older one in an earlier cut is void', () => {
    const cuts = [
      cut('1', report('1', 0, [sealed(0, 150n, { rows: 1 })], [file('a', 0)])),
      cut('2', report('2', 0, [sealed(0, 130n, { rows: 1, incarnation: 2 })], [file('b', 0)])),
    ];
    const plan = committed(planCommit(cuts, lanes(held(0, { incarnation: 2 })), 0, IDLE_MS));
    expect(plan.files.map((each) => each.path)).toEqual(['b']);
    expect(plan.resets).toEqual([]);
  });

  it('treats a dead-letter file like a data file', () => {
    const voided: SealedReport = {
      ...report('1', 0, [sealed(0, 150n, { deadLetters: 1 }), sealed(1, 150n, { deadLetters: 1 })]),
      deadLetterFile: { path: 'd', sizeBytes: 1, letters: 2, lanes: [0, 1] },
    };
    expect(planCommit([cut('1', voided)], lanes(held(1)), 0, IDLE_MS)).toEqual({ resets: [1] });
    const plan = committed(planCommit([cut('1', voided)], lanes(held(0), held(1)), 0, IDLE_MS));
    expect(plan.cuts[0]!.deadLetterFiles).toEqual([{ path: 'd', sizeBytes: 1, letters: 2 }]);
  });
});

describe('lanesLost', () => {
  it('names the lanes whose txn a foreign version carries above the version their state was built on', () => {
    expect(
      lanesLost(5, [1, 2], [held(1, { parent: 4 }), held(2, { parent: 5 }), held(3, { parent: 0 })]),
    ).toEqual([1]);
  });
});

describe('hasContent', () => {
  it('sees rows, dead letters, marks and snapshots, but no mere movement', () => {
    expect(hasContent(sealed(0, 1n))).toBe(false);
    expect(hasContent(sealed(0, 1n, { rows: 1 }))).toBe(true);
    expect(hasContent(sealed(0, 1n, { deadLetters: 1 }))).toBe(true);
    expect(hasContent(sealed(0, 1n, { marks: { idleWatermarkMs: 0 } }))).toBe(true);
    expect(hasContent(sealed(0, 1n, { marks: { early: false } }))).toBe(false);
  });
});

describe('the log of a table that others clean up', () => {
  const kept = 60_000;
  const at = (monotonicMs: number, wallMs = monotonicMs) => ({ monotonicMs, wallMs });

  it('is listed before it is believed behind a gap of more than half the time for which it is kept', () => {
    expect(mustList(at(0), at(30_000), kept)).toBe(false);
    expect(mustList(at(0), at(30_001), kept)).toBe(true);
  });

  it('is listed behind a machine that slept, where only the wall clock went on', () => {
    expect(mustList(at(0, 0), at(5, 30_001), kept)).toBe(true);
    expect(mustList(at(0, 0), at(30_001, -3_600_000), kept)).toBe(true);
  });

  it('is written a snapshot again of a lane whose last one is older than a quarter of that, or of unknown age', () => {
    expect(isSnapshotOld(0, 15_000, kept)).toBe(false);
    expect(isSnapshotOld(0, 15_001, kept)).toBe(true);
    expect(isSnapshotOld(null, 0, kept)).toBe(true);
  });
});
