import type { CompiledModel } from '../model/types.js';
import type { Bounds, BuiltColumn } from './built-column.js';

/**
 * Delta's per-file statistics as JSON text: {numRecords, minValues, maxValues, nullCount}. Put together by hand, since
 * JSON.stringify cannot write integers beyond 2⁵³ exactly. Lists have no bounds.
 */
export function statsJson(
  model: CompiledModel,
  columns: readonly Pick<BuiltColumn, 'bounds' | 'nullCount'>[],
  rows: number,
): string {
  const min: string[] = [];
  const max: string[] = [];
  const nulls: string[] = [];
  model.columns.forEach((column, i) => {
    if (column.type === 'list<string>') return;
    const { bounds, nullCount } = columns[i]!;
    const name = JSON.stringify(column.name);
    nulls.push(`${name}:${nullCount}`);
    if (bounds === null) return;
    min.push(`${name}:${bounds.min}`);
    if (bounds.max !== null) max.push(`${name}:${bounds.max}`);
  });
  return `{"numRecords":${rows},"minValues":{${min}},"maxValues":{${max}},"nullCount":{${nulls}}}`;
}

/** What the parts of a column say, together. A part without values says nothing; one whose values have no bounds leaves none. */
export class ColumnStats {
  nullCount = 0;
  #bounds: Bounds | null = null;
  #hasUnknown = false;

  take({ bounds, nullCount, data }: BuiltColumn): void {
    this.nullCount += nullCount;
    if (bounds === null) this.#hasUnknown ||= nullCount < data.length;
    else this.#bounds = this.#bounds === null ? bounds : widest(this.#bounds, bounds);
  }

  get bounds(): Bounds | null {
    return this.#hasUnknown ? null : this.#bounds;
  }
}

function widest(a: Bounds, b: Bounds): Bounds {
  const max = a.max === null || b.max === null ? null : isLess(a.max, b.max) ? b.max : a.max;
  return { min: isLess(b.min, a.min) ? b.min : a.min, max };
}

/** Of two JSON texts of one column's: numbers by value, texts (times too, which are of one length) by their bytes. */
function isLess(a: string, b: string): boolean {
  if (a.startsWith('"'))
    return Buffer.compare(Buffer.from(JSON.parse(a) as string), Buffer.from(JSON.parse(b) as string)) < 0;
  const [whole, other] = [/^-?\d+$/.test(a), /^-?\d+$/.test(b)];
  return whole && other ? BigInt(a) < BigInt(b) : Number(a) < Number(b);
}
