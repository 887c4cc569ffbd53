import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** @clickhouse/client, loaded by the first who talks to ClickHouse: most engines' threads never do. */
export function clientPackage(): typeof import('@clickhouse/client') {
  return require('@clickhouse/client');
}
