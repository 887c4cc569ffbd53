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

/** The rows at `order`, in that order. */
export function reordered(places: RowPlaces, order: Uint32Array): RowPlaces {
  const chunk = new Uint32Array(order.length);
  const at = new Uint32Array(order.length);
  for (let row = 0; row < order.length; row++) {
    chunk[row] = places.chunk[order[row]!]!;
    at[row] = places.at[order[row]!]!;
  }
  return { length: order.length, chunk, at };
}

export function slicedPlaces({ length, chunk, at }: RowPlaces, from: number, to: number): RowPlaces {
  const end = Math.min(to, length);
  return { length: end - from, chunk: chunk.subarray(from, end), at: at.subarray(from, end) };
}
