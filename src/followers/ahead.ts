import type { Action } from '../lake/delta/actions.js';

/**
 * Has a follower a version that the table never had? Another engine may have gone further than this one knows of, so the table itself
 * is asked. Its log may have been cleaned up to that version, but never beyond the newest one.
 */
export async function isAhead(
  version: number,
  newest: number,
  readVersion: (version: number) => Promise<readonly Action[] | null>,
): Promise<boolean> {
  if (version <= newest) return false;
  return (await readVersion(version)) === null && (await readVersion(version + 1)) === null;
}
