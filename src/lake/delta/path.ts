import { HeadraceError } from '../../errors.js';

/**
 * Names in a Delta table. Two encodings lie over each other: a partition value is escaped for its folder as Hive does,
 * and the whole path is URL-encoded again in the log: the folder `p=a%20b` is `p=a%2520b` in add.path.
 */

const VERSION_FILE = /^_delta_log\/(\d{20})\.json$/;
const CHECKPOINT_FILE = /^_delta_log\/(\d{20})\.checkpoint\b.*\.(?:parquet|json)$/;
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__';

/** The log file of a version: `_delta_log/00000000000000000007.json`. */
export function versionPath(version: number): string {
  return `_delta_log/${String(version).padStart(20, '0')}.json`;
}

/** The version whose log file this is, or null. */
export function versionOf(path: string): number | null {
  const digits = VERSION_FILE.exec(path)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The version whose checkpoint, or a part of it, this is, or null. */
export function checkpointOf(path: string): number | null {
  const digits = CHECKPOINT_FILE.exec(path)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The version beside whose log file another tool put a file of its own (checksums), or null. */
export function sidecarOf(path: string): number | null {
  const digits = /^_delta_log\/\.?(\d{20})\.(?:json\.)?crc$/.exec(path)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The folder of a partition: `column=value`, both escaped. */
export function partitionFolder(column: string, value: string | null): string {
  return `${escapeHive(column)}=${value === null || value === '' ? NULL_PARTITION : escapeHive(value)}`;
}

/** What a folder's name cannot hold, or what means something in a path or URL. */
function escapeHive(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped
    /[\u0001-\u001f\u007f "#%'*/:=?\\{}[\]^<>|]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** An unencoded path as the log writes it. `=` stays, as everybody writes it. */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('%3D', '='))
    .join('/');
}

/** The path behind what the log says. */
export function decodePath(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch (cause) {
    throw new HeadraceError('LAKE_LOG_CORRUPT', 'a file path is not URL-encoded', {
      where: { path: encoded },
      cause,
    });
  }
}
