import { describe, expect, it } from 'vitest';
import { LagWatch } from '#src/followers/lag.js';
import type { CutLaneEntry } from '#src/ledger/types.js';
import { commitInfo } from '../support/lake-table.js';

const lane = (partition: number, watermarkMs: number | null): CutLaneEntry => ({
  partition,
  from: 0,
  to: 1,
  watermarkMs,
  marks: {} as CutLaneEntry['marks'],
  rows: 0,
  deadLetters: 0,
  crc: 0,
  parent: -1,
});

/** Version n was cut at n seconds; watermarks in minutes of event time. */
function told(...versions: readonly (readonly CutLaneEntry[])[]): LagWatch {
  const watch = new LagWatch();
  for (const [version, lanes] of versions.entries()) watch.read(version, actionsOf(version, lanes));
  return watch;
}

const actionsOf = (version: number, lanes: readonly CutLaneEntry[]) => [
  {
    commitInfo: commitInfo('attempt', {
      cuts: [{ id: '1', createdAtMs: version * 1_000, lanes: [...lanes], deadLetterFiles: [] }],
    }),
  },
];

const at = (...positions: readonly number[]) => new Map(positions.map((version, i) => [i, version]));
const MINUTE = 60_000;

describe('how far a follower is behind', () => {
  it('is nothing where all that was read is in', () => {
    const watch = told([lane(0, MINUTE)], [lane(0, 2 * MINUTE)]);
    expect(watch.now(at(1), () => 2 * MINUTE, 9_000)).toEqual({ waitingMs: 0, eventTimeMs: 0 });
    expect(new LagWatch().now(at(1), () => null, 9_000)).toEqual({ waitingMs: 0, eventTimeMs: 0 });
  });

  it('is the age of the oldest cut that is not in, and the event time from what is in to the newest', () => {
    const watch = told(
      [lane(0, MINUTE), lane(1, MINUTE)],
      [lane(0, 2 * MINUTE)],
      [lane(0, 5 * MINUTE), lane(1, 3 * MINUTE)],
    );
    const newest = (partition: number) => (partition === 0 ? 5 : 3) * MINUTE;
    expect(watch.now(at(0, 2), newest, 10_000)).toEqual({ waitingMs: 9_000, eventTimeMs: 4 * MINUTE });
    expect(watch.now(at(1, 2), newest, 10_000)).toEqual({ waitingMs: 8_000, eventTimeMs: 3 * MINUTE });
    expect(watch.now(at(2, 2), newest, 10_000)).toEqual({ waitingMs: 0, eventTimeMs: 0 });
  });

  it('counts event time from the first version that is not in, where none before it was read', () => {
    const watch = new LagWatch();
    watch.read(4, actionsOf(4, [lane(0, null)]));
    watch.read(5, actionsOf(5, [lane(0, 7 * MINUTE)]));
    expect(watch.now(at(3), () => 9 * MINUTE, 6_000)).toEqual({ waitingMs: 2_000, eventTimeMs: 2 * MINUTE });
    expect(watch.now(at(3), () => null, 6_000).eventTimeMs).toBe(0);
  });

  it('knows what was committed and not read, and tells the age of the oldest however many there are', () => {
    const watch = new LagWatch();
    for (let version = 0; version < 5_000; version++) {
      const lanes = [lane(0, version * 1_000)];
      watch.committed(version, [{ createdAtMs: version * 1_000, lanes }]);
    }
    const newest = () => 4_999_000;
    expect(watch.now(at(0), newest, 6_000_000)).toEqual({ waitingMs: 5_999_000, eventTimeMs: 4_999_000 });
    const later = watch.now(at(4_000), newest, 6_000_000);
    // some in between are not remembered: less is told, never more
    expect(later.waitingMs).toBeLessThanOrEqual(6_000_000 - 4_001_000);
    expect(later.waitingMs).toBeGreaterThan(6_000_000 - 4_999_000);
    watch.read(4_001, actionsOf(4_001, [lane(0, 4_001_000)]));
    expect(watch.now(at(4_000), newest, 6_000_000).waitingMs).toBe(6_000_000 - 4_001_000);
    expect(watch.now(at(4_999), newest, 6_000_000)).toEqual({ waitingMs: 0, eventTimeMs: 0 });
  });

  it('takes versions that are read again, earlier ones after later ones too, and forgets lanes that are gone', () => {
    const watch = new LagWatch();
    watch.read(8, actionsOf(8, [lane(0, 8 * MINUTE), lane(1, MINUTE)]));
    for (let times = 0; times < 2; times++) watch.read(2, actionsOf(2, [lane(0, 2 * MINUTE)]));
    const newest = () => 8 * MINUTE;
    expect(watch.now(at(1, 8), newest, 9_000)).toEqual({ waitingMs: 7_000, eventTimeMs: 6 * MINUTE });
    expect(watch.now(new Map([[1, 7]]), newest, 9_000)).toEqual({
      waitingMs: 1_000,
      eventTimeMs: 7 * MINUTE,
    });
    // lane 0 came back: nothing of it is known
    expect(watch.now(at(1), newest, 9_000)).toEqual({ waitingMs: 0, eventTimeMs: 0 });
  });
});
