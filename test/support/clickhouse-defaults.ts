import type { ClickHouseConfig } from '#src/config/types.js';

/**
 * What a configuration says of ClickHouse where a test has nothing to say. A test that wants views asks for them: each
 * costs statements, and each insert more.
 */
export const CLICKHOUSE_DEFAULTS = {
  urls: [],
  user: 'default',
  userFile: null,
  passwordFile: null,
  tls: { caFile: null, certFile: null, keyFile: null },
  settings: {},
  warehouse: {
    views: [],
    exactEveryMs: null,
    retentionMonths: null,
    coldAfterMonths: null,
    coldVolume: 'cold',
    storagePolicy: null,
    kind: 'single',
    cluster: null,
  },
} as const satisfies Partial<ClickHouseConfig>;
