import { parseDurationMs } from '../../config/units.js';
import { HeadraceError } from '../../errors.js';
import { commitInfoOf } from '../delta/actions.js';
import { decodeVersion } from '../delta/decode.js';
import { versionPath } from '../delta/path.js';
import type { ObjectStore } from '../store/store.js';
import type { ReadableLog } from './readable-log.js';

/** A point in a table's life, as a person names it. */
export type AsOf = { version: number } | { timeMs: number } | 'newest';

const RFC_3339 = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?)?$/;

/**
 * `2026-01-31T12:00:00Z`, also with an offset; without one it is UTC, a date alone its first moment. Or relative to now:
 * `2h ago`, `90m ago`, `7d ago`. Throws HeadraceError USAGE.
 */
export function parseAsOf(text: string, nowMs: number): number {
  const ago = /^(\S+)\s+ago$/.exec(text.trim());
  if (ago !== null) {
    const duration = parseDurationMs(ago[1]!);
    if (duration.ok) return nowMs - duration.value;
    throw new HeadraceError('USAGE', `--as-of: ${duration.message}`);
  }
  const match = RFC_3339.exec(text.trim());
  const [, date, time = '00:00', zone = 'Z'] = match ?? [];
  const ms = match === null ? Number.NaN : Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  // Date.parse takes the 31st of February for the 3rd of March
  const midnightMs = Number.isNaN(ms) ? 0 : Date.parse(`${date}T00:00Z`);
  if (!Number.isNaN(ms) && new Date(midnightMs).toISOString().startsWith(date!)) return ms;
  throw new HeadraceError(
    'USAGE',
    `--as-of must be a time such as 2026-01-31T12:00:00Z or 2h ago, not ${JSON.stringify(text)}`,
  );
}

/** A version's number. Throws HeadraceError USAGE. */
export function parseVersion(flag: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new HeadraceError('USAGE', `${flag} must be the number of a version, not ${JSON.stringify(text)}`, {
    remedy: 'headrace lake history shows which there are',
  });
}

/**
 * The version that is meant: at a time, the newest one that says of itself that it was written by then. (Commits carry their
 * writer's clock: two engines' may differ by a little, so they need not ascend.)
 * @throws HeadraceError USAGE when that version is not there any more, or never was
 */
export async function versionAt(store: ObjectStore, log: ReadableLog, asOf: AsOf): Promise<number> {
  if (asOf === 'newest') return log.newest;
  if ('version' in asOf) return asOf.version;
  let earliestMs: number | null = null;
  for (let version = log.last; version >= Math.max(log.first, log.oldest); version--) {
    const bytes = await store.get(versionPath(version));
    const timeMs = bytes === null ? undefined : commitInfoOf(decodeVersion(version, bytes))?.timestamp;
    if (timeMs === undefined) continue;
    if (timeMs <= asOf.timeMs) return version;
    earliestMs = timeMs;
  }
  const asked = new Date(asOf.timeMs).toISOString();
  const known =
    earliestMs === null
      ? 'no version says when it was written'
      : `the oldest that can be read is of ${new Date(earliestMs).toISOString()}`;
  throw new HeadraceError('USAGE', `the table has no version of ${asked} or before: ${known}`, {
    where: { table: store.url },
    remedy: 'headrace lake history shows which there are',
  });
}
