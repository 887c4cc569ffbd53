import type { HeadraceError } from '../errors.js';
import type { Action } from '../lake/delta/actions.js';

/** The table as a follower reads it. */
export interface FollowedTable {
  /** Null: the log does not have it. */
  readVersion(version: number): Promise<readonly Action[] | null>;
  newestVersion(): number;
}

/**
 * Throws what `behind` says when a lane's position is a version that the table never had. Another engine may have gone further than
 * this one knows of, so the table itself is asked. Its log may have been cleaned up to that version, but never beyond the newest one.
 */
export async function refuseAhead(
  partition: number,
  version: number,
  { readVersion, newestVersion }: FollowedTable,
  behind: (partition: number, version: number, newest: number) => HeadraceError,
): Promise<void> {
  const newest = newestVersion();
  if (version <= newest) return;
  if ((await readVersion(version)) !== null || (await readVersion(version + 1)) !== null) return;
  throw behind(partition, version, newest);
}
