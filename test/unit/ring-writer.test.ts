import { describe, expect, it, vi } from 'vitest';
import { RingConsumer } from '#src/ring/consumer.js';
import { RecordType } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { RingWriter } from '#src/ring/writer.js';
import { dirtyRing, headerOf, payloadOf } from '../support/spine-ring.js';

/** Four records of 928 bytes fill it. */
const CAPACITY_BYTES = 4096;
const FILLER = payloadOf(9, 928);

function ring() {
  const place = dirtyRing(CAPACITY_BYTES);
  return { writer: new RingWriter(new RingProducer(place)), consumer: new RingConsumer(place) };
}

function writeData(writer: RingWriter, number: number): boolean {
  const claim = writer.tryClaim(FILLER.length);
  if (claim === null) return false;
  claim.bytes.set(FILLER);
  writer.commit(headerOf(RecordType.data, number), FILLER.length);
  return true;
}

function fill(writer: RingWriter): void {
  for (let number = 0; number < 4; number += 1) expect(writeData(writer, number)).toBe(true);
  expect(writeData(writer, 4)).toBe(false);
}

function read(consumer: RingConsumer): string | null {
  const record = consumer.peek();
  if (record === null) return null;
  const name = Object.entries(RecordType).find(([, type]) => type === record.type)![0];
  const label = `${name} ${record.offset}`;
  consumer.advance();
  return label;
}

async function readWhenThere(consumer: RingConsumer): Promise<string> {
  return vi.waitUntil(() => read(consumer), { timeout: 10_000, interval: 1 });
}

describe('a ring writer', () => {
  it('writes commands and data in the order they were given', () => {
    const { writer, consumer } = ring();
    writer.command(headerOf(RecordType.assign, 1), payloadOf(1, 10));
    writeData(writer, 2);
    writer.command(headerOf(RecordType.cut, 3), payloadOf(3, 0));
    expect([read(consumer), read(consumer), read(consumer), read(consumer)]).toEqual([
      'assign 1',
      'data 2',
      'cut 3',
      null,
    ]);
  });

  it('refuses data while a command waits, even where the data would fit', () => {
    const { writer, consumer } = ring();
    fill(writer);
    writer.command(headerOf(RecordType.cut, 10), payloadOf(10, 1500));
    expect(read(consumer)).toBe('data 0');
    expect(writer.freeBytes()).toBe(0);
    expect(writeData(writer, 11)).toBe(false);
  });

  it('lets waiting commands in by itself, in their order, before any later data', async () => {
    const { writer, consumer } = ring();
    fill(writer);
    for (let number = 10; number < 15; number += 1)
      writer.command(headerOf(RecordType.cut, number), payloadOf(number, 900));
    const seen: string[] = [];
    for (let i = 0; i < 9; i += 1) seen.push(await readWhenThere(consumer));
    expect(seen).toEqual([
      'data 0',
      'data 1',
      'data 2',
      'data 3',
      'cut 10',
      'cut 11',
      'cut 12',
      'cut 13',
      'cut 14',
    ]);
    await vi.waitUntil(() => writer.freeBytes() === CAPACITY_BYTES, { timeout: 10_000 });
    expect(writeData(writer, 20)).toBe(true);
    expect(read(consumer)).toBe('data 20');
  });

  it('takes a later command behind the ones that wait, though it alone would fit', async () => {
    const { writer, consumer } = ring();
    fill(writer);
    writer.command(headerOf(RecordType.cut, 10), payloadOf(10, 1800));
    expect(read(consumer)).toBe('data 0');
    writer.command(headerOf(RecordType.revoke, 11), payloadOf(11, 0));
    const seen: string[] = [];
    for (let i = 0; i < 5; i += 1) seen.push(await readWhenThere(consumer));
    expect(seen).toEqual(['data 1', 'data 2', 'data 3', 'cut 10', 'revoke 11']);
  });

  it('wakes who waits for space when the consumer moves on', async () => {
    const { writer, consumer } = ring();
    fill(writer);
    const space = writer.waitForSpace(50_000);
    read(consumer);
    await space;
    expect(writeData(writer, 4)).toBe(true);
  });

  it('holds data back when told to, while commands pass', () => {
    const { writer, consumer } = ring();
    writer.holdData(true);
    expect(writer.freeBytes()).toBe(0);
    expect(writeData(writer, 1)).toBe(false);
    writer.command(headerOf(RecordType.cut, 2), payloadOf(2, 5));
    expect(read(consumer)).toBe('cut 2');
    writer.holdData(false);
    expect(writeData(writer, 3)).toBe(true);
    expect(read(consumer)).toBe('data 3');
  });

  it('gives an aborted claim back', () => {
    const { writer, consumer } = ring();
    writer.tryClaim(100);
    writer.abort();
    expect(writeData(writer, 1)).toBe(true);
    expect(read(consumer)).toBe('data 1');
  });

  it('drops the commands that still wait, and later ones, when it is closed', async () => {
    const { writer, consumer } = ring();
    fill(writer);
    writer.command(headerOf(RecordType.cut, 10), payloadOf(10, 10));
    writer.close();
    for (let i = 0; i < 4; i += 1) expect(read(consumer)).toBe(`data ${i}`);
    writer.command(headerOf(RecordType.cut, 11), payloadOf(11, 10));
    // longer than the writer's own interval: whatever it would still write, is there by then
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(read(consumer)).toBeNull();
  });
});
