import type { InsertFile, RowProbe } from '../../clickhouse/file.js';
import type { HeadraceError } from '../../errors.js';

/** Null: the file is in. `unknown`: it may be in all the same, or may yet come in. */
export interface InsertOutcome {
  error: HeadraceError | null;
  unknown: boolean;
}

/** Who inserts files: the workers. One file at a time each. */
export interface FileInserter {
  /** Never rejects. Aborted, it resolves at once, with an outcome that is not known. */
  insert(worker: number, file: InsertFile, signal: AbortSignal): Promise<InsertOutcome>;
  /** Null: the file's rows cancel each other. Rejects with HeadraceError LAKE_IO. */
  probe(worker: number, file: InsertFile): Promise<RowProbe | null>;
  /** Their bytes need not be kept. */
  forget(worker: number, paths: string[]): void;
}
