/** How a table is maintained: what the configuration's `lake.maintenance` says, in ms and bytes. */
export interface RewriteSettings {
  /** Files of this size or more are left as they are. */
  smallFileBytes: number;
  /** How large a written file is to be. */
  targetFileBytes: number;
  /** So many small files of a partition are worth a rewrite although they make no large one. */
  filesMin: number;
  /** What may be decoded at a time. */
  memoryBytes: number;
  /** Read and written a second, together; null: no limit. */
  ioBytesPerSecond: number | null;
  /** Columns by which rows are ordered in a written file. */
  clusterBy: readonly string[];
}

/** How much a byte of a data file comes to, decoded: Arrow's columns, their copy on the way, what is kept of each row. */
const DECODED_PER_BYTE = 8;
const DECODED_PER_ROW_BYTES = 64;

export function decodedBytes(sizeBytes: number, rows: number | null): number {
  return sizeBytes * DECODED_PER_BYTE + (rows ?? 0) * DECODED_PER_ROW_BYTES;
}
