import { z } from 'zod';
import type { LaneHistory } from './history.js';

/**
 * What the ledger says up to a version, sealed with the checkpoint of that version: whoever opens the table from there needs none of
 * the versions before it, of which there may be very many, or none any more.
 */

const wholeNumber = z.number().int();
const offset = wholeNumber.transform(BigInt);

const SNAPSHOT = z.object({
  path: z.string(),
  sizeBytes: wholeNumber,
  offset,
  cutId: z.string(),
  version: wholeNumber,
});

const CUT = z.object({
  cutId: z.string(),
  to: offset,
  marks: z.record(z.string(), z.unknown()),
  rows: wholeNumber,
  deadLetters: wholeNumber,
  crc: wholeNumber,
  version: wholeNumber,
});

const LANE = z.object({
  topicId: z.string(),
  partition: wholeNumber,
  startOffset: offset,
  resetIn: wholeNumber.nullable(),
  truncated: z.literal(true).optional(),
  committedTo: offset,
  version: wholeNumber,
  watermarkMs: z.number().nullable(),
  endedAt: offset.nullable(),
  snapshottedMs: z.number().nullable(),
  snapshots: z.array(SNAPSHOT),
  cuts: z.array(CUT),
  gaps: z.array(z.object({ from: wholeNumber, to: wholeNumber })),
});

const NOTE = z.object({
  format: z.literal(1),
  semantics: z.string().nullable(),
  lanes: z.array(LANE),
  rewrites: z.array(
    z.object({
      path: z.string(),
      now: z.object({ path: z.string(), sizeBytes: wholeNumber }).nullable(),
      gone: z.array(wholeNumber),
    }),
  ),
});

export interface HistoryNote {
  semantics: string | null;
  lanes: readonly (LaneHistory & { topicId: string })[];
  /** By the path in its cut. */
  rewrites: readonly {
    path: string;
    now: { path: string; sizeBytes: number } | null;
    gone: readonly number[];
  }[];
}

/** As JSON can carry it. */
export function encodeHistory(note: HistoryNote): object {
  return JSON.parse(
    JSON.stringify({ format: 1, ...note }, (_, value: unknown) =>
      typeof value === 'bigint' ? Number(value) : value,
    ),
  ) as object;
}

/** Null: it is none, or of another format. */
export function decodeHistory(note: unknown): HistoryNote | null {
  const checked = NOTE.safeParse(note);
  return checked.success ? (checked.data as HistoryNote) : null;
}
