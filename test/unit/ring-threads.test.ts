import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { crc32c } from '@node-rs/crc32';
import { expect, it } from 'vitest';
import { seededRandom } from '#src/random.js';
import { RecordType } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { RingWriter } from '#src/ring/writer.js';
import { dirtyRing, headerOf } from '../support/spine-ring.js';

const RECORDS = 100_000;
const COMMAND_EVERY = 97;

interface ConsumerResult {
  records: number;
  commands: number;
  disorders: number;
  dirtyReadAheads: number;
  checksum: number;
  emptySeen: number;
}

interface Pause {
  everyRecords: number;
  ms: number;
}

/** Random bytes to cut payloads from. */
function noise(bytes: number): Uint8Array {
  const random = seededRandom(4711);
  return Uint8Array.from({ length: bytes }, () => random.below(256));
}

async function writeAll(writer: RingWriter, producerPause: Pause | null) {
  const random = seededRandom(42);
  const source = noise(64 * 1024);
  let checksum = 0;
  let fullSeen = 0;
  for (let number = 0; number < RECORDS; number += 1) {
    const length = random.below(40) === 0 ? random.below(writer.payloadBytesMax) : random.below(400);
    const from = random.below(source.length - length);
    const payload = source.subarray(from, from + length);
    checksum = (Math.imul(checksum, 31) + crc32c(payload)) >>> 0;
    if (number % COMMAND_EVERY === 0) {
      writer.command(headerOf(RecordType.cut, number), payload.slice());
      continue;
    }
    let claim = writer.tryClaim(length);
    for (; claim === null; claim = writer.tryClaim(length)) {
      fullSeen += 1;
      await Promise.race([writer.waitForSpace(20), new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    claim.bytes.set(payload);
    writer.commit(headerOf(RecordType.data, number), length);
    if (producerPause !== null && number % producerPause.everyRecords === 0)
      await new Promise((resolve) => setTimeout(resolve, producerPause.ms));
  }
  writer.command(headerOf(RecordType.stop, RECORDS), new Uint8Array(0));
  return { checksum, fullSeen };
}

async function passThrough(consumerPause: Pause | null, producerPause: Pause | null) {
  const place = dirtyRing(64 * 1024, 2n ** 32n - 64n * 1024n);
  const worker = new Worker(new URL('../fixtures/ring-consumer.mjs', import.meta.url), {
    workerData: { place, pause: consumerPause },
  });
  try {
    await once(worker, 'message');
    const answer = once(worker, 'message') as Promise<[ConsumerResult]>;
    const gone = once(worker, 'exit').then(() => Promise.reject(new Error('the consuming thread ended')));
    const writing = writeAll(new RingWriter(new RingProducer(place)), producerPause);
    const [written, [read]] = await Promise.race([Promise.all([writing, answer]), gone]);
    expect(read).toMatchObject({
      records: RECORDS,
      commands: Math.ceil(RECORDS / COMMAND_EVERY),
      disorders: 0,
      dirtyReadAheads: 0,
      checksum: written.checksum,
    });
    return { fullSeen: written.fullSeen, emptySeen: read.emptySeen };
  } finally {
    await worker.terminate();
  }
}

it('100,000 records pass between two threads in order and whole while the consumer is the slower one', async () => {
  const { fullSeen } = await passThrough({ everyRecords: 1000, ms: 2 }, null);
  expect(fullSeen).toBeGreaterThan(10);
});

it('100,000 records pass between two threads in order and whole while the producer is the slower one', async () => {
  const { emptySeen } = await passThrough(null, { everyRecords: 1000, ms: 2 });
  expect(emptySeen).toBeGreaterThan(10);
});
