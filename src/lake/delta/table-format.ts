import { HeadraceError, type Where } from '../../errors.js';

/** What `headrace.format` of a table of ours says: how its files, ledger and snapshots are to be understood as a whole. */
export const TABLE_FORMAT = '1';
/** The property that says so; only tables of ours have it. */
export const TABLE_FORMAT_KEY = 'headrace.format';

/** Throws HeadraceError LAKE_NOT_OURS (exit 78) naming both. */
export function refuseOtherFormat(format: string | undefined, where: Where): void {
  if (format === undefined || format === TABLE_FORMAT) return;
  throw new HeadraceError(
    'LAKE_NOT_OURS',
    `the table has format ${format}, this headrace knows ${TABLE_FORMAT}`,
    { where, remedy: 'run the version of headrace that made it, or a newer one' },
  );
}
