import type { Clock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import type { VersionActions } from '../../lake/delta/actions.js';
import { decodeVersion } from '../../lake/delta/decode.js';
import { checkpointOf, versionOf, versionPath } from '../../lake/delta/path.js';
import type { ObjectStore } from '../../lake/store/store.js';
import type { Lake } from '../lake/open-lake.js';

/** How often a table without a new version is asked for one. */
const LOOK_MS = 500;
/** How often it is looked whether the version that is waited for can still come: a list costs a store more than a look does. */
const LISTED_EVERY_MS = 10_000;

export interface NewVersionsOptions {
  from: 'earliest' | 'latest';
  signal: AbortSignal;
  clock: Clock;
  /** The log was cleaned up before these versions were read, the last one included; it goes on behind them. */
  onGone(first: number, last: number): void;
}

/**
 * Versions of a table as they come, in order: from the oldest whose file the log still has, or those behind the newest. Ends when the
 * signal aborts. Throws HeadraceError LAKE_LOG_CORRUPT (also for a log that is gone, or another's), LAKE_IO.
 */
export async function* newVersions(
  { store, log }: Pick<Lake, 'store' | 'log'>,
  { from, signal, clock, onGone }: NewVersionsOptions,
): AsyncGenerator<VersionActions> {
  let version = from === 'earliest' ? log.first : log.newest + 1;
  let listedMs = clock.monotonicMs();
  while (!signal.aborted) {
    const bytes = await store.get(versionPath(version));
    if (bytes !== null) {
      yield { version, actions: decodeVersion(version, bytes) };
      version++;
      continue;
    }
    // one that was there when the table was opened need not be waited for
    if (version <= log.last || clock.monotonicMs() - listedMs >= LISTED_EVERY_MS) {
      const next = await nextVersion(store, version);
      listedMs = clock.monotonicMs();
      if (next > version) {
        onGone(version, next - 1);
        version = next;
        continue;
      }
    }
    await clock.sleep(LOOK_MS, signal);
  }
}

/** The version to wait for in place of one whose file is not there: mostly itself. */
async function nextVersion(store: ObjectStore, version: number): Promise<number> {
  const startAfter = version < 2 ? undefined : versionPath(version - 2);
  const paths = (await store.list('_delta_log/', startAfter)).map(({ path }) => path);
  const versions = paths.flatMap((path) => versionOf(path) ?? []);
  const behind = versions.filter((each) => each >= version);
  if (behind.length > 0) return Math.min(...behind);
  const checkpoint = Math.max(-1, ...paths.flatMap((path) => checkpointOf(path) ?? []));
  if (checkpoint >= version) return checkpoint + 1;
  if (checkpoint === version - 1 || versions.includes(version - 1) || version === 0) return version;
  throw new HeadraceError(
    'LAKE_LOG_CORRUPT',
    `the table's log has neither version ${version - 1}, which was there, nor one behind it`,
    {
      where: { table: store.url, version },
      remedy:
        'the table was removed, made again or put back meanwhile: call it again to follow the one that is there now',
    },
  );
}
