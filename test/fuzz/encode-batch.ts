import { type BatchSpec, buildBatch, repairCrc } from '../support/batch-builder.js';
import { xerialSnappy } from '../support/kernel-snappy.js';
import type { BatchCase } from './case.js';

const BATCH_HEADER_BYTES = 61;

/** A batch of a case as the bytes that a broker would send. */
export function encodeBatch(batch: BatchCase): Uint8Array {
  const { appendTimeMs, damagedByte, codec } = batch;
  const spec: BatchSpec = {
    baseOffset: batch.baseOffset,
    lastOffsetDelta: batch.lastOffsetDelta,
    ...(appendTimeMs === null ? {} : { logAppendTime: true, maxTimestampMs: appendTimeMs }),
    records: batch.records.map(({ offsetDelta, timestampMs, key, value, headers }) => ({
      offsetDelta,
      timestampMs,
      key,
      value,
      headers: Array.from({ length: headers }, (_, i) => ({ key: `h${i}`, value: i % 2 === 0 ? null : 'x' })),
    })),
  };
  const bytes = codec === 'xerial' ? xerialBatch(spec) : buildBatch({ ...spec, codec });
  if (damagedByte !== null && damagedByte < bytes.length) {
    bytes[damagedByte]! ^= 0xff;
    repairCrc(bytes);
  }
  return bytes;
}

function xerialBatch(spec: BatchSpec): Uint8Array {
  const records = buildBatch(spec).subarray(BATCH_HEADER_BYTES);
  return buildBatch({ ...spec, codec: 'snappy', lies: { payload: xerialSnappy(records) } });
}

/** The offset behind a batch. */
export function endOfBatch(batch: BatchCase): number {
  return batch.baseOffset + batch.lastOffsetDelta + 1;
}
