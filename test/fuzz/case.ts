import type { Marks } from '#src/model/marks.js';

/**
 * A case: a model, the logs of some lanes, and what is done with them. Plain data, so that it can be shrunk, written to
 * test/fixtures/fuzz/ and replayed; nothing in it is random any more.
 */
export interface FuzzCase {
  seed: number;
  /** The model file; YAML, in the part of it that is JSON too. */
  model: string;
  limits: FuzzLimits;
  /** By lane. */
  logs: BatchCase[][];
  steps: Step[];
  /** All documents are such as a producer without fault writes: the kernel must decide nearly all of them. */
  isBenign: boolean;
}

export interface FuzzLimits {
  decompressedBatchBytesMax: number;
  recordBytesMax: number;
  /** What a list, set or records may take of a row; left out: what the model says. */
  collectionBytesMax?: number;
  /** For the sessions of the engine under test; null: as much as they need. */
  sessionBytesMax: number | null;
}

/** xerial: snappy with the framing of Java's clients. */
export const CODECS = ['none', 'gzip', 'snappy', 'xerial', 'lz4', 'zstd'] as const;

export interface BatchCase {
  baseOffset: number;
  /** Holes behind the last record, too. */
  lastOffsetDelta: number;
  codec: (typeof CODECS)[number];
  /** The broker's time for all records, or null. */
  appendTimeMs: number | null;
  records: RecordCase[];
  /** Byte of the encoded batch whose bits are turned over, the CRC repaired; null: none. */
  damagedByte: number | null;
}

export interface RecordCase {
  offsetDelta: number;
  timestampMs: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  headers: number;
}

export type Step =
  /** Hands a lane its records up to an offset, in one fetch; they may begin and end inside a batch. */
  | { do: 'feed'; lane: number; until: number }
  /** Applies marks, then takes and compares what was emitted; `file`: as Parquet files, too. */
  | { do: 'cut'; lane: number; marks: Marks; file?: boolean }
  /** The lane goes on from a snapshot of its own, or of the other engine's. */
  | { do: 'restore'; lane: number; from: 'own' | 'other' }
  /** Remembers the lane as it is; `rewind` goes back to there, and the log is read again. */
  | { do: 'remember'; lane: number }
  | { do: 'rewind'; lane: number; from: 'own' | 'other' }
  /** Begins a snapshot that is finished when the next one begins or at the end: the lane goes on meanwhile. */
  | { do: 'copy'; lane: number }
  /** The lane is given up and begins anew, empty, where it stands. */
  | { do: 'free'; lane: number };

const BYTES = /^base64:/;

/** As text; bytes are strings, so that one can see them: UTF-8 where it is that, else base64. */
export function caseToJson(fuzzCase: FuzzCase): string {
  // one line a record: a fixture stays readable, and small in a diff
  const batch = ({ records, ...rest }: BatchCase) =>
    `    ${JSON.stringify(rest).slice(0, -1)},"records":[\n${records
      .map((record) => `      ${JSON.stringify(plainRecord(record))}`)
      .join(',\n')}\n    ]}`;
  const logs = fuzzCase.logs.map((log) => `   [\n${log.map(batch).join(',\n')}\n   ]`);
  const steps = fuzzCase.steps.map((step) => `    ${JSON.stringify(step)}`);
  const { seed, model, limits, isBenign } = fuzzCase;
  const head = JSON.stringify({ seed, isBenign, limits, model: JSON.parse(model) as unknown });
  return `${head.slice(0, -1)},\n "logs":[\n${logs.join(',\n')}\n ],\n "steps":[\n${steps.join(',\n')}\n ]}\n`;
}

export function caseFromJson(text: string): FuzzCase {
  const plain = JSON.parse(text) as Omit<FuzzCase, 'model'> & { model: unknown };
  const logs = plain.logs.map((log) =>
    log.map((batch) => ({
      ...batch,
      records: batch.records.map((record) => ({
        ...record,
        key: textToBytes(record.key as string | null),
        value: textToBytes(record.value as string | null),
      })),
    })),
  );
  return { ...plain, model: JSON.stringify(plain.model), logs };
}

function plainRecord({ key, value, ...rest }: RecordCase) {
  return { ...rest, key: key && bytesToText(key), value: value && bytesToText(value) };
}

function bytesToText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  const isText = !BYTES.test(text) && Buffer.from(text).equals(buffer);
  return isText ? text : `base64:${buffer.toString('base64')}`;
}

function textToBytes(text: string | null): Uint8Array | null {
  if (text === null) return null;
  return new Uint8Array(BYTES.test(text) ? Buffer.from(text.slice(7), 'base64') : Buffer.from(text));
}
