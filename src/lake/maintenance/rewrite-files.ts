import { ForeignInput, mergeFiles } from '../../columnar/merge-files.js';
import { partitionFolder } from '../delta/path.js';
import type { WrittenFile } from './rewrite-actions.js';
import type { MaintenanceRun } from './run.js';
import { decodedBytes } from './settings.js';
import type { IndexedFile } from './table-index.js';

/** A file of the table whose rows, but for some, are to be in other files. */
export interface RewriteInput {
  file: IndexedFile;
  /** Rows that are left out, by number. */
  gone: ReadonlySet<number>;
}

/** Files of one partition that are decoded together. */
export type Bin = readonly RewriteInput[];

/**
 * Writes what is left of the bins' files, in fewer and larger ones. Null: a file is gone, or another tool wrote it in a form that can't be
 * written again here (it is in `foreign` then, and is left alone from then on); what was written is deleted again.
 */
export async function rewriteBins(
  run: MaintenanceRun,
  bins: readonly Bin[],
  foreign: Map<string, string>,
): Promise<WrittenFile[] | null> {
  const written: WrittenFile[] = [];
  try {
    for (const bin of bins) {
      const files = run.isStopped ? null : await rewriteBin(run, bin, foreign);
      if (files === null) {
        await dropWritten(run, written);
        return null;
      }
      written.push(...files);
    }
    return written;
  } catch (error) {
    await dropWritten(run, written);
    throw error;
  }
}

/** Files that no version will name. */
export async function dropWritten(run: MaintenanceRun, written: readonly WrittenFile[]): Promise<void> {
  for (const { path } of written) await run.options.store.delete(path);
}

async function rewriteBin(
  run: MaintenanceRun,
  bin: Bin,
  foreign: Map<string, string>,
): Promise<WrittenFile[] | null> {
  const { store, model, settings, pause, random, signal } = run.options;
  const inputs: { bytes: Uint8Array; gone: ReadonlySet<number> }[] = [];
  for (const { file, gone } of bin) {
    const bytes = await run.read(file.add.path, file.add.size);
    if (bytes === null) return null;
    inputs.push({ bytes, gone });
  }
  const sizeBytes = bin.reduce((sum, { file }) => sum + file.add.size, 0);
  try {
    const merged = await mergeFiles(model, inputs, {
      orderBy: settings.clusterBy,
      fileCount: Math.max(1, Math.round(sizeBytes / settings.targetFileBytes)),
      ...(pause === undefined ? {} : { pause }),
    });
    const { partitionValues } = bin[0]!.file.add;
    const folder = Object.entries(partitionValues)
      .map(([column, value]) => `${partitionFolder(column, value)}/`)
      .join('');
    const written: WrittenFile[] = [];
    for (const { bytes, rows, stats } of merged) {
      const path = `${folder}merged-${random.id63().toString(36)}.parquet`;
      await run.pace.spend(bytes.byteLength, signal);
      await store.put(path, bytes);
      written.push({ path, partitionValues, sizeBytes: bytes.byteLength, rows, stats });
    }
    return written;
  } catch (error) {
    if (!(error instanceof ForeignInput)) throw error;
    foreign.set(bin[error.index]!.file.add.path, error.message);
    return null;
  }
}

/**
 * Inputs in their order as bins: each makes about one file of the wanted size, and is decoded within the memory that may be taken. One
 * that alone takes more is a bin of its own.
 */
export function binsOf(
  inputs: readonly RewriteInput[],
  { targetFileBytes, memoryBytes }: { targetFileBytes: number; memoryBytes: number },
): RewriteInput[][] {
  const bins: RewriteInput[][] = [];
  let sizeBytes = 0;
  let takenBytes = 0;
  for (const input of inputs) {
    const { add, rows } = input.file;
    const decoded = decodedBytes(add.size, rows);
    const isFull = sizeBytes + add.size > targetFileBytes || takenBytes + decoded > memoryBytes;
    if (bins.length === 0 || (isFull && sizeBytes > 0)) {
      bins.push([]);
      sizeBytes = 0;
      takenBytes = 0;
    }
    bins.at(-1)!.push(input);
    sizeBytes += add.size;
    takenBytes += decoded;
  }
  return bins;
}
