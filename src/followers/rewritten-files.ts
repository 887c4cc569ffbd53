import type { InsertFile } from '../clickhouse/file.js';
import type { RecordRequest } from '../ledger/record-pack.js';
import type { RewrittenFile } from '../ledger/rewrites.js';
import type { FileInserter } from './clickhouse/file-inserter.js';

/**
 * Followers go by the files that cuts committed. What an erasure made of one is looked up as late as can be, when its bytes are
 * wanted: the erasure may come while the file waits.
 */
export type RewriteOf = (path: string) => RewrittenFile | undefined;

/** Inserts what is left of each file, under the file's own token. A file of which nothing is left is in without being sent. */
export function rewrittenInserter(inserter: FileInserter, rewriteOf: RewriteOf): FileInserter {
  return {
    insert: async (worker, file, signal) => {
      const left = leftOf(file, rewriteOf);
      return left === null ? { error: null, unknown: false } : await inserter.insert(worker, left, signal);
    },
    probe: async (worker, file) => {
      const left = leftOf(file, rewriteOf);
      return left === null ? null : await inserter.probe(worker, left);
    },
    forget: (worker, paths) => inserter.forget(worker, paths),
  };
}

function leftOf(file: InsertFile, rewriteOf: RewriteOf): InsertFile | null {
  const rewrite = rewriteOf(file.path);
  if (rewrite === undefined) return file;
  if (rewrite.now === null) return null;
  return { ...file, rows: file.rows - rewrite.gone.length, now: rewrite.now };
}

/** Dead letters keep their files, and their places in them. */
export function rewrittenRequest(request: RecordRequest, rewriteOf: RewriteOf): RecordRequest {
  const rewrite = request.laneRows === null ? undefined : rewriteOf(request.path);
  return rewrite === undefined ? request : { ...request, rewrite };
}
