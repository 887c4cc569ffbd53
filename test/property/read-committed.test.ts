import { describe, expect, it } from 'vitest';
import { type Random, seededRandom, systemRandom } from '#src/random.js';
import { decodeBatches } from '#src/reference/record-batches.js';
import { type AbortedEntry, CompletedFetch } from '../support/completed-fetch.js';
import {
  type Answer,
  answerOf,
  committedOffsets,
  encodeBatches,
  type LogBatch,
  randomLog,
} from '../support/transactional-log.js';

/**
 * Read committed against Kafka's own algorithm. Every log has a seed of its own, printed when it fails; HEADRACE_SEED=…
 * plays it again first.
 */

const LOGS = 100_000;
const LIMITS = { decompressedBatchBytesMax: 1 << 20, recordBytesMax: 1 << 16 };
const firstSeed = Number(process.env.HEADRACE_SEED ?? systemRandom.below(2 ** 31));

function eachLog(logs: number, check: (random: Random) => void): void {
  for (let seed = firstSeed; seed < firstSeed + logs; seed++) {
    try {
      check(seededRandom(seed));
    } catch (error) {
      throw new Error(`HEADRACE_SEED=${seed}`, { cause: error });
    }
  }
}

/** What our reader makes of an answer: offsets delivered and the next one, relative to `base`. */
function read(answer: Answer, from: number, base: bigint): { offsets: number[]; next: number } {
  const offsets: number[] = [];
  const { nextOffset } = decodeBatches(
    encodeBatches(answer.batches, base),
    {
      fromOffset: base + BigInt(from),
      limits: LIMITS,
      aborted: answer.aborted.map(({ producerId, firstOffset }) => ({
        producerId: BigInt(producerId),
        firstOffset: base + BigInt(firstOffset),
      })),
    },
    ({ offset }) => offsets.push(Number(offset - base)),
  );
  return { offsets, next: Number(nextOffset - base) };
}

/** Compared without expect: it would take most of the time. */
function mustEqual(what: string, ours: readonly number[], theirs: readonly number[]): void {
  const same = ours.length === theirs.length && ours.every((each, index) => each === theirs[index]);
  if (!same) throw new Error(`${what}: ${ours.join(' ')} instead of ${theirs.join(' ')}`);
}

function shuffle<T>(random: Random, list: T[]): T[] {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}

/** What no broker should do: entries without a transaction, transactions without entry or producer, markers gone. */
function disturb(random: Random, { batches, aborted }: Answer): Answer {
  const ends = batches.at(-1)?.lastOffset ?? 0;
  const bogus: AbortedEntry[] = Array.from({ length: random.below(3) }, () => ({
    producerId: random.below(6) - 1,
    firstOffset: random.below(ends + 2),
  }));
  const isMarker = ({ control }: LogBatch) => control === 0 || control === 1;
  return {
    batches: batches
      .filter((batch) => !isMarker(batch) || random.below(3) > 0)
      .map((batch) => (random.below(8) > 0 ? batch : { ...batch, producerId: -1 })),
    aborted: shuffle(random, [...aborted.filter(() => random.below(4) > 0), ...bogus]),
  };
}

describe('read committed', () => {
  it('delivers what was committed and nothing else, in whatever pieces a log is fetched', () => {
    let skipped = 0;
    eachLog(LOGS / 2, (random) => {
      const log = randomLog(random);
      const base = random.below(4) === 0 ? 2n ** 61n : 0n;
      const from = random.below(log.stableEnd + 1);
      const delivered: number[] = [];
      for (let position = from; position < log.stableEnd; ) {
        const answer = answerOf(log, position, 1 + random.below(6));
        if (answer.batches.length === 0) break;
        shuffle(random, answer.aborted);
        const oracle = new CompletedFetch(answer.batches, answer.aborted, position, 'read_committed');
        const expected = oracle.fetchedOffsets();
        const { offsets, next } = read(answer, position, base);
        mustEqual('delivered', offsets, expected);
        mustEqual('next offset', [next], [oracle.nextFetchOffset]);
        delivered.push(...offsets);
        position = next;
      }
      mustEqual('in all', delivered, committedOffsets(log, from));
      skipped += log.index.length;
    });
    expect(skipped).toBeGreaterThan(LOGS / 10);
  });

  it('does as Kafka’s own client also where answers contradict their log', () => {
    let delivered = 0;
    eachLog(LOGS / 2, (random) => {
      const log = randomLog(random);
      const from = random.below(log.stableEnd + 1);
      const answer = disturb(random, answerOf(log, from, 1 + random.below(20)));
      if (answer.batches.length === 0) return;
      const oracle = new CompletedFetch(answer.batches, answer.aborted, from, 'read_committed');
      const expected = oracle.fetchedOffsets();
      const { offsets, next } = read(answer, from, 0n);
      mustEqual('delivered', offsets, expected);
      mustEqual('next offset', [next], [oracle.nextFetchOffset]);
      delivered += offsets.length;
    });
    expect(delivered).toBeGreaterThan(LOGS / 10);
  });

  it('is left to the list: without one, all data is delivered and control records are not', () => {
    eachLog(LOGS / 50, (random) => {
      const log = randomLog(random);
      log.stableEnd = Number.MAX_SAFE_INTEGER;
      const from = random.below(10);
      const { batches } = answerOf(log, from, 100);
      if (batches.length === 0) return;
      const oracle = new CompletedFetch(batches, [], from, 'read_uncommitted');
      const expected = oracle.fetchedOffsets();
      mustEqual('delivered', read({ batches, aborted: [] }, from, 0n).offsets, expected);
    });
  });
});
