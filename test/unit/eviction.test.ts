import { describe, expect, it } from 'vitest';
import { evictionOrder, type WorkerFacts } from '#src/lanes/eviction.js';
import type { EvictionOrder } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import { RoomMaker } from '../../workers/make-room.js';

const facts: WorkerFacts = {
  limitBytes: 1_000,
  sessionBytes: 900,
  gapMs: 1_600,
  lanes: [
    { partition: 3, sessionBytes: 200 },
    { partition: 1, sessionBytes: 500 },
    { partition: 2, sessionBytes: 200 },
  ],
};

describe('an order to make room', () => {
  it('asks the most idle first, of the largest lane first, from 85 % down to 75 %', () => {
    expect(evictionOrder(facts)).toEqual({
      aboveBytes: 850,
      untilBytes: 750,
      idleMs: [1_600, 1_200, 800, 400],
      partitions: [1, 2, 3],
      spacingMs: 100,
    });
  });

  const sent: [number, boolean][] = [
    [0, false],
    [499, false],
    [500, true],
    [1_200, true],
  ];
  it.each(sent)('with %i of 1000 bytes taken is sent along: %s', (sessionBytes, isSent) => {
    expect(evictionOrder({ ...facts, sessionBytes }) !== null).toBe(isSent);
  });

  it('is not sent when no lane could give', () => {
    expect(evictionOrder({ ...facts, lanes: [] })).toBeNull();
  });
});

/** A lane whose sessions are the times of their last events, ten bytes each. */
class Lane {
  readonly marks: Marks[] = [];
  readonly partition: number;
  watermarkMs: number | null;
  lastMs: number[];

  constructor(partition: number, watermarkMs: number | null, ...lastMs: number[]) {
    this.partition = partition;
    this.watermarkMs = watermarkMs;
    this.lastMs = lastMs;
  }

  get openSessions(): number {
    return this.lastMs.length;
  }

  applyMarks(marks: Marks): void {
    this.marks.push(marks);
    this.lastMs = this.lastMs.filter((lastMs) => lastMs >= marks.evictBeforeMs!);
  }
}

const order: EvictionOrder = {
  aboveBytes: 45,
  untilBytes: 35,
  idleMs: [1_000, 500],
  partitions: [1, 0],
  spacingMs: 100,
};

function follow(maker: RoomMaker<Lane>, some: Partial<EvictionOrder>, ...lanes: Lane[]) {
  const bytes = () => lanes.reduce((sum, { openSessions }) => sum + openSessions * 10, 0);
  const byPartition = new Map(lanes.map((lane) => [lane.partition, lane]));
  return Object.fromEntries(maker.follow({ ...order, ...some }, byPartition, bytes));
}

describe('a worker that is told to make room', () => {
  it('does nothing while it is not too full', () => {
    const lane = new Lane(0, 10_000, 1, 2, 3, 4);
    expect(follow(new RoomMaker(), {}, lane)).toEqual({});
    expect(lane.marks).toEqual([]);
  });

  it('stops at the lane that gave enough', () => {
    const [zero, one] = [new Lane(0, 10_000, 1, 2, 3), new Lane(1, 10_000, 1, 2, 9_001)];
    expect(follow(new RoomMaker(), { untilBytes: 40 }, zero, one)).toEqual({
      1: { beforeMs: 9_000, sessions: 2 },
    });
    expect(one.lastMs).toEqual([9_001]);
    expect(zero.marks).toEqual([]);
  });

  it('asks for less idle ones when the idle ones were not enough, and reports one mark a lane', () => {
    const zero = new Lane(0, 10_000, 9_400, 9_600, 9_700, 9_800);
    const one = new Lane(1, 20_000, 18_000, 19_400, 19_600);
    expect(follow(new RoomMaker(), { untilBytes: 0 }, zero, one)).toEqual({
      1: { beforeMs: 19_500, sessions: 2 },
      0: { beforeMs: 9_500, sessions: 1 },
    });
    // what one mark does at once is what the steps did
    const again = new Lane(1, 20_000, 18_000, 19_400, 19_600);
    again.applyMarks({ evictBeforeMs: 19_500 });
    expect(again.lastMs).toEqual(one.lastMs);
  });

  it('reports a mark that found nothing too, since a replay may do it again', () => {
    const lane = new Lane(0, 10_000, 9_900, 9_901, 9_902, 9_903, 9_904);
    expect(follow(new RoomMaker(), {}, lane)).toEqual({ 0: { beforeMs: 9_500, sessions: 0 } });
  });

  it('asks a lane again only when time has gone on', () => {
    const maker = new RoomMaker<Lane>();
    const lane = new Lane(0, 10_000, 9_900, 9_901, 9_902, 9_903, 9_904);
    follow(maker, {}, lane);
    lane.watermarkMs = 10_099;
    expect(follow(maker, {}, lane)).toEqual({});
    lane.watermarkMs = 10_100;
    expect(follow(maker, {}, lane)).toEqual({ 0: { beforeMs: 9_600, sessions: 0 } });
  });

  it('leaves a lane alone that has no events yet, or takes no part in the cut', () => {
    const empty = new Lane(0, null, 1, 2, 3, 4, 5);
    expect(follow(new RoomMaker(), { partitions: [7, 0] }, empty)).toEqual({});
    expect(empty.marks).toEqual([]);
  });
});
