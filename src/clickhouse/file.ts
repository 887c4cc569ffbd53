/** A file of the table, for a worker that is to insert it. */
export interface InsertFile {
  /** Path below the table, unencoded; the token of its insert. */
  path: string;
  /** What the ledger says it has. */
  sizeBytes: number;
  rows: number;
}

/** A row of a file by which is told whether ClickHouse has the file, and what the file adds to the sum of its signs. */
export interface RowProbe {
  sessionId: string;
  sessionStartMs: number;
  revision: number;
  /** Never 0. */
  sign: number;
}
