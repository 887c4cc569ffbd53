import { expect, test } from 'vitest';
import { FetchRing } from '#src/kafka/fetch-ring.js';
import { RingConsumer } from '#src/ring/consumer.js';
import { RecordType, ringBytes } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { RingWriter } from '#src/ring/writer.js';

const CAPACITY = 2 ** 16;
const PAYLOAD = 1_000;
const LANE = {};
/** Longer than the test: what resolves before it was woken. */
const QUIET_MS = 600_000;

function makeRing() {
  const place = { buffer: new SharedArrayBuffer(ringBytes(CAPACITY)), baseBytes: 0, capacityBytes: CAPACITY };
  const writer = new RingWriter(new RingProducer(place));
  const consumer = new RingConsumer(place);
  const ring = new FetchRing(writer);
  let records = 0;
  /** Reserves and writes until it is full. */
  const fill = () => {
    for (; ring.tryReserve(LANE, PAYLOAD, 0); records++) {
      writer.tryClaim(PAYLOAD);
      writer.commit({ type: RecordType.data, partition: 0, incarnation: 1, offset: 0n, aux: 0n }, PAYLOAD);
      ring.release(PAYLOAD);
    }
    return records;
  };
  const take = () => {
    consumer.peek();
    consumer.advance();
  };
  return { ring, writer, fill, take };
}

test('a ring that was full is filled again when a quarter of it is free, not before', () => {
  const { ring, writer, fill, take } = makeRing();
  const records = fill();
  expect(writer.freeBytes()).toBeLessThan(CAPACITY / 8);
  let taken = 0;
  while (writer.freeBytes() < CAPACITY / 4) {
    expect(ring.tryReserve(LANE, PAYLOAD, 0)).toBe(false);
    take();
    taken += 1;
  }
  expect(taken).toBeGreaterThan(5);
  expect(fill() - records).toBeGreaterThan(5);
});

test('who waits for room is woken when a quarter is free', async () => {
  const { ring, writer, fill, take } = makeRing();
  fill();
  let woken = false;
  const waiting = ring.waitForRoom(QUIET_MS).then(() => {
    woken = true;
  });
  expect(ring.waitForRoom(QUIET_MS)).toBe(ring.waitForRoom(QUIET_MS));
  while (writer.freeBytes() < CAPACITY / 4) {
    await new Promise((resolve) => setImmediate(resolve));
    expect(woken).toBe(false);
    take();
  }
  // the timer keeps the event loop alive; a pending waitAsync alone does not
  const alive = setInterval(() => undefined, 1_000);
  await waiting;
  clearInterval(alive);
});

test('who waits for room asks again after a while in which nothing was taken out', async () => {
  const { ring, fill } = makeRing();
  fill();
  const alive = setInterval(() => undefined, 1_000);
  await ring.waitForRoom(5);
  clearInterval(alive);
  expect(ring.tryReserve(LANE, PAYLOAD, 0)).toBe(false);
});
