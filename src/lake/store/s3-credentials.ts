import { readFile } from 'node:fs/promises';
import type { S3Config } from '../../config/types.js';
import { HeadraceError, messageOf } from '../../errors.js';

/**
 * Keys out of files, which may be replaced while the engine runs: they are read again every few minutes. What is wrong with one is
 * LAKE_IO: an engine that runs waits for it to be mended; at the start it is refused.
 */

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}

/** The SDK asks again five minutes before what it has been told expires. */
const EXPIRES_AFTER_MS = 600_000;
const KEY_BYTES_MAX = 8_192;

/** Null: no files are named, the standard chain decides. */
export function credentialsOf(
  { accessKeyIdFile, secretAccessKeyFile, sessionTokenFile }: S3Config,
  nowMs: () => number,
): (() => Promise<S3Credentials>) | null {
  if (accessKeyIdFile === null || secretAccessKeyFile === null) return null;
  return async () => ({
    accessKeyId: await keyIn('lake.s3.access_key_id_file', accessKeyIdFile),
    secretAccessKey: await keyIn('lake.s3.secret_access_key_file', secretAccessKeyFile),
    ...(sessionTokenFile === null
      ? {}
      : { sessionToken: await keyIn('lake.s3.session_token_file', sessionTokenFile) }),
    expiration: new Date(nowMs() + EXPIRES_AFTER_MS),
  });
}

async function keyIn(setting: string, file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new HeadraceError('LAKE_IO', `${setting} can't be read: ${messageOf(error)}`, {
      where: { path: file },
      remedy: 'give this user the right to read it, or name another file',
    });
  }
  if (/^\S+$/.test(text) && text.length <= KEY_BYTES_MAX) return text;
  throw new HeadraceError('LAKE_IO', `${setting} does not hold a key and nothing else`, {
    where: { path: file },
    remedy: 'write the key alone into it, on one line',
  });
}
