import { describe, expect, it } from 'vitest';
import { RingConsumer } from '#src/ring/consumer.js';
import { DATA_AT, payloadBytesMax, RecordType, recordBytes, ringBytes } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { dirtyRing, headerOf, payloadOf } from '../support/spine-ring.js';

const CAPACITY_BYTES = 4096;

function ringPair(capacityBytes = CAPACITY_BYTES, startPosition = 0n, baseBytes = 0) {
  const place = dirtyRing(capacityBytes, startPosition, baseBytes);
  return { place, producer: new RingProducer(place), consumer: new RingConsumer(place) };
}

describe('a ring', () => {
  it('hands over header and payload unchanged', () => {
    const { producer, consumer } = ringPair();
    const header = {
      type: RecordType.data,
      partition: 2 ** 31 - 1,
      incarnation: 7,
      offset: 2n ** 62n + 1n,
      aux: -1n,
    };
    expect(producer.tryWrite(header, payloadOf(1, 100))).toBe(true);
    const record = consumer.peek()!;
    expect({ ...record, bytes: undefined }).toEqual({ ...header, bytes: undefined });
    expect(record.bytes).toEqual(payloadOf(1, 100));
    consumer.advance();
    expect(consumer.peek()).toBeNull();
    expect(consumer.filledBytes()).toBe(0);
  });

  it('takes the largest payload at every start position, since padding never makes it impossible', () => {
    const largest = payloadBytesMax(CAPACITY_BYTES);
    for (let start = 0; start < CAPACITY_BYTES; start += 64) {
      const { producer, consumer } = ringPair(CAPACITY_BYTES, BigInt(start));
      expect(producer.payloadBytesMax).toBe(largest);
      expect(producer.tryWrite(headerOf(RecordType.data, start), payloadOf(start, largest))).toBe(true);
      const record = consumer.peek()!;
      expect(record.bytes).toEqual(payloadOf(start, largest));
      expect(record.offset).toBe(BigInt(start));
    }
  });

  it('refuses a payload that could never fit as our own mistake', () => {
    const { producer } = ringPair();
    expect(() => producer.tryClaim(producer.payloadBytesMax + 1)).toThrow(/larger than the ring/);
  });

  it('refuses a capacity that is no power of two', () => {
    expect(() => new RingProducer(dirtyRing(4096 + 64))).toThrow(/power of two/);
  });

  it('answers null when full, and takes the record after one was consumed', () => {
    const { producer, consumer } = ringPair();
    const payload = payloadOf(3, 928);
    expect(recordBytes(928)).toBe(1024);
    for (let i = 0; i < 4; i += 1)
      expect(producer.tryWrite(headerOf(RecordType.data, i), payload)).toBe(true);
    expect(producer.freeBytes()).toBe(0);
    expect(producer.tryClaim(0)).toBeNull();
    expect(consumer.peek()!.offset).toBe(0n);
    expect(producer.tryClaim(0)).toBeNull();
    consumer.advance();
    expect(producer.freeBytes()).toBe(1024);
    expect(producer.tryWrite(headerOf(RecordType.data, 4), payload)).toBe(true);
    for (let i = 1; i <= 4; i += 1) {
      expect(consumer.peek()!.offset).toBe(BigInt(i));
      consumer.advance();
    }
    expect(consumer.peek()).toBeNull();
  });

  it('publishes nothing for an aborted claim, also when the claim had to wrap', () => {
    const { producer, consumer } = ringPair(CAPACITY_BYTES, BigInt(CAPACITY_BYTES - 64));
    producer.tryClaim(500)!.bytes.fill(9);
    producer.abort();
    expect(consumer.peek()).toBeNull();
    expect(consumer.filledBytes()).toBe(0);
    expect(producer.tryWrite(headerOf(RecordType.cut, 5), payloadOf(5, 20))).toBe(true);
    expect(consumer.peek()).toMatchObject({ type: RecordType.cut, offset: 5n, bytes: payloadOf(5, 20) });
  });

  it('publishes only the committed part of a claim, with zeros behind it for reading ahead', () => {
    const { place, producer, consumer } = ringPair();
    producer.tryClaim(1000)!.bytes.fill(0xee);
    producer.commit(headerOf(RecordType.data, 1), 129);
    const { bytes } = consumer.peek()!;
    expect(bytes.byteLength).toBe(129);
    const behind = new Uint8Array(place.buffer, bytes.byteOffset + 129, 64);
    expect([...behind]).toEqual(new Array(64).fill(0));
    expect(consumer.filledBytes()).toBe(recordBytes(129));
  });

  it('keeps one claim open at a time and demands one for commit and abort', () => {
    const { producer } = ringPair();
    expect(() => producer.commit(headerOf(RecordType.data, 0))).toThrow(/no claim/);
    expect(() => producer.abort()).toThrow(/no claim/);
    producer.tryClaim(10);
    expect(() => producer.tryClaim(10)).toThrow(/still open/);
    expect(() => producer.commit(headerOf(RecordType.data, 0), 11)).toThrow(/more committed/);
  });

  it('demands a peek before each advance', () => {
    const { producer, consumer } = ringPair();
    expect(() => consumer.advance()).toThrow(/nothing was peeked/);
    producer.tryWrite(headerOf(RecordType.data, 0), payloadOf(0, 1));
    producer.tryWrite(headerOf(RecordType.data, 1), payloadOf(1, 1));
    consumer.peek();
    consumer.advance();
    expect(() => consumer.advance()).toThrow(/nothing was peeked/);
    expect(consumer.peek()!.offset).toBe(1n);
  });

  it('crosses 2^32 and 2^45 bytes of traffic without noticing', () => {
    for (const start of [2n ** 32n - 128n, 2n ** 31n - 128n, 2n ** 45n - 1024n]) {
      const { producer, consumer } = ringPair(CAPACITY_BYTES, start);
      for (let i = 0; i < 50; i += 1) {
        expect(producer.tryWrite(headerOf(RecordType.data, i), payloadOf(i, 300))).toBe(true);
        expect(consumer.peek()!.bytes).toEqual(payloadOf(i, 300));
        expect(consumer.peek()!.offset).toBe(BigInt(i));
        consumer.advance();
      }
    }
  });

  it('stays within its place in a larger buffer', () => {
    const baseBytes = 1024;
    const place = dirtyRing(CAPACITY_BYTES, 0n, baseBytes);
    const larger = new SharedArrayBuffer(place.buffer.byteLength + 1024);
    const all = new Uint8Array(larger);
    all.fill(0xaa);
    all.fill(0, baseBytes, baseBytes + DATA_AT);
    const inside = { buffer: larger, baseBytes, capacityBytes: CAPACITY_BYTES };
    const producer = new RingProducer(inside);
    const consumer = new RingConsumer(inside);
    for (let i = 0; i < 100; i += 1) {
      expect(producer.tryWrite(headerOf(RecordType.data, i), payloadOf(i, (i * 97) % 1500))).toBe(true);
      expect(consumer.peek()!.bytes).toEqual(payloadOf(i, (i * 97) % 1500));
      consumer.advance();
    }
    const outside = (byte: number) => byte === 0xaa;
    expect(all.subarray(0, baseBytes).every(outside)).toBe(true);
    expect(all.subarray(baseBytes + ringBytes(CAPACITY_BYTES)).every(outside)).toBe(true);
  });

  it('wakes a waiting consumer when something is published, and at once when something already lies there', async () => {
    const { producer, consumer } = ringPair();
    const waiting = consumer.wait(50_000);
    producer.tryWrite(headerOf(RecordType.data, 1), payloadOf(1, 1));
    await waiting;
    await consumer.wait(50_000);
    expect(consumer.peek()!.offset).toBe(1n);
  });

  it('lets a new pair of ends go on where the old ones stood', () => {
    const { place, producer, consumer } = ringPair();
    for (let i = 0; i < 3; i += 1) producer.tryWrite(headerOf(RecordType.data, i), payloadOf(i, 700));
    consumer.peek();
    consumer.advance();
    const laterConsumer = new RingConsumer(place);
    const laterProducer = new RingProducer(place);
    expect(laterProducer.tryWrite(headerOf(RecordType.data, 3), payloadOf(3, 700))).toBe(true);
    for (let i = 1; i <= 3; i += 1) {
      expect(laterConsumer.peek()!.bytes).toEqual(payloadOf(i, 700));
      laterConsumer.advance();
    }
    expect(laterConsumer.peek()).toBeNull();
  });
});
