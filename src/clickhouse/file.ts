/** A file of the table, for a worker that is to insert it. */
export interface InsertFile {
  /** Path below the table, unencoded. */
  path: string;
  /** Which token its insert has, 0 as a rule: see `tokenOf`. */
  attempt?: number;
  /** What the ledger says it has. */
  sizeBytes: number;
  /** Where its bytes are, since rows were taken out of it; undefined: where its path says. */
  now?: { path: string; sizeBytes: number };
  rows: number;
}

/**
 * By which ClickHouse knows an insert again. A file goes in under its path; under another token only when a server that ended
 * in between may have noted the token and lost the rows: it would answer a repetition with success and add nothing.
 */
export function tokenOf({ path, attempt = 0 }: Pick<InsertFile, 'path' | 'attempt'>): string {
  return attempt === 0 ? path : `${path}#${attempt}`;
}

/** A row of a file by which is told whether ClickHouse has the file, and what the file adds to the sum of its signs. */
export interface RowProbe {
  sessionId: string;
  sessionStartMs: number;
  revision: number;
  /** Never 0. */
  sign: number;
}
