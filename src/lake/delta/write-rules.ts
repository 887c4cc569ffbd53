import { HeadraceError, type Where } from '../../errors.js';
import type { Action, MetaDataAction } from './actions.js';

/**
 * What writer version 2 asks of whoever writes: a table that is append-only loses no rows. (Its other rule, invariants of columns,
 * is refused with the schema.)
 *
 * @throws HeadraceError LAKE_NOT_OURS naming the property
 */
export function refuseBreach(
  { configuration }: MetaDataAction,
  actions: readonly Action[],
  where: Where,
): void {
  if (configuration['delta.appendOnly']?.toLowerCase() !== 'true') return;
  const removed = actions.find((action) => 'remove' in action && action.remove.dataChange);
  if (removed === undefined || !('remove' in removed)) return;
  throw new HeadraceError('LAKE_NOT_OURS', 'the table has delta.appendOnly: no row may be taken out of it', {
    where: { ...where, path: removed.remove.path },
    remedy:
      "nothing was changed; ALTER TABLE … UNSET TBLPROPERTIES ('delta.appendOnly') if rows are to go all the same",
  });
}
