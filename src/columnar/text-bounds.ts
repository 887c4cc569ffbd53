import type { Bounds } from './built-column.js';

/**
 * Smallest and largest string of a column, as Delta compares strings: by UTF-8 bytes, which is by code point. JavaScript
 * compares by UTF-16 units, which differs above U+FFFF. Long ones are cut outwards, so that the bounds stay bounds: the
 * lower one loses its tail, the upper one's last code point is raised.
 */

export const BOUND_CODE_POINTS_MAX = 32;

const LAST_CODE_POINT = 0x10ffff;
const SURROGATES_FIRST = 0xd800;
const SURROGATES_LAST = 0xdfff;

/** For columns that are ASCII throughout, where both orders agree. */
export function asciiBounds(strings: readonly string[], present: (index: number) => boolean): Bounds | null {
  let min: string | undefined;
  let max: string | undefined;
  for (let i = 0; i < strings.length; i++) {
    if (!present(i)) continue;
    const value = strings[i]!;
    if (min === undefined || max === undefined) {
      min = value;
      max = value;
    } else if (value < min) min = value;
    else if (value > max) max = value;
  }
  return min === undefined || max === undefined ? null : textBounds(min, max);
}

/** `offsets` has one entry more than there are strings. */
export function utf8Bounds(
  bytes: Uint8Array,
  offsets: Int32Array,
  present: (index: number) => boolean,
): Bounds | null {
  const at = (i: number) => bytes.subarray(offsets[i], offsets[i + 1]);
  const compare = (i: number, j: number) =>
    compareBytes(bytes, offsets[i]!, offsets[i + 1]!, bytes, offsets[j]!, offsets[j + 1]!);
  let min = -1;
  let max = -1;
  for (let i = 0; i + 1 < offsets.length; i++) {
    if (!present(i)) continue;
    if (min === -1) {
      min = i;
      max = i;
    } else if (compare(i, min) < 0) min = i;
    else if (compare(i, max) > 0) max = i;
  }
  if (min === -1) return null;
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return textBounds(decoder.decode(at(min)), decoder.decode(at(max)));
}

/** Two texts in buffers, without views of them: those would cost more than the comparison. */
export function compareBytes(
  a: Uint8Array,
  startA: number,
  endA: number,
  b: Uint8Array,
  startB: number,
  endB: number,
): number {
  const length = Math.min(endA - startA, endB - startB);
  for (let i = 0; i < length; i++) {
    const difference = a[startA + i]! - b[startB + i]!;
    if (difference !== 0) return difference;
  }
  return endA - startA - (endB - startB);
}

/** Of the smallest and the largest string. */
export function textBounds(min: string, max: string): Bounds {
  const upper = cutUp(max);
  return { min: JSON.stringify(cutDown(min)), max: upper === null ? null : JSON.stringify(upper) };
}

/** The longest prefix of allowed length: never greater than the whole. */
export function cutDown(text: string): string {
  if (text.length <= BOUND_CODE_POINTS_MAX) return text;
  return [...text.slice(0, 2 * BOUND_CODE_POINTS_MAX)].slice(0, BOUND_CODE_POINTS_MAX).join('');
}

/** A string of allowed length that is not less than `text`, or null: all of its code points are the last there is. */
export function cutUp(text: string): string | null {
  const prefix = cutDown(text);
  if (prefix.length === text.length) return text;
  const points = [...prefix];
  for (let i = points.length - 1; i >= 0; i--) {
    const point = points[i]!.codePointAt(0)!;
    if (point === LAST_CODE_POINT) continue;
    const next = point + 1 === SURROGATES_FIRST ? SURROGATES_LAST + 1 : point + 1;
    return points.slice(0, i).join('') + String.fromCodePoint(next);
  }
  return null;
}
