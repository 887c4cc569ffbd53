import type { ColumnType } from '../model/types.js';
import { roundHalfUp } from './formula.js';

/** A number in the type of its column. */
export interface Fitted {
  value: number | bigint | boolean;
  /** It was less or more than the type holds. */
  clamped: boolean;
}

/** uint64 ends where Delta's last number is. */
const RANGES: Readonly<Partial<Record<ColumnType, readonly [least: number, most: number]>>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
};
const INT64_LEAST = -(2n ** 63n);
const INT64_MOST = 2n ** 63n - 1n;

/** `value` is not NaN. What a type has no place for between two whole numbers is rounded, which loses nothing that it could hold. */
export function fitted(value: number, type: ColumnType): Fitted {
  switch (type) {
    case 'bool':
      return { value: value !== 0, clamped: false };
    case 'float': {
      // the sum makes 0 of −0
      if (Number.isFinite(value)) return { value: value + 0, clamped: false };
      return { value: value > 0 ? Number.MAX_VALUE : -Number.MAX_VALUE, clamped: true };
    }
    case 'int64':
    case 'uint64':
      return fitLong(roundHalfUp(value), type === 'int64' ? INT64_LEAST : 0n);
  }
  const whole = roundHalfUp(value) + 0;
  const [least, most] = RANGES[type] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (whole < least) return { value: least, clamped: true };
  return whole > most ? { value: most, clamped: true } : { value: whole, clamped: false };
}

function fitLong(whole: number, least: bigint): Fitted {
  if (whole >= 2 ** 63) return { value: INT64_MOST, clamped: true };
  if (whole < Number(least)) return { value: least, clamped: true };
  return { value: BigInt(whole), clamped: false };
}
