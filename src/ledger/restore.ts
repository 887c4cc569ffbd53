import type { Action, Add } from '../lake/delta/actions.js';
import type { LedgerEntry } from './types.js';

/**
 * The version that brings a table's files back to those of an earlier one: the others are removed, and those that were taken out
 * since are added again. It has our entry, without cuts and without transactions: lanes go on where they are, so what is taken out of the
 * table is not made again; and no follower has to do with it.
 */
export interface RestoreDraft {
  /** The version whose files it brings back. */
  to: number;
  remove: readonly Add[];
  add: readonly Add[];
}

/** What differs between the table as it is and as it was. */
export function restoreDraft(
  to: number,
  now: ReadonlyMap<string, Add>,
  then: ReadonlyMap<string, Add>,
): RestoreDraft {
  return {
    to,
    remove: [...now.values()].filter(({ path }) => !then.has(path)),
    add: [...then.values()].filter(({ path }) => !now.has(path)),
  };
}

export function restoreActions(
  { to, remove, add }: RestoreDraft,
  {
    attempt,
    semantics,
    version,
    nowMs,
  }: { attempt: string; semantics: string; version: string; nowMs: number },
): Action[] {
  const entry: LedgerEntry = {
    format: 1,
    attempt,
    engine: `operator-${attempt}`,
    semantics,
    cuts: [],
    restore: { to },
  };
  return [
    {
      commitInfo: {
        timestamp: nowMs,
        operation: 'RESTORE',
        operationParameters: { version: String(to) },
        isBlindAppend: false,
        engineInfo: `headrace/${version}`,
        headrace: entry,
      },
    },
    ...remove.map(({ path, partitionValues, size }) => ({
      remove: {
        path,
        deletionTimestamp: nowMs,
        dataChange: true,
        extendedFileMetadata: true,
        partitionValues,
        size,
      },
    })),
    ...add.map((file) => ({ add: { ...file, dataChange: true } })),
  ];
}
