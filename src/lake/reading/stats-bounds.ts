import type { Add } from '../delta/actions.js';
import type { Cell, CellColumn } from './cell.js';
import { parseCell } from './partition-value.js';

/**
 * What a file's statistics say of a column. Bounds hold outwards: texts are cut, and writers may cut times to the millisecond, so an
 * upper one of those is a millisecond more than it says.
 */
export interface ColumnBounds {
  /** Null: not known. */
  min: Exclude<Cell, null> | null;
  max: Exclude<Cell, null> | null;
  nulls: number | null;
  rows: number | null;
}

interface Stats {
  numRecords?: number;
  minValues?: Record<string, unknown>;
  maxValues?: Record<string, unknown>;
  nullCount?: Record<string, unknown>;
}

const UNKNOWN: Stats = {};
const parsed = new WeakMap<Add, Stats>();

export function boundsOf(file: Add, { name, type }: CellColumn): ColumnBounds {
  const { minValues, maxValues, nullCount, numRecords } = statsOf(file);
  const nulls = nullCount?.[name];
  const max = bound(type, maxValues?.[name]);
  return {
    min: bound(type, minValues?.[name]),
    max: type.kind === 'timestamp' && max !== null ? (max as bigint) + 999n : max,
    nulls: typeof nulls === 'number' ? nulls : null,
    rows: numRecords ?? null,
  };
}

function statsOf(file: Add): Stats {
  let stats = parsed.get(file);
  if (stats === undefined) {
    stats = parse(file.stats);
    parsed.set(file, stats);
  }
  return stats;
}

function parse(text: string | undefined): Stats {
  if (text === undefined) return UNKNOWN;
  try {
    return (JSON.parse(text) as Stats | null) ?? UNKNOWN;
  } catch {
    // statistics that can't be read say nothing
    return UNKNOWN;
  }
}

function bound(type: CellColumn['type'], value: unknown): Exclude<Cell, null> | null {
  if (typeof value === 'boolean') return type.kind === 'boolean' ? value : null;
  // JSON.parse rounds what is beyond 2⁵³: no bound any more
  if (typeof value === 'number' && type.kind === 'long' && !Number.isSafeInteger(value)) return null;
  // and decimals of many digits
  if (typeof value === 'number' && type.kind === 'decimal' && String(value).length > 15) return null;
  if (typeof value !== 'number' && typeof value !== 'string') return null;
  if (typeof value === 'string' && type.kind === 'binary') return null;
  const cell = parseCell(type, String(value));
  return cell === undefined || Number.isNaN(cell) ? null : cell;
}
