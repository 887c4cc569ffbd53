import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RingConsumer } from '#src/ring/consumer.js';
import {
  DATA_AT,
  payloadBytesMax,
  READ_AHEAD_BYTES,
  RECORD_HEADER_BYTES,
  RecordType,
  recordBytes,
} from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { dirtyRing, headerOf, payloadOf } from '../support/spine-ring.js';

/**
 * The ring against an array queue. The only thing the queue does not say by itself is when the ring is full; that is
 * worked out from two plain numbers, where the next byte goes and how many are in use.
 */
type Step =
  | { do: 'write'; length: number; type: number }
  | { do: 'claim'; claimed: number; committed: number }
  | { do: 'abort'; length: number }
  | { do: 'read' }
  | { do: 'peek' }
  | { do: 'drain' };

const TYPES = Object.values(RecordType).filter((type) => type !== RecordType.padding);

/** Lengths of all sizes, with the ends of the range more often than by chance. */
function lengths(max: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: Math.min(max, 200) }) },
    { weight: 4, arbitrary: fc.nat({ max }) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 32, 33, max - 1, max) },
  );
}

function steps(max: number): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        length: lengths(max),
        type: fc.nat({ max: TYPES.length - 1 }),
      }),
    },
    {
      weight: 3,
      arbitrary: lengths(max).chain((claimed) =>
        fc.record({
          do: fc.constant('claim' as const),
          claimed: fc.constant(claimed),
          committed: fc.nat({ max: claimed }),
        }),
      ),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), length: lengths(max) }) },
    { weight: 6, arbitrary: fc.constant<Step>({ do: 'read' }) },
    { weight: 2, arbitrary: fc.constant<Step>({ do: 'peek' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'drain' }) },
  );
  return fc.array(step, { maxLength: 300, size: 'max' });
}

/** Where the bytes of the queue would lie, by plain arithmetic. */
class NaiveSpace {
  readonly #spans: number[] = [];
  #next: number;
  #used = 0;
  #padding = 0;

  constructor(
    readonly capacity: number,
    start: bigint,
  ) {
    this.#next = Number(start % BigInt(capacity));
  }

  /** Makes room for a claim; false when it does not fit now. Padding is spent even if the claim is given back. */
  claim(payloadBytes: number): boolean {
    const need = recordBytes(payloadBytes);
    const gap = this.#next + need > this.capacity ? this.capacity - this.#next : 0;
    if (this.#used + gap + need > this.capacity) return false;
    this.#used += gap;
    this.#padding += gap;
    this.#next = (this.#next + gap) % this.capacity;
    return true;
  }

  commit(payloadBytes: number): void {
    const bytes = recordBytes(payloadBytes);
    this.#spans.push(this.#padding, bytes);
    this.#padding = 0;
    this.#used += bytes;
    this.#next = (this.#next + bytes) % this.capacity;
  }

  /** What looking at the first record gives back: the padding before it (or, when none is there, all padding). */
  peek(): void {
    if (this.#spans.length === 0) {
      this.#used -= this.#padding;
      this.#padding = 0;
    } else {
      this.#used -= this.#spans[0]!;
      this.#spans[0] = 0;
    }
  }

  advance(): void {
    this.#spans.shift();
    this.#used -= this.#spans.shift()!;
  }

  get used(): number {
    return this.#used;
  }
}

interface Expected {
  number: number;
  type: number;
  payload: Uint8Array;
}

class RingUnderTest {
  readonly #producer: RingProducer;
  readonly #consumer: RingConsumer;
  readonly #queue: Expected[] = [];
  readonly #space: NaiveSpace;
  #written = 0;

  constructor(capacity: number, start: bigint) {
    const place = dirtyRing(capacity, start, 256);
    this.#producer = new RingProducer(place);
    this.#consumer = new RingConsumer(place);
    this.#space = new NaiveSpace(capacity, start);
  }

  take(step: Step): void {
    if (step.do === 'write') this.#write(step.length, step.length, TYPES[step.type]!);
    else if (step.do === 'claim') this.#write(step.claimed, step.committed, RecordType.data);
    else if (step.do === 'abort') this.#abort(step.length);
    else if (step.do === 'read') this.#read(true);
    else if (step.do === 'peek') this.#read(false);
    else this.drain();
    expect(this.#consumer.filledBytes()).toBe(this.#space.used);
    expect(this.#producer.freeBytes()).toBe(this.#producer.capacityBytes - this.#space.used);
  }

  drain(): void {
    while (this.#queue.length > 0) this.#read(true);
    this.#read(false);
    expect(this.#consumer.filledBytes()).toBe(0);
  }

  #write(claimed: number, committed: number, type: RecordType): void {
    const fits = this.#space.claim(claimed);
    const claim = this.#producer.tryClaim(claimed);
    expect(claim !== null).toBe(fits);
    if (claim === null) return;
    expect(claim.bytes.byteLength).toBe(claimed);
    const number = this.#written;
    this.#written += 1;
    const payload = payloadOf(number, claimed);
    claim.bytes.set(payload);
    this.#producer.commit(headerOf(type, number), committed);
    this.#space.commit(committed);
    this.#queue.push({ number, type, payload: payload.subarray(0, committed) });
  }

  #abort(length: number): void {
    const fits = this.#space.claim(length);
    const claim = this.#producer.tryClaim(length);
    expect(claim !== null).toBe(fits);
    if (claim === null) return;
    claim.bytes.fill(0xdd);
    this.#producer.abort();
  }

  #read(advance: boolean): void {
    const record = this.#consumer.peek();
    this.#space.peek();
    const expected = this.#queue[0];
    if (expected === undefined) {
      expect(record).toBeNull();
      return;
    }
    const { type, number, payload } = expected;
    expect(record).not.toBeNull();
    const { bytes, ...header } = record!;
    expect(header).toEqual(headerOf(type as RecordType, number));
    expect(Buffer.compare(bytes, payload)).toBe(0);
    const ahead = new Uint8Array(bytes.buffer, bytes.byteOffset + bytes.byteLength, READ_AHEAD_BYTES);
    expect(ahead.every((byte) => byte === 0)).toBe(true);
    expect((bytes.byteOffset - 256 - DATA_AT - RECORD_HEADER_BYTES) % 64).toBe(0);
    if (!advance) return;
    this.#consumer.advance();
    this.#space.advance();
    this.#queue.shift();
  }
}

const STARTS = [0n, 64n, 2n ** 31n - 192n, 2n ** 32n - 64n, 2n ** 32n, 2n ** 40n - 2048n, 2n ** 50n - 64n];

it('a ring behaves as an array queue, full exactly when its bytes are used up, at every position', () => {
  const capacities = [1024, 4096, 16_384];
  const run = fc
    .constantFrom(...capacities)
    .chain((capacity) =>
      fc.tuple(fc.constant(capacity), fc.constantFrom(...STARTS), steps(payloadBytesMax(capacity))),
    );
  fc.assert(
    fc.property(run, ([capacity, start, list]) => {
      const ring = new RingUnderTest(capacity, start);
      for (const step of list) ring.take(step);
      ring.drain();
    }),
    { numRuns: 300 },
  );
});
