import type { DeltaSchema } from '../../columnar/schema.js';
import { HeadraceError } from '../../errors.js';
import { lackingColumns, schemaDifferences } from './schema.js';
import { refuseOtherFormat, TABLE_FORMAT_KEY } from './table-format.js';
import type { TableMetaData } from './table-state.js';

/**
 * While an engine runs, others may change the table: comments, properties, statistics are theirs to change. Columns, partitioning
 * and whose table it is are not: no file of ours would fit it any more.
 *
 * @throws HeadraceError LAKE_NOT_OURS naming the version and what it changed, or the format that a newer headrace gave it
 */
export function refuseForeignChange(
  before: TableMetaData,
  after: TableMetaData,
  where: { table?: string; version: number },
): void {
  if (before === after) return;
  refuseOtherFormat(after.configuration[TABLE_FORMAT_KEY], where);
  const ours = before.schema as DeltaSchema;
  const differences = schemaDifferences(after.schema, ours);
  for (const name of lackingColumns(after.schema, ours))
    differences.push(`column ${name} is not in the table`);
  if (before.partitionColumns.join() !== after.partitionColumns.join()) {
    differences.push(`it is partitioned by ${after.partitionColumns.join(', ') || 'nothing'} now`);
  }
  const settings = new Set([...Object.keys(before.configuration), ...Object.keys(after.configuration)]);
  for (const name of settings) {
    const [was, is] = [before.configuration[name], after.configuration[name]];
    if (was !== is && FOLLOWED.test(name)) differences.push(`${name} is ${is ?? 'gone'}`);
  }
  if (differences.length === 0) return;
  throw new HeadraceError('LAKE_NOT_OURS', `another writer changed the table: ${differences.join('; ')}`, {
    where,
    remedy: `what was committed before is whole; bring the table back to version ${where.version - 1} (RESTORE), or change it back, and start again`,
  });
}

/** What the ledger stands on. */
const FOLLOWED =
  /^headrace\.|^delta\.(setTransactionRetentionDuration|columnMapping\.mode|enableDeletionVectors)$/;
