import { HeadraceError } from '../errors.js';

/** The form of what a version says beyond Delta's own actions (LedgerEntry); a newer headrace may write another one. */
export const ENTRY_FORMAT = 1;

/**
 * What a newer headrace wrote is not half understood: an erasure or a restore of it would be passed over, a lane's cuts missed.
 * @param format as it stands in the version; anything but a number is no entry of ours
 * @throws HeadraceError LAKE_NOT_OURS (exit 78)
 */
export function refuseNewerFormat(format: unknown, version: number): void {
  if (typeof format !== 'number' || format <= ENTRY_FORMAT) return;
  throw new HeadraceError(
    'LAKE_NOT_OURS',
    `a version of the table was written in format ${format} of its entry, this headrace knows ${ENTRY_FORMAT}`,
    {
      where: { version },
      remedy:
        'run the version of headrace that wrote it, or a newer one; or put back a copy of the table from before',
    },
  );
}
