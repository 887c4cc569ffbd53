import { describe, expect, it } from 'vitest';
import { Coordinator } from '#src/ledger/coordinator.js';
import type { Ledger } from '#src/ledger/ledger.js';
import type { CommitPlan, HeldLane } from '#src/ledger/protocol.js';
import type { CutCommand, CutLane, SealedLane, SealedReport } from '#src/ledger/types.js';
import { seededRandom } from '#src/random.js';
import { createTable, openLedger, storedVersions } from '../support/fake-ledger.js';
import { MemoryStore, turns } from '../support/fake-store.js';
import { HurriedClock, until } from '../support/fake-time.js';

const IDLE_MS = 30_000;

/** A coordinator whose workers are the test: lane p is kept by worker p. */
async function setUp(options: { store?: MemoryStore; engineId?: string; lanes?: number[] } = {}) {
  const { store = new MemoryStore(), engineId = 'ours', lanes = [0, 1] } = options;
  if (store.objects.size === 0) await createTable(store);
  const clock = new HurriedClock();
  const held = new Map<number, HeldLane>();
  const sent: CutCommand[] = [];
  const commits: { version: number; plan: CommitPlan }[] = [];
  const resets: number[][] = [];
  const fatal: unknown[] = [];
  const ledger = await openLedger(store, {
    engineId,
    clock,
    random: seededRandom(engineId.length + engineId.charCodeAt(0)),
  });
  const coordinator = new Coordinator({
    ledger,
    clock,
    random: seededRandom(6),
    idleCommitMs: IDLE_MS,
    held: () => held,
    sendCut: (command) => {
      sent.push(command);
      return [...new Set(command.lanes.map((lane) => lane.partition))];
    },
    onCommitted: (version, plan) => {
      commits.push({ version, plan });
      for (const { partition, to } of plan.lanes) {
        Object.assign(held.get(partition)!, {
          parent: version,
          committedTo: to,
          lastCommitMs: clock.monotonicMs(),
        });
      }
    },
    onResets: (partitions) => resets.push(partitions),
    onFatal: (error) => fatal.push(error),
  });
  if (lanes.length > 0) {
    await coordinator.startLanes(lanes.map((partition) => ({ partition, offset: 100n })));
    for (const partition of lanes) held.set(partition, heldLane(ledger, partition, clock));
  }
  return { store, clock, held, sent, commits, resets, fatal, ledger, coordinator };
}

function heldLane(ledger: Ledger, partition: number, clock: HurriedClock): HeldLane {
  const { version, committedTo } = ledger.lane(partition)!;
  return { partition, incarnation: 1, parent: version, committedTo, lastCommitMs: clock.monotonicMs() };
}

function cutOf(...partitions: number[]): CutLane[] {
  return partitions.map((partition) => ({ partition, incarnation: 1, marks: {}, snapshot: false }));
}

function report(cutId: string, partition: number, to: bigint, more: Partial<SealedLane> = {}): SealedReport {
  const lane: SealedLane = {
    partition,
    incarnation: 1,
    to,
    watermarkMs: null,
    marks: {},
    rows: 1,
    deadLetters: 0,
    crc: 0,
    openSessions: 0,
    evicted: 0,
    sessionBytes: 0,
    snapshot: null,
    ...more,
  };
  const path = `${cutId}-${partition}`;
  const file = { path, partitionValues: {}, sizeBytes: 1, rows: 1, stats: '{}', lanes: [partition] };
  return {
    cutId,
    worker: partition,
    sessionBytes: 0,
    lanes: [lane],
    files: lane.rows > 0 ? [file] : [],
    deadLetterFile: null,
  };
}

function settledFlag(work: Promise<unknown>): { done: boolean } {
  const flag = { done: false };
  void work.then(() => {
    flag.done = true;
  });
  return flag;
}

describe('cuts', () => {
  it('are committed in their order though the reports come out of order', async () => {
    const { coordinator, sent, commits, store } = await setUp();
    const cuts = [coordinator.cut(cutOf(0, 1)), coordinator.cut(cutOf(0, 1)), coordinator.cut(cutOf(0))];
    const [a, b, c] = sent.map((command) => command.cutId);
    coordinator.sealed(report(c!, 0, 130n));
    coordinator.sealed(report(b!, 1, 120n));
    coordinator.sealed(report(b!, 0, 120n));
    coordinator.sealed(report(a!, 1, 110n));
    await turns(5);
    expect(commits).toEqual([]);
    coordinator.sealed(report(a!, 0, 110n));
    await Promise.all(cuts);
    const entries = storedVersions(store).flatMap(({ facts }) => facts.entry!.cuts.slice());
    expect(entries.slice(1).map((cut) => cut.id)).toEqual([a, b, c]);
    expect(coordinator.cutsInFlight).toBe(0);
  });

  it('that are sealed behind the first are committed together with it', async () => {
    const { coordinator, sent, commits } = await setUp();
    const cuts = [coordinator.cut(cutOf(0)), coordinator.cut(cutOf(0))];
    coordinator.sealed(report(sent[1]!.cutId, 0, 120n));
    coordinator.sealed(report(sent[0]!.cutId, 0, 110n));
    await Promise.all(cuts);
    expect(commits).toHaveLength(1);
    expect(commits[0]!.plan.cuts.map(({ lanes }) => [lanes[0]!.from, lanes[0]!.to])).toEqual([
      [100, 110],
      [110, 120],
    ]);
  });

  it('without content are committed only when the lane’s last commit is old', async () => {
    const { coordinator, sent, commits, clock } = await setUp();
    const emptyCut = async (to: bigint) => {
      const cut = coordinator.cut(cutOf(0));
      coordinator.sealed(report(sent.at(-1)!.cutId, 0, to, { rows: 0 }));
      await cut;
    };
    await emptyCut(110n);
    clock.advance(IDLE_MS - 1_000);
    await emptyCut(115n);
    expect(commits).toEqual([]);
    clock.advance(1_000);
    await emptyCut(120n);
    expect(commits.map(({ plan }) => plan.cuts[0]!.lanes[0])).toMatchObject([{ from: 100, to: 120 }]);
  });

  it('that no worker takes part in are over at once', async () => {
    const { coordinator, commits } = await setUp();
    await coordinator.cut([]);
    expect(commits).toEqual([]);
  });

  it('leave out a lane that was reset while they were sealed, and reset what shared a file with it', async () => {
    const { coordinator, sent, commits, resets, held } = await setUp();
    const cut = coordinator.cut(cutOf(0, 1));
    const { cutId } = sent[0]!;
    const shared = report(cutId, 0, 110n);
    shared.lanes.push({ ...shared.lanes[0]!, partition: 1 });
    shared.files[0]!.lanes.push(1);
    held.get(1)!.incarnation = 2;
    coordinator.sealed({ ...shared, worker: 0 });
    coordinator.sealed({
      cutId,
      worker: 1,
      sessionBytes: 0,
      lanes: [],
      files: [],
      deadLetterFile: null,
    });
    await cut;
    expect(commits).toEqual([]);
    expect(resets).toEqual([[0]]);
  });

  it('count one report a worker, and none for a cut that is over', async () => {
    const { coordinator, sent, commits } = await setUp();
    const cut = coordinator.cut(cutOf(0, 1));
    const { cutId } = sent[0]!;
    coordinator.sealed(report(cutId, 0, 110n));
    coordinator.sealed(report(cutId, 0, 140n));
    coordinator.sealed(report(cutId, 1, 110n));
    await cut;
    coordinator.sealed(report(cutId, 1, 150n));
    await turns(5);
    expect(commits).toHaveLength(1);
    expect(commits[0]!.plan.lanes.map(({ to }) => to)).toEqual([110n, 110n]);
  });

  it('have ids that grow, each once, below 2⁶³, also while the clock stands still or goes back', async () => {
    const { coordinator, clock } = await setUp();
    const ids: bigint[] = [];
    for (let i = 0; i < 1_000; i++) {
      ids.push(BigInt(coordinator.newCutId()));
      if (i % 100 === 0) clock.advance(i % 200 === 0 ? -50 : 20);
    }
    expect(ids.every((id, i) => i === 0 || id > ids[i - 1]!)).toBe(true);
    expect(ids.at(-1)! < 2n ** 63n).toBe(true);
  });
});

describe('idle', () => {
  it('waits for the cuts that are under way, not for those that begin meanwhile', async () => {
    const { coordinator, sent } = await setUp();
    void coordinator.cut(cutOf(0));
    const idle = settledFlag(coordinator.idle());
    void coordinator.cut(cutOf(1));
    await turns(5);
    expect(idle.done).toBe(false);
    coordinator.sealed(report(sent[0]!.cutId, 0, 110n));
    await until('idle', () => idle.done, 100);
    expect(coordinator.cutsInFlight).toBe(1);
  });
});

describe('a commit that can not be', () => {
  it('ends the engine once, and nothing is tried again', async () => {
    const { coordinator, sent, fatal, held, commits } = await setUp();
    void coordinator.cut(cutOf(0));
    void coordinator.cut(cutOf(0));
    held.get(0)!.committedTo = 500n;
    coordinator.sealed(report(sent[0]!.cutId, 0, 110n));
    await until('a fatal error', () => fatal.length > 0, 100);
    coordinator.sealed(report(sent[1]!.cutId, 0, 600n));
    await turns(20);
    expect(fatal).toHaveLength(1);
    expect(fatal[0]).toMatchObject({ code: 'INVARIANT' });
    expect(commits).toEqual([]);
  });
});

describe('the start of lanes', () => {
  it('is one commit of their first offsets, without a file', async () => {
    const { ledger, store } = await setUp({ lanes: [3, 8] });
    expect(storedVersions(store)).toHaveLength(2);
    expect(storedVersions(store)[1]!.paths).toEqual([]);
    expect(ledger.lane(8)).toMatchObject({ startOffset: 100n, committedTo: 100n, version: 1, cuts: [] });
  });

  it('leaves lanes as they are that another engine started in the same moment', async () => {
    const store = new MemoryStore();
    const a = await setUp({ store, engineId: 'a', lanes: [] });
    const b = await setUp({ store, engineId: 'b', lanes: [] });
    await Promise.all([
      a.coordinator.startLanes([
        { partition: 0, offset: 10n },
        { partition: 1, offset: 10n },
      ]),
      b.coordinator.startLanes([
        { partition: 1, offset: 77n },
        { partition: 2, offset: 77n },
      ]),
    ]);
    await a.ledger.refresh();
    await b.ledger.refresh();
    const starts = (ledger: Ledger) => [0, 1, 2].map((partition) => ledger.lane(partition)!.startOffset);
    expect(starts(a.ledger)).toEqual(starts(b.ledger));
    expect([10n, 77n]).toContain(starts(a.ledger)[1]);
    expect([starts(a.ledger)[0], starts(a.ledger)[2]]).toEqual([10n, 77n]);
    expect(storedVersions(store)).toHaveLength(3);
  });

  it('writes nothing when others started them all', async () => {
    const { coordinator, store } = await setUp();
    await coordinator.startLanes([{ partition: 0, offset: 5n }]);
    expect(storedVersions(store)).toHaveLength(2);
  });
});
