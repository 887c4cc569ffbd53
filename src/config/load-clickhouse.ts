import { resolve } from 'node:path';
import type { Environment } from './environment.js';
import type { ConfigFlags } from './flags.js';
import { type ConfigFile, clickHouseSchema, configSchema } from './schema.js';
import {
  deepFreeze,
  modelPath,
  type NamedText,
  openSources,
  readConfigFiles,
  type Sources,
} from './sources.js';
import type { ClickHouseConfig } from './types.js';
import { toWarehouse } from './warehouse.js';

/**
 * What preparing ClickHouse needs of a configuration: the model and the section `clickhouse`. An engine's file will do, but no
 * Kafka and no lake are asked for: whoever may make tables need not be who runs the engine.
 */

export const MIGRATE_EXAMPLE =
  'headrace clickhouse migrate --model clickstream --clickhouse http://localhost:8123';

export interface ClickHouseSettings {
  /** Name of a shipped model, or the absolute path of a model file. */
  readonly model: string;
  readonly clickhouse: ClickHouseConfig;
}

export interface LoadClickHouseOptions {
  file?: string;
  flags: ConfigFlags;
}

/** Reads the file, if there is one, and resolves. Throws ConfigError (CONFIG_INVALID, exit 78). */
export function loadClickHouseConfig({ file, flags }: LoadClickHouseOptions): ClickHouseSettings {
  return resolveClickHouseConfig(
    file === undefined ? undefined : readConfigFiles(file),
    flags,
    process.cwd(),
    process.env,
  );
}

/** The same without I/O: a function of its arguments. */
export function resolveClickHouseConfig(
  file: NamedText | readonly NamedText[] | undefined,
  flags: ConfigFlags,
  workingFolder: string,
  environment: Environment = {},
): ClickHouseSettings {
  const sources = openSources(file, flags, workingFolder, environment);
  const asked = Object.keys(clickHouseSchema.shape);
  // of the other sections nothing is asked, but a mistyped one is
  const others = Object.keys(configSchema.shape).filter((name) => !asked.includes(name));
  const root = Object.fromEntries(Object.entries(sources.root).filter(([name]) => !others.includes(name)));
  const data = sources.check(clickHouseSchema, MIGRATE_EXAMPLE, root);
  return deepFreeze({
    model: modelPath(data.model, sources),
    clickhouse: toClickHouseConfig(data.clickhouse, sources),
  });
}

/** The section as the engine sees it. */
export function toClickHouseConfig(
  section: NonNullable<ConfigFile['clickhouse']>,
  sources: Sources,
): ClickHouseConfig {
  const fileOf = (name: 'password_file' | 'user_file' | 'ca_file' | 'cert_file' | 'key_file') => {
    const file = section[name];
    return file === undefined ? null : resolve(sources.folderOf(`clickhouse.${name}`), file);
  };
  return {
    url: section.url[0]!,
    urls: section.url,
    database: section.database ?? null,
    table: section.table,
    user: section.user ?? 'default',
    userFile: fileOf('user_file'),
    tls: { caFile: fileOf('ca_file'), certFile: fileOf('cert_file'), keyFile: fileOf('key_file') },
    passwordFile: fileOf('password_file'),
    requestTimeoutMs: section.request_timeout,
    keptBytes: section.kept_bytes,
    settings: section.settings,
    warehouse: toWarehouse(section),
  };
}
