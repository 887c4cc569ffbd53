import { createHash } from 'node:crypto';
import type { ObjectStore } from '../store/store.js';

/**
 * What is kept beside a checkpoint of ours: its bytes' sum, since Parquet as it is written has none, and a note by those who write it
 * of what the versions before it said beyond Delta's own actions (the ledger's lanes). Other tools' checkpoints have none.
 */
export interface CheckpointSeal {
  format: 1;
  /** Id of the Delta table. */
  table: string;
  version: number;
  sizeBytes: number;
  sha256: string;
  note: unknown;
}

export const SEALS = '_headrace/checkpoints/';

export function sealPath(version: number): string {
  return `${SEALS}${String(version).padStart(20, '0')}.json`;
}

/** The version whose seal this is, or null. */
export function sealOf(path: string): number | null {
  const digits = /^_headrace\/checkpoints\/(\d{20})\.json$/.exec(path)?.[1];
  return digits === undefined ? null : Number(digits);
}

export function sumOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function writeSeal(store: ObjectStore, seal: CheckpointSeal): Promise<void> {
  await store.put(sealPath(seal.version), Buffer.from(JSON.stringify(seal)));
}

/** Null: there is none, or none that can be read. Throws HeadraceError LAKE_IO. */
export async function readSeal(store: ObjectStore, version: number): Promise<CheckpointSeal | null> {
  const bytes = await store.get(sealPath(version));
  if (bytes === null) return null;
  try {
    const seal = JSON.parse(Buffer.from(bytes).toString()) as CheckpointSeal;
    return seal.format === 1 && seal.version === version ? seal : null;
  } catch {
    // half of one is as good as none: the checkpoint is taken for another tool's
    return null;
  }
}
