import { buildBatch, repairCrc } from '../support/batch-builder.js';
import type { BatchCase } from './case.js';

/** A batch of a case as the bytes that a broker would send. */
export function encodeBatch(batch: BatchCase): Uint8Array {
  const { appendTimeMs, damagedByte } = batch;
  const bytes = buildBatch({
    baseOffset: batch.baseOffset,
    lastOffsetDelta: batch.lastOffsetDelta,
    codec: batch.codec,
    ...(appendTimeMs === null ? {} : { logAppendTime: true, maxTimestampMs: appendTimeMs }),
    records: batch.records.map(({ offsetDelta, timestampMs, key, value, headers }) => ({
      offsetDelta,
      timestampMs,
      key,
      value,
      headers: Array.from({ length: headers }, (_, i) => ({ key: `h${i}`, value: i % 2 === 0 ? null : 'x' })),
    })),
  });
  if (damagedByte !== null && damagedByte < bytes.length) {
    bytes[damagedByte]! ^= 0xff;
    repairCrc(bytes);
  }
  return bytes;
}

/** The offset behind a batch. */
export function endOfBatch(batch: BatchCase): number {
  return batch.baseOffset + batch.lastOffsetDelta + 1;
}
