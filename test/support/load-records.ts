import { ChunkWriter } from '#src/generator/load/chunk-writer.js';
import { NO_DIRT } from '#src/generator/load/dirt.js';
import { EventText } from '#src/generator/load/event-text.js';
import { makeLoad } from '#src/generator/load/load.js';
import type { LoadSpec } from '#src/generator/load/load-plan.js';
import { decodeBatches } from '#src/reference/record-batches.js';

/** A load's records by partition, by way of plain text and by way of compressed batches. */

export const SPEC: LoadSpec = {
  model: 'clickstream',
  sessions: 'journeys',
  seed: 1,
  users: 3_000,
  partitions: 4,
  eventsPerSessionMean: 8,
  startMs: Date.UTC(2026, 0, 30, 12),
  awayMsMin: 31 * 60_000,
  breakMsMean: 60 * 60_000,
  dirt: NO_DIRT,
  records: 4_000,
};

export interface LoadRecord {
  key: string;
  value: Buffer;
  timestampMs: number;
}

const LIMITS = { decompressedBatchBytesMax: 1 << 20, recordBytesMax: 1 << 20 };

export function plainRecords(spec: LoadSpec, isOurs: (partition: number) => boolean = () => true) {
  const { layout, films, partitions } = makeLoad(spec, isOurs);
  const text = new EventText(layout, films.pieces);
  const key = Buffer.alloc(layout.keyBytes);
  const records = new Map<number, LoadRecord[]>();
  for (const load of partitions) {
    const own: LoadRecord[] = [];
    while (load.hasNext(Number.POSITIVE_INFINITY)) {
      const other = load.take();
      const value = other ?? Buffer.alloc(text.valueBytes(load.draft));
      if (other === null && text.putValue(value, 0, load.draft) !== value.length)
        throw new Error('a length lies');
      text.putKey(key, 0, load.draft);
      own.push({
        key: key.toString('latin1'),
        value: Buffer.from(value),
        timestampMs: load.draft.producedMs,
      });
    }
    records.set(load.partition, own);
  }
  return { records, loads: partitions };
}

export function batchedRecords(spec: LoadSpec, recordsMax: number) {
  const load = makeLoad(spec, () => true);
  const writer = new ChunkWriter(load, { id: 7n, epoch: 1 });
  const records = new Map<number, LoadRecord[]>();
  let bytes = 0;
  for (;;) {
    const chunk = writer.write(Number.POSITIVE_INFINITY, recordsMax);
    if (chunk.batches.length === 0) return { records, bytes };
    for (const { partition, from, to, records: count, sequence } of chunk.batches) {
      const own = records.get(partition) ?? [];
      if (sequence !== own.length) throw new Error('a sequence with a gap');
      records.set(partition, own);
      const batch = new Uint8Array(chunk.bytes, from, to - from);
      bytes += batch.length;
      const { length } = own;
      decodeBatches(batch, { fromOffset: 0n, limits: LIMITS }, ({ key, value, timestampMs }) =>
        own.push({ key: Buffer.from(key!).toString('latin1'), value: Buffer.from(value!), timestampMs }),
      );
      if (own.length - length !== count) throw new Error('a count lies');
    }
  }
}
