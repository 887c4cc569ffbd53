import type { Clock } from '../../clock.js';
import type { VersionActions } from '../../lake/delta/actions.js';
import { decodeVersion } from '../../lake/delta/decode.js';
import { versionPath } from '../../lake/delta/path.js';
import type { Lake } from '../lake/open-lake.js';

/** How often a table without a new version is asked for one. */
const LOOK_MS = 500;

/**
 * Versions of a table as they come, in order: from the oldest whose file the log still has, or those behind the newest. Ends when the
 * signal aborts. Throws HeadraceError LAKE_LOG_CORRUPT, LAKE_IO.
 */
export async function* newVersions(
  { store, log }: Pick<Lake, 'store' | 'log'>,
  { from, signal, clock }: { from: 'earliest' | 'latest'; signal: AbortSignal; clock: Clock },
): AsyncGenerator<VersionActions> {
  for (let version = from === 'earliest' ? log.first : log.newest + 1; !signal.aborted; ) {
    const bytes = await store.get(versionPath(version));
    if (bytes === null) {
      await clock.sleep(LOOK_MS, signal);
      continue;
    }
    yield { version, actions: decodeVersion(version, bytes) };
    version++;
  }
}
