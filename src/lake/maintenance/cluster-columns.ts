import { suggest } from '../../config/suggest.js';
import type { MaintenanceConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import type { CompiledModel } from '../../model/types.js';
import type { RewriteSettings } from './settings.js';

/** What a configuration comes to for a model. Throws HeadraceError CONFIG_INVALID for columns that rows can't be ordered by. */
export function rewriteSettings(
  config: MaintenanceConfig,
  model: CompiledModel,
  clusterBy: MaintenanceConfig['clusterBy'] = config.clusterBy,
): RewriteSettings {
  const { smallFileBytes, targetFileBytes, filesMin, ioBytesPerSecond, memoryBytes } = config;
  const columns = clusterBy === 'auto' ? ownOrder(model) : checked(model, clusterBy);
  return { smallFileBytes, targetFileBytes, filesMin, ioBytesPerSecond, memoryBytes, clusterBy: columns };
}

/** The session's key, so that one person's rows lie together, and what began when. */
function ownOrder({ columns, columnIndex }: CompiledModel): string[] {
  const key = columns.find(({ op }) => op.op === 'key') ?? columns.find(({ op }) => op.op === 'session_id');
  const start = columns[columnIndex.session_start]!.name;
  return key === undefined ? [start] : [key.name, start];
}

function checked({ name: model, columns }: CompiledModel, wanted: readonly string[]): readonly string[] {
  for (const name of wanted) {
    const column = columns.find((each) => each.name === name);
    if (column !== undefined && column.type !== 'list<string>') continue;
    const near = suggest(
      name,
      columns.map((each) => each.name),
    );
    throw new HeadraceError(
      'CONFIG_INVALID',
      column === undefined
        ? `lake.maintenance.cluster_by: model ${model} has no column ${name}`
        : `lake.maintenance.cluster_by: column ${name} is a list, by which rows are not ordered`,
      near === undefined || column !== undefined ? {} : { remedy: `did you mean ${near}?` },
    );
  }
  return wanted;
}
