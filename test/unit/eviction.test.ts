import { describe, expect, it } from 'vitest';
import { evictionOrder } from '#src/lanes/eviction.js';
import type { EvictionOrder } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import { RoomMaker } from '../../workers/make-room.js';

describe('an order to make room', () => {
  it('holds from 85 % down to 75 %, and asks for the most idle first, never for less than a quarter of the gap', () => {
    expect(evictionOrder({ limitBytes: 1_000, gapMs: 1_600 })).toEqual({
      aboveBytes: 850,
      untilBytes: 750,
      idleMs: [1_600, 1_200, 800, 400],
      spacingMs: 100,
    });
  });

  it('is in whole bytes and milliseconds', () => {
    const order = evictionOrder({ limitBytes: 2 ** 24 + 1, gapMs: 1_001 });
    for (const value of [order.aboveBytes, order.untilBytes, ...order.idleMs, order.spacingMs]) {
      expect(Number.isSafeInteger(value)).toBe(true);
    }
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

  get sessionBytes(): number {
    return this.lastMs.length * 10;
  }

  /** Without marks: closes what is due, which here is nothing. */
  applyMarks(marks: Marks): void {
    if (marks.evictBeforeMs === undefined) return;
    this.marks.push(marks);
    this.lastMs = this.lastMs.filter((lastMs) => lastMs >= marks.evictBeforeMs!);
  }
}

const order: EvictionOrder = {
  aboveBytes: 45,
  untilBytes: 35,
  idleMs: [1_000, 500],
  spacingMs: 100,
};

function follow(maker: RoomMaker<Lane>, some: Partial<EvictionOrder>, ...lanes: Lane[]) {
  const bytes = () => lanes.reduce((sum, { sessionBytes }) => sum + sessionBytes, 0);
  const evictions = maker.follow({ ...order, ...some }, lanes, bytes);
  return Object.fromEntries([...evictions].map(([{ partition }, eviction]) => [partition, eviction]));
}

describe('a worker that is told to make room', () => {
  it('does nothing while it is not too full', () => {
    const lane = new Lane(0, 10_000, 1, 2, 3, 4);
    expect(follow(new RoomMaker<Lane>(), {}, lane)).toEqual({});
    expect(lane.marks).toEqual([]);
  });

  it('asks the largest lane first, and stops when enough has gone', () => {
    const [zero, one] = [new Lane(0, 10_000, 1, 2), new Lane(1, 10_000, 1, 2, 9_001, 9_002)];
    expect(follow(new RoomMaker<Lane>(), { untilBytes: 40 }, zero, one)).toEqual({
      1: { beforeMs: 9_000, sessions: 2 },
    });
    expect(one.lastMs).toEqual([9_001, 9_002]);
    expect(zero.marks).toEqual([]);
  });

  it('asks for less idle ones when the idle ones were not enough, and reports one mark a lane', () => {
    const zero = new Lane(0, 10_000, 9_400, 9_600, 9_700, 9_800);
    const one = new Lane(1, 20_000, 18_000, 19_400, 19_600);
    expect(follow(new RoomMaker<Lane>(), { untilBytes: 0 }, zero, one)).toEqual({
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
    expect(follow(new RoomMaker<Lane>(), {}, lane)).toEqual({ 0: { beforeMs: 9_500, sessions: 0 } });
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

  it('leaves a lane alone that has no events yet', () => {
    const empty = new Lane(0, null, 1, 2, 3, 4, 5);
    expect(follow(new RoomMaker<Lane>(), {}, empty)).toEqual({});
    expect(empty.marks).toEqual([]);
  });

  it('first closes what is due: that alone may be enough', () => {
    const lane = new Lane(0, 10_000, 1, 2, 3, 4, 5);
    lane.applyMarks = () => {
      lane.lastMs = [4, 5];
    };
    expect(follow(new RoomMaker<Lane>(), {}, lane)).toEqual({});
  });
});
