import { describe, expect, it } from 'vitest';
import {
  type CutTime,
  differsFromSnapshot,
  type LaneWishes,
  wantsCut,
  wantsSnapshot,
} from '#src/lanes/cut-wishes.js';

const TIME: CutTime = {
  nowMs: 100_000,
  wallMs: 1_000_000,
  idleCommitMs: 30_000,
  logKeptMs: 400_000,
  snapshotIntervalMs: 30_000,
};

/** A lane that stands at its newest snapshot, committed and cut. */
function standing(more: Partial<LaneWishes> = {}): LaneWishes {
  return {
    position: 50n,
    cutPosition: 50n,
    committedTo: 50n,
    lastCommitMs: 0,
    isHalted: false,
    snapshotOffset: 50n,
    snapshottedMs: 950_000,
    nextSnapshotMs: 0,
    marked: false,
    ...more,
  };
}

describe('a lane at a cut', () => {
  it('has nothing to say when it stands where its snapshot does', () => {
    expect(wantsCut(standing(), TIME)).toBe(false);
  });

  it('is cut when it has moved, halted or not', () => {
    for (const isHalted of [false, true])
      expect(wantsCut(standing({ position: 51n, isHalted }), TIME)).toBe(true);
  });

  it('is cut when it moved before and that was not committed for long', () => {
    const moved = standing({ committedTo: 40n, snapshotOffset: null, nextSnapshotMs: 200_000 });
    expect(wantsCut({ ...moved, lastCommitMs: 70_001 }, TIME)).toBe(false);
    expect(wantsCut({ ...moved, lastCommitMs: 70_000 }, TIME)).toBe(true);
  });

  it('is snapshotted when its time has come and something is new: it moved, or marks lie behind its snapshot', () => {
    expect(wantsSnapshot(standing({ snapshotOffset: 40n }), TIME)).toBe(true);
    expect(wantsSnapshot(standing({ marked: true }), TIME)).toBe(true);
    expect(wantsSnapshot(standing({ marked: true, nextSnapshotMs: 100_001 }), TIME)).toBe(false);
    expect(wantsSnapshot(standing(), TIME)).toBe(false);
    // while other lanes are on their way back it may be late, by an interval
    expect(wantsSnapshot(standing({ marked: true, nextSnapshotMs: 70_001 }), TIME, true)).toBe(false);
    expect(wantsSnapshot(standing({ marked: true, nextSnapshotMs: 70_000 }), TIME, true)).toBe(true);
  });

  it('is snapshotted again when others may soon clean up the commit that makes its snapshot usable', () => {
    expect(differsFromSnapshot(standing({ snapshottedMs: 900_000 }), TIME)).toBe(false);
    expect(differsFromSnapshot(standing({ snapshottedMs: 899_999 }), TIME)).toBe(true);
    expect(differsFromSnapshot(standing({ snapshottedMs: null }), TIME)).toBe(true);
  });
});
