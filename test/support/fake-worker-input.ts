import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SessionEngineName } from '#src/config/worker-memory.js';
import type { CutLane, RecordedCut, SealedLane, SealedReport } from '#src/ledger/types.js';
import type { WorkerTask } from '#src/pool/messages.js';
import { type BatchSpec, buildBatch } from './batch-builder.js';
import { readColumns } from './columnar-read.js';
import { FakeMainThread } from './fake-main-thread.js';
import { withFolder } from './lake-table.js';
import { BASE_MS, type TinyEvent, tinyModel } from './reference-lane.js';

/** What a worker is given and what it leaves behind, for the tiny model. */

export const model = tinyModel();

/** What is true of a worker is true with each. */
export const ENGINES: readonly SessionEngineName[] = ['reference', 'kernel'];

export async function withWorker(
  work: (main: FakeMainThread, folder: string) => Promise<void>,
  limits: Partial<WorkerTask['limits']> = {},
  engine: SessionEngineName = 'reference',
): Promise<void> {
  await withFolder(async (folder) => {
    const main = new FakeMainThread({ folder, model, limits, engine });
    try {
      await work(main, folder);
    } finally {
      await main.stop().catch(() => undefined);
    }
  });
}

/** Brings a new lane to work at offset 0. */
export async function live(main: FakeMainThread, partition: number, incarnation = 1): Promise<void> {
  main.assign({ partition, incarnation });
  await main.message('lane-ready', partition, incarnation);
}

/** An event of the user every second. The gap is 10 s, the allowed disorder 5 s. */
export function events(user: string, fromSeconds: number, count: number): TinyEvent[] {
  return Array.from({ length: count }, (_, i) => ({ user, at: fromSeconds + i, page: `/${i}` }));
}

export function batchOf(
  list: readonly TinyEvent[],
  baseOffset: number,
  spec: Partial<BatchSpec> = {},
): Uint8Array {
  const records = list.map((event) => ({
    value: JSON.stringify({ ...event, at: BASE_MS + event.at * 1_000 }),
    timestampMs: BASE_MS + event.at * 1_000,
  }));
  return buildBatch({ baseOffset, records, codec: 'lz4', ...spec });
}

export function wanted(partition: number, incarnation: number, snapshot = false): CutLane {
  return { partition, incarnation, marks: {}, snapshot };
}

/** The rows of a report's files, as `user events closed_by sign`, in order. */
export async function rowsOf(folder: string, report: SealedReport): Promise<string[]> {
  const rows: string[] = [];
  for (const file of report.files) {
    const columns = readColumns(await readFile(join(folder, file.path)));
    expect(columns.user).toHaveLength(file.rows);
    for (let i = 0; i < file.rows; i++) {
      const at = (name: string) => String(columns[name]![i]);
      rows.push(`${at('user')} ${at('events')} ${at('closed_by')} ${at('sign')}`);
      expect(at('batch_id')).toBe(report.cutId);
    }
  }
  return rows.sort();
}

/** A cut of a lane as the ledger would have it. */
export function recorded(lane: SealedLane, cutId: string): RecordedCut {
  const { to, marks, rows, deadLetters, crc } = lane;
  return { cutId, to, marks, rows, deadLetters, crc };
}
