import type { Add } from '../delta/actions.js';

/** The rows of a file, from its statistics; null: they don't say. */
export function rowsOf({ stats }: Pick<Add, 'stats'>): number | null {
  if (stats === undefined) return null;
  try {
    const { numRecords } = JSON.parse(stats) as { numRecords?: unknown };
    return typeof numRecords === 'number' ? numRecords : null;
  } catch {
    // statistics that can't be read say nothing
    return null;
  }
}
