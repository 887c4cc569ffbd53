import { hasKeyPart } from './key-part.js';
import type { Person } from './person.js';

/** By what a row is seen to be the person's. */
export type RowSign = Pick<Person, 'columns' | 'value' | 'keyPart'>;

/** Delta's statistics of a file, as far as they are read here. */
interface Stats {
  numRecords?: number;
  minValues?: Record<string, unknown>;
  maxValues?: Record<string, unknown>;
  nullCount?: Record<string, number>;
}

/** May a file with these statistics hold a row of the person? False only when it certainly does not; bounds may be cut outwards. */
export function mayHold(stats: string | undefined, { columns, value, keyPart }: RowSign): boolean {
  // keys with the same part lie anywhere
  if (stats === undefined || keyPart !== null) return true;
  let parsed: Stats;
  try {
    parsed = JSON.parse(stats) as Stats;
  } catch {
    return true;
  }
  const { numRecords, minValues = {}, maxValues = {}, nullCount = {} } = parsed;
  return columns.some(({ name }) => {
    if (numRecords !== undefined && nullCount[name] === numRecords) return false;
    return !isBelow(value, minValues[name]) && !isBelow(maxValues[name], value);
  });
}

/** Texts as Delta orders them: by their bytes. What is not known, or of another kind, is not below. */
function isBelow(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string')
    return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
  return typeof a === 'number' && typeof b === 'number' && a < b;
}

/** Is the value itself one of the bounds? They stay in the log when the file goes. */
export function isBound(stats: string | undefined, { columns, value, keyPart }: RowSign): boolean {
  if (stats === undefined) return false;
  const isOne = (bound: unknown) =>
    keyPart === null ? bound === value : typeof bound === 'string' && hasKeyPart(bound, keyPart);
  try {
    const { minValues = {}, maxValues = {} } = JSON.parse(stats) as Stats;
    return columns.some(({ name }) => isOne(minValues[name]) || isOne(maxValues[name]));
  } catch {
    return false;
  }
}
