import { z } from 'zod';
import { count, duration, kindOf, oneOf, text } from './fields.js';

/**
 * How the tables in ClickHouse are made: their views, how long rows are kept, on which disks, and on what kind of ClickHouse. These
 * are words of the section `clickhouse`; only `migrate`, `audit`, `rebuild` and the boot check read them, no row depends on them.
 */

const HOUR_MS = 3_600_000;
/** A century: what is meant to stay for ever is left without a retention. */
const MONTHS_MAX = 1_200;
const NAME = { pattern: /^[A-Za-z_][A-Za-z0-9_]{0,99}$/, says: 'must be letters, digits and _' };

export interface WarehouseConfig {
  /** Which analytic views a model's tables get: all that its columns carry, or those of these names. */
  readonly views: 'all' | readonly string[];
  /** How often distinct users and quantiles are worked out anew; null: there are none. */
  readonly exactEveryMs: number | null;
  /** Whole months that are kept beside the one that goes on; null: for ever. */
  readonly retentionMonths: number | null;
  /** Whole months after which rows move to `coldVolume`; null: never. */
  readonly coldAfterMonths: number | null;
  readonly coldVolume: string;
  /** Null: the server's default. */
  readonly storagePolicy: string | null;
  /** One server; a cluster of that name, with replicated tables; ClickHouse Cloud. */
  readonly kind: 'single' | 'cluster' | 'cloud';
  readonly cluster: string | null;
}

export const WAREHOUSE_FIELDS = {
  views: viewNames().prefault('all'),
  exact_every: everyOrOff().prefault('10m'),
  retention_months: count(1, MONTHS_MAX).optional(),
  cold_after_months: count(1, MONTHS_MAX).optional(),
  cold_volume: text('a volume', NAME).prefault('cold'),
  storage_policy: text('a storage policy', NAME).optional(),
  kind: oneOf(['single', 'cluster', 'cloud']).prefault('single'),
  cluster: text('a cluster', NAME).optional(),
};

export interface WarehouseSection {
  url: readonly string[];
  views: 'all' | string[];
  exact_every: number | 'off';
  retention_months?: number | undefined;
  cold_after_months?: number | undefined;
  cold_volume: string;
  storage_policy?: string | undefined;
  kind: WarehouseConfig['kind'];
  cluster?: string | undefined;
}

export function toWarehouse(section: Omit<WarehouseSection, 'url'>): WarehouseConfig {
  return {
    views: section.views,
    exactEveryMs: section.exact_every === 'off' ? null : section.exact_every,
    retentionMonths: section.retention_months ?? null,
    coldAfterMonths: section.cold_after_months ?? null,
    coldVolume: section.cold_volume,
    storagePolicy: section.storage_policy ?? null,
    kind: section.kind,
    cluster: section.cluster ?? null,
  };
}

/** What settings must satisfy together; by the setting that is wrong. */
export function warehouseProblem(section: WarehouseSection): { path: string; message: string } | undefined {
  const { url, kind, cluster, retention_months: kept, cold_after_months: cold } = section;
  if (url.length > 1 && kind === 'single')
    return {
      path: 'url',
      message: 'names several hosts, which must be replicas of one another: set kind to cluster or cloud',
    };
  if (kind === 'cluster' && cluster === undefined)
    return { path: 'cluster', message: 'is not set, and kind: cluster needs the name of one' };
  if (kind !== 'cluster' && cluster !== undefined)
    return { path: 'cluster', message: `is for kind: cluster, and kind is ${kind}` };
  if (kept !== undefined && cold !== undefined && cold >= kept)
    return {
      path: 'cold_after_months',
      message: `must be less than retention_months (${kept}): rows are gone by then`,
    };
  return undefined;
}

/** `all`, or a list of names; an empty one makes none. */
function viewNames() {
  return z.union([z.literal('all'), z.array(text('a view', NAME))], {
    error: ({ input }) =>
      `must be all or a list of views, not ${typeof input === 'string' ? `"${input}"` : kindOf(input)}`,
  });
}

function everyOrOff() {
  return z.union([z.literal('off'), duration({ minMs: 10_000, maxMs: 24 * HOUR_MS })], {
    error: 'must be off or a duration between 10s and 24h',
  });
}
