import type { LaneRows } from '#src/ledger/types.js';
import type { DayRows } from './engines/engine.js';

/** Which rows of a cut go into which file: one day in each, and no more than a file may have. */

/** What becomes one file: rows of one day; of each part, the lane that it is of. */
export interface FileRows {
  day: number;
  rows: DayRows[];
  partitions: number[];
}

/**
 * A file's rows, and their bytes before they are columns: what memory must hold twice while they become one, and what
 * ClickHouse takes as one block.
 */
export const FILE_MOST = { rows: 250_000, bytes: 64 * 2 ** 20 };

/** Days ascending; of each, the rows in the order in which they were given. A part that is too large for a file is split. */
export function filesOf(
  given: Iterable<{ day: number; rows: DayRows; partition: number }>,
  most = FILE_MOST,
): FileRows[] {
  const days = new Map<number, OpenFile[]>();
  for (const { day, rows, partition } of given) {
    const files = days.get(day) ?? [];
    days.set(day, files);
    for (const part of rows.split(most)) {
      let file = files.at(-1);
      if (file === undefined || file.count + part.rows > most.rows || file.bytes + part.bytes > most.bytes) {
        file = { day, rows: [], partitions: [], count: 0, bytes: 0 };
        files.push(file);
      }
      file.rows.push(part);
      file.partitions.push(partition);
      file.count += part.rows;
      file.bytes += part.bytes;
    }
  }
  return [...days].sort(([a], [b]) => a - b).flatMap(([, files]) => files);
}

interface OpenFile extends FileRows {
  count: number;
  bytes: number;
}

/** How many rows of the file are of which lane, in its order. */
export function laneRowsOf({ rows, partitions }: FileRows): LaneRows[] {
  const lanes: LaneRows[] = [];
  for (const [index, partition] of partitions.entries()) {
    const last = lanes.at(-1);
    if (last?.partition === partition) last.rows += rows[index]!.rows;
    else lanes.push({ partition, rows: rows[index]!.rows });
  }
  return lanes;
}
