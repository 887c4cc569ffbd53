import type { CompiledModel } from '../model/types.js';
import type { BuiltColumn } from './built-column.js';

/**
 * Delta's per-file statistics as JSON text: {numRecords, minValues, maxValues, nullCount}. Put together by hand, since
 * JSON.stringify cannot write integers beyond 2⁵³ exactly. Lists have no bounds.
 */
export function statsJson(model: CompiledModel, columns: readonly BuiltColumn[], rows: number): string {
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
