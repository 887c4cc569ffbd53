import { lakeAt } from '../../config/lake-place.js';
import type { LakeConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { type AsOf, parseAsOf, parseVersion, versionAt } from '../../lake/reading/as-of.js';
import { type ReadableLog, readableLog } from '../../lake/reading/readable-log.js';
import { readTableAt, type TableAt } from '../../lake/reading/table-at.js';
import { openStore } from '../../lake/store/open-store.js';
import type { ObjectStore } from '../../lake/store/store.js';
import { placeOf } from '../ledger/open-table.js';
import type { AtFlags } from './lake-flags.js';

/** As somebody typed it, or as a configuration has it. */
export type LakeName = string | LakeConfig;

/** Throws ConfigError for what can be no place. */
export function lakeOf(name: LakeName): LakeConfig {
  return typeof name === 'string' ? lakeAt(name) : name;
}

/** A Delta table to look at, ours or another's. */
export interface Lake {
  /** Where it lies, for people. */
  table: string;
  store: ObjectStore;
  log: ReadableLog;
}

/**
 * `lake`: the table, or what holds it. Nothing is written.
 * @throws HeadraceError LAKE_NOT_OURS (no table there), LAKE_LOG_CORRUPT, LAKE_IO
 */
export async function openLake(lake: LakeName): Promise<Lake> {
  const place = await placeOf(lakeOf(lake));
  const table = place.path;
  const store = await openStore(place);
  const log = await readableLog(store);
  if (log !== null) return { table, store, log };
  throw new HeadraceError('LAKE_NOT_OURS', 'there is no Delta table', {
    where: { path: table },
    remedy: 'name a Delta table, or the folder that holds it',
  });
}

/** Throws HeadraceError USAGE. */
export function parseAt({ version, asOf }: AtFlags, nowMs: number): AsOf {
  if (version !== undefined && asOf !== undefined) {
    throw new HeadraceError('USAGE', '--version and --as-of both name a version: give one');
  }
  if (version !== undefined) return { version: parseVersion('--version', version) };
  return asOf === undefined ? 'newest' : { timeMs: parseAsOf(asOf, nowMs) };
}

/** Throws HeadraceError USAGE when it is not there, and what reading the log throws. */
export async function tableAt({ store, log }: Lake, at: AsOf): Promise<TableAt> {
  return await readTableAt(store, log, await versionAt(store, log, at));
}
