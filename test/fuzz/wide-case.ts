import type { BatchCase, FuzzCase } from './case.js';

/** One session of more events than 16 bits count, each with a text of its own: what no random case is large enough for. */
export function wideCase(): FuzzCase {
  const perBatch = 6_600;
  const batches = Array.from({ length: 10 }, (_, batch): BatchCase => {
    const records = Array.from({ length: perBatch }, (_, index) => {
      const event = batch * perBatch + index;
      const timestampMs = 1_767_225_600_000 + event;
      const value = Buffer.from(`{"user":"u","at":${timestampMs},"page":"/p/${event}","type":"view"}`);
      return { offsetDelta: index, timestampMs, key: null, value, headers: 0 };
    });
    const baseOffset = batch * perBatch;
    const lastOffsetDelta = perBatch - 1;
    return { baseOffset, lastOffsetDelta, codec: 'lz4', appendTimeMs: null, records, damagedByte: null };
  });
  const until = 10 * perBatch;
  return {
    seed: 1,
    model: JSON.stringify(MODEL),
    limits: { decompressedBatchBytesMax: 8 << 20, recordBytesMax: 1 << 20, sessionBytesMax: null },
    logs: [batches],
    steps: [
      { do: 'feed', lane: 0, until: until / 2 },
      { do: 'cut', lane: 0, marks: { early: true }, file: true },
      { do: 'feed', lane: 0, until },
      { do: 'restore', lane: 0, from: 'other' },
      { do: 'cut', lane: 0, marks: { endOfInput: true }, file: true },
    ],
    isBenign: true,
  };
}

const MODEL = {
  name: 'wide',
  key: 'user',
  time: { field: 'at', format: 'epoch_ms' },
  fields: {
    user: { type: 'string', required: true },
    at: { type: 'time', required: true },
    page: { type: 'string' },
    type: { type: 'string' },
  },
  gap: '30m',
  columns: {
    session_id: { op: 'session_id', template: '{key}' },
    session_start: { op: 'session_start' },
    events: { op: 'count', type: 'uint16' },
    views: { op: 'count_if', field: 'type', in: ['view'], type: 'uint16' },
    different: { op: 'count_distinct', field: 'page', type: 'uint16' },
    exactly: { op: 'count_distinct', field: 'page', type: 'uint64' },
    pages: { op: 'list', field: 'page', limit: 100_000 },
    some: { op: 'set', field: 'page', limit: 65_537 },
    created_at: { op: 'created_at' },
    batch_id: { op: 'batch_id' },
    file_id: { op: 'file_id' },
    closed_by: { op: 'closed_by' },
    revision: { op: 'revision' },
    sign: { op: 'sign' },
  },
};
