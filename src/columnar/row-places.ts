/** Rows of one or several files, each by the chunk (record batch) that it lies in and its place there. */
export interface RowPlaces {
  readonly length: number;
  readonly chunk: Uint32Array;
  readonly at: Uint32Array;
}

/** All rows of chunks of these lengths but those that `isGone` names by their number over all chunks. */
export function placesOf(lengths: readonly number[], isGone?: (row: number) => boolean): RowPlaces {
  const rows = lengths.reduce((sum, length) => sum + length, 0);
  const chunk = new Uint32Array(rows);
  const at = new Uint32Array(rows);
  let row = 0;
  let kept = 0;
  for (const [index, length] of lengths.entries()) {
    for (let place = 0; place < length; place++, row++) {
      if (isGone?.(row)) continue;
      chunk[kept] = index;
      at[kept++] = place;
    }
  }
  return { length: kept, chunk: chunk.subarray(0, kept), at: at.subarray(0, kept) };
}
