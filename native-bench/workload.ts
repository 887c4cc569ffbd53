import { createHash } from 'node:crypto';
import { ClickstreamGenerator, type GeneratedEvent } from '#src/generator/clickstream.js';
import type { EventType } from '#src/generator/journey.js';
import type { Expected } from '#src/generator/tally.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import type { KafkaRecord } from '#src/reference/record-batches.js';
import { encodeBatch } from './kafka-batch.js';

/**
 * The bytes that all stages work on: seeded clickstream events of one lane, in Kafka record batches with LZ4. The same seed
 * gives the same bytes everywhere; `sha256` shows it.
 */

export const SEED = 20_260_130;
const START_MS = Date.UTC(2026, 0, 30, 6);
/** So that most sessions end within the stream: some two hours of event time, a quarter of the users present at once. */
const EVENTS_PER_USER = 10;

export interface WorkloadOptions {
  /** About as many: sessions that are open then go on to their end. */
  events: number;
  /** 500 records are 285 KB before compression. */
  recordsPerBatch: number;
  /** The generator's own mean when it is not said: 8. */
  eventsPerSessionMean?: number;
}

export interface Workload {
  model: CompiledModel;
  events: readonly GeneratedEvent[];
  /** What the generator knows of them, sessions too. */
  expected: Expected<EventType>;
  /** The batches one after the other, in shared memory as in a ring. */
  fetched: Uint8Array;
  batches: readonly BatchPlace[];
  /** What the batches hold, as decodeBatches delivers it. */
  records: readonly KafkaRecord[];
  /** Over the events' values, in order. */
  sha256: string;
  valueBytes: number;
  /** Records before and after compression. */
  lz4Ratio: number;
}

export interface BatchPlace {
  /** The whole batch, in `fetched`. */
  bytes: Uint8Array;
  /** Its LZ4 frame, in `fetched`. */
  frame: Uint8Array;
  /** Its records, decompressed. */
  records: Uint8Array;
  count: number;
}

const BATCH_HEADER_BYTES = 61;

export function buildWorkload(options: WorkloadOptions): Workload {
  const { events, expected } = generate(options);
  const hash = createHash('sha256');
  for (const { value } of events) hash.update(value);
  const encoded = chunks(events, options.recordsPerBatch).map((chunk, index) => ({
    count: chunk.length,
    ...encodeBatch(BigInt(index * options.recordsPerBatch), chunk),
  }));
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  const fetched = new Uint8Array(new SharedArrayBuffer(sum(encoded.map(({ bytes }) => bytes.length))));
  let at = 0;
  const batches = encoded.map(({ bytes, records, count }): BatchPlace => {
    fetched.set(bytes, at);
    const place = fetched.subarray(at, at + bytes.length);
    at += bytes.length;
    return { bytes: place, frame: place.subarray(BATCH_HEADER_BYTES), records, count };
  });
  const frameBytes = sum(batches.map(({ frame }) => frame.length));
  return {
    model: loadModel('clickstream'),
    events,
    expected,
    fetched,
    batches,
    records: events.map(asRecord),
    sha256: hash.digest('hex'),
    valueBytes: sum(events.map(({ value }) => value.length)),
    lz4Ratio: sum(batches.map(({ records }) => records.length)) / frameBytes,
  };
}

function generate({ events: count, eventsPerSessionMean }: WorkloadOptions): {
  events: GeneratedEvent[];
  expected: Expected<EventType>;
} {
  const users = Math.ceil(count / EVENTS_PER_USER);
  const generator = new ClickstreamGenerator({
    seed: SEED,
    users,
    partitions: 1,
    startMs: START_MS,
    ...(eventsPerSessionMean !== undefined && { eventsPerSessionMean }),
  });
  const events = generator.next(count);
  generator.finish();
  for (let more = generator.next(1_000); more.length > 0; more = generator.next(1_000)) events.push(...more);
  return { events, expected: generator.expected() };
}

function asRecord({ key, value, timeMs }: GeneratedEvent, index: number): KafkaRecord {
  return { offset: BigInt(index), timestampMs: timeMs, key: Buffer.from(key), value, tooLarge: false };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
