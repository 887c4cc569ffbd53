import { lakePath } from './lake-path.js';
import { ConfigError } from './problems.js';
import { type ConfigFile, configSchema } from './schema.js';
import type { LakeConfig, S3Config } from './types.js';

/** A table that only a flag names: its store is reached as the environment says. Throws ConfigError. */
export function lakeAt(path: string, folder: string = process.cwd()): LakeConfig {
  const named = lakePath(path, folder);
  if ('problem' in named) {
    throw new ConfigError([{ path: 'lake.path', flag: '--lake', message: named.problem }], undefined);
  }
  return { path: named.path, s3: S3_DEFAULTS };
}

/** The section `lake.s3` as the engine sees it. `fileAt`: the absolute path of a file that a setting names. */
export function toS3Config(
  section: ConfigFile['lake']['s3'],
  fileAt: (setting: string, file: string) => string,
): S3Config {
  const file = (setting: 'access_key_id_file' | 'secret_access_key_file' | 'session_token_file') => {
    const named = section[setting];
    return named === undefined ? null : fileAt(`lake.s3.${setting}`, named);
  };
  return {
    endpoint: section.endpoint ?? null,
    region: section.region ?? null,
    pathStyle: section.path_style,
    accessKeyIdFile: file('access_key_id_file'),
    secretAccessKeyFile: file('secret_access_key_file'),
    sessionTokenFile: file('session_token_file'),
    requestTimeoutMs: section.request_timeout,
  };
}

const S3_DEFAULTS: S3Config = toS3Config(configSchema.shape.lake.parse({ path: '.' }).s3, (_, file) => file);
