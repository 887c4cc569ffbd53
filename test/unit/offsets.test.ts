import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type LaneOffset, OffsetsFollower } from '#src/followers/offsets.js';
import { ManualClock, RecordingLog } from '../support/group-fakes.js';

const INTERVAL_MS = 1_000;

/** Kafka as the follower sees it: answers as told, and remembers. */
class FakeCommitter {
  readonly attempts: string[] = [];
  readonly committed = new Map<number, bigint>();
  answers: ('committed' | 'stale' | Error | Promise<'committed' | 'stale'>)[] = [];

  async commit(offsets: LaneOffset[]): Promise<'committed' | 'stale'> {
    this.attempts.push(offsets.map(({ partition, offset }) => `${partition}:${offset}`).join(' '));
    const answer = await (this.answers.shift() ?? 'committed');
    if (answer instanceof Error) throw answer;
    if (answer === 'committed') {
      for (const { partition, offset } of offsets) this.committed.set(partition, offset);
    }
    return answer;
  }
}

let clock: ManualClock;
let log: RecordingLog;
let committer: FakeCommitter;
let follower: OffsetsFollower;

beforeEach(() => {
  clock = new ManualClock();
  log = new RecordingLog();
  committer = new FakeCommitter();
  follower = new OffsetsFollower({ committer, clock, log, intervalMs: INTERVAL_MS });
});

function unanswered(): { answer: Promise<'committed'>; settle: () => void } {
  let settle = () => {};
  const answer = new Promise<'committed'>((resolve) => {
    settle = () => resolve('committed');
  });
  return { answer, settle };
}

describe('the follower of offsets', () => {
  it('commits the newest offset of each lane, at most once an interval', async () => {
    follower.note({ partition: 0, offset: 10n });
    await clock.advance(0);
    follower.note({ partition: 0, offset: 11n });
    follower.note({ partition: 0, offset: 12n });
    follower.note({ partition: 1, offset: 5n });
    await clock.advance(INTERVAL_MS - 1);
    expect(committer.attempts).toEqual(['0:10']);
    await clock.advance(1);
    expect(committer.attempts).toEqual(['0:10', '0:12 1:5']);
    await clock.advance(10 * INTERVAL_MS);
    expect(committer.attempts).toHaveLength(2);
    expect(follower.pending).toBe(0);
  });

  it('never takes a lane backwards', async () => {
    follower.note({ partition: 0, offset: 10n });
    follower.note({ partition: 0, offset: 9n });
    await clock.advance(INTERVAL_MS);
    follower.note({ partition: 0, offset: 10n });
    await clock.advance(INTERVAL_MS);
    expect(committer.attempts).toEqual(['0:10']);
  });

  it('tries again after a rebalance without a word, and after an error with one line', async () => {
    committer.answers = ['stale', new Error('no coordinator'), new Error('no coordinator')];
    follower.note({ partition: 0, offset: 10n });
    await clock.advance(3 * INTERVAL_MS);
    expect(committer.attempts).toEqual(['0:10', '0:10', '0:10', '0:10']);
    expect(committer.committed.get(0)).toBe(10n);
    expect(log.lines.map(({ fields }) => fields)).toEqual([{ lanes: 1, error: 'no coordinator' }]);
  });

  it('has one commit under way at a time and takes the newest when it is answered', async () => {
    const slow = unanswered();
    committer.answers = [slow.answer];
    follower.note({ partition: 0, offset: 10n });
    await clock.advance(INTERVAL_MS);
    follower.note({ partition: 0, offset: 20n });
    await clock.advance(5 * INTERVAL_MS);
    expect(committer.attempts).toEqual(['0:10']);
    slow.settle();
    await clock.advance(INTERVAL_MS);
    expect(committer.attempts).toEqual(['0:10', '0:20']);
  });

  it('flushes at once, with what was noted while another commit was under way', async () => {
    const slow = unanswered();
    committer.answers = [slow.answer];
    follower.note({ partition: 0, offset: 10n });
    await clock.advance(0);
    follower.note({ partition: 0, offset: 20n });
    const flushed = follower.flush(5_000);
    await clock.advance(0);
    slow.settle();
    expect(await flushed).toBe('flushed');
    expect(committer.attempts).toEqual(['0:10', '0:20']);
  });

  it('gives a flush up at its time-out', async () => {
    committer.answers = [unanswered().answer];
    follower.note({ partition: 0, offset: 10n });
    const flushed = follower.flush(500);
    await clock.advance(500);
    expect(await flushed).toBe('behind');
  });

  it('commits nothing for a lane that was forgotten, and waits for the commit that names it', async () => {
    const slow = unanswered();
    committer.answers = [slow.answer];
    follower.note({ partition: 0, offset: 10n });
    follower.note({ partition: 1, offset: 5n });
    await clock.advance(0);
    follower.note({ partition: 0, offset: 20n });
    let forgotten = false;
    const forgetting = follower.forget([0], 5_000).then(() => {
      forgotten = true;
    });
    await clock.advance(1_000);
    expect(forgotten).toBe(false);
    slow.settle();
    await forgetting;
    await clock.advance(5 * INTERVAL_MS);
    expect(committer.attempts).toEqual(['0:10 1:5']);
    follower.note({ partition: 0, offset: 3n });
    await clock.advance(INTERVAL_MS);
    expect(committer.attempts.at(-1)).toBe('0:3');
  });

  it('ends although a commit hangs', async () => {
    committer.answers = [unanswered().answer];
    follower.note({ partition: 0, offset: 10n });
    await clock.advance(0);
    await follower.close();
    follower.note({ partition: 0, offset: 11n });
    await clock.advance(10 * INTERVAL_MS);
    expect(committer.attempts).toEqual(['0:10']);
  });

  it('ends with the highest noted offset of every lane in Kafka, whatever failed on the way', async () => {
    const step = fc.oneof(
      fc.record({ note: fc.nat(3), offset: fc.bigInt(0n, 100n) }),
      fc.record({ answer: fc.constantFrom<'stale' | 'error'>('stale', 'error') }),
      fc.record({ advance: fc.integer({ min: 0, max: 3_000 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        clock = new ManualClock();
        committer = new FakeCommitter();
        follower = new OffsetsFollower({ committer, clock, log, intervalMs: INTERVAL_MS });
        const highest = new Map<number, bigint>();
        for (const step of steps) {
          if ('note' in step) {
            follower.note({ partition: step.note, offset: step.offset });
            if (step.offset > (highest.get(step.note) ?? -1n)) highest.set(step.note, step.offset);
          } else if ('answer' in step) {
            committer.answers.push(step.answer === 'stale' ? 'stale' : new Error('refused'));
          } else await clock.advance(step.advance);
        }
        await clock.advance((committer.answers.length + 2) * INTERVAL_MS);
        expect(committer.committed).toEqual(highest);
        await follower.close();
      }),
      { numRuns: 50 },
    );
  });
});
