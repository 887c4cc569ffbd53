import type { ChangeKeys } from '../../columnar/change-scan.js';
import type { IndexedFile } from './table-index.js';

/** A row that may cancel another. */
export interface ChangeRow {
  row: number;
  sign: number;
}

/**
 * −rows of a partition's files, and the rows with the same session, start and revision: those that may cancel each other. Pure. That they
 * do is decided by all of their content (`cancelledRows`).
 */
export class ChangeRows {
  /** Keys of −rows. */
  readonly #keys = new Set<number>();
  readonly #candidates = new Map<IndexedFile, ChangeRow[]>();
  /** Bounds of session_start of the files that have −rows; −rows start where the rows do that they take back. */
  #startsMs = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  #count = 0;

  /** −rows. */
  get count(): number {
    return this.#count;
  }

  takeMinus(file: IndexedFile, { keys, signs }: ChangeKeys): void {
    let has = false;
    for (let row = 0; row < keys.length; row++) {
      if (signs[row]! >= 0) continue;
      has = true;
      this.#count++;
      this.#keys.add(keys[row]!);
      this.#add(file, { row, sign: signs[row]! });
    }
    if (!has) return;
    const { min, max } = file.startsMs ?? {
      min: Number.NEGATIVE_INFINITY,
      max: Number.POSITIVE_INFINITY,
    };
    this.#startsMs = { min: Math.min(this.#startsMs.min, min), max: Math.max(this.#startsMs.max, max) };
  }

  /** Can a row that a −row takes back lie in the file? */
  mayBeIn({ startsMs }: IndexedFile): boolean {
    if (startsMs === null) return true;
    return startsMs.max >= this.#startsMs.min && startsMs.min <= this.#startsMs.max;
  }

  takePlus(file: IndexedFile, { keys, signs }: ChangeKeys): void {
    for (let row = 0; row < keys.length; row++)
      if (signs[row]! > 0 && this.#keys.has(keys[row]!)) this.#add(file, { row, sign: signs[row]! });
  }

  /** By file, rows ascending. */
  candidates(): [IndexedFile, ChangeRow[]][] {
    return [...this.#candidates].map(([file, rows]) => [file, rows.sort((a, b) => a.row - b.row)]);
  }

  #add(file: IndexedFile, row: ChangeRow): void {
    const rows = this.#candidates.get(file);
    if (rows === undefined) this.#candidates.set(file, [row]);
    else rows.push(row);
  }
}

export interface CancelledRows {
  pairs: number;
  /** Rows that leave each file. */
  files: Map<IndexedFile, number[]>;
}

/**
 * Which rows go: a +1 and a −1 of the same content each time, the earliest of both. `hashes`: of the rows' content, in their order.
 * A sign that is neither is another tool's, and stays.
 */
export function cancelledRows(
  candidates: readonly { file: IndexedFile; rows: readonly ChangeRow[]; hashes: Float64Array }[],
): CancelledRows {
  const open = new Map<number, { file: IndexedFile; row: number; sign: number }[]>();
  const result: CancelledRows = { pairs: 0, files: new Map() };
  const goes = (file: IndexedFile, row: number) => {
    const rows = result.files.get(file);
    if (rows === undefined) result.files.set(file, [row]);
    else rows.push(row);
  };
  for (const { file, rows, hashes } of candidates) {
    for (const [at, { row, sign }] of rows.entries()) {
      if (Math.abs(sign) !== 1) continue;
      const waiting = open.get(hashes[at]!) ?? [];
      if (waiting.length > 0 && waiting[0]!.sign === -sign) {
        const other = waiting.shift()!;
        goes(file, row);
        goes(other.file, other.row);
        result.pairs++;
      } else waiting.push({ file, row, sign });
      open.set(hashes[at]!, waiting);
    }
  }
  return result;
}
