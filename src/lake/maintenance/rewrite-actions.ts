import type { Action, Add } from '../delta/actions.js';

/** A version that takes data files out of a table and puts others in their place: erasures, folds, compactions, expiries. */
export interface RewriteDraft {
  /** Files of the table, each as it was added. */
  removed: readonly Pick<Add, 'path' | 'partitionValues' | 'size'>[];
  added: readonly WrittenFile[];
  /**
   * Whether rows are gone with `removed`, and whether there are new ones in `added`. By Delta's words a removed file has dataChange
   * unless all its rows are in files that the version adds, and an added one unless all of its are in files that the version removes.
   */
  removedDataChange: boolean;
  addedDataChange: boolean;
  /** In the words of Delta's history. */
  operation: string;
  operationParameters: Record<string, string>;
}

/** A data file that was written and is in no version yet. */
export interface WrittenFile {
  path: string;
  partitionValues: Record<string, string | null>;
  sizeBytes: number;
  rows: number;
  /** Delta's stats object as JSON text. */
  stats: string;
}

/** `headrace`: the entry of commitInfo, with the attempt. `version`: of this program. */
export function rewriteActions(
  draft: RewriteDraft,
  { headrace, version, nowMs }: { headrace: object; version: string; nowMs: number },
): Action[] {
  const { removed, added, removedDataChange, addedDataChange, operation, operationParameters } = draft;
  return [
    {
      commitInfo: {
        timestamp: nowMs,
        operation,
        operationParameters,
        isBlindAppend: false,
        engineInfo: `headrace/${version}`,
        headrace,
      },
    },
    ...removed.map(({ path, partitionValues, size }) => ({
      remove: {
        path,
        deletionTimestamp: nowMs,
        dataChange: removedDataChange,
        extendedFileMetadata: true,
        partitionValues,
        size,
      },
    })),
    ...added.map(({ path, partitionValues, sizeBytes, stats }) => ({
      add: {
        path,
        partitionValues,
        size: sizeBytes,
        modificationTime: nowMs,
        dataChange: addedDataChange,
        stats,
      },
    })),
  ];
}
