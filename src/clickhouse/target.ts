import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type { ClickHouseClient } from '@clickhouse/client';
import type { ClickHouseConfig } from '../config/types.js';
import { HeadraceError, messageOf } from '../errors.js';
import { clientPackage } from './client-package.js';

/**
 * Where ClickHouse is and how one comes in. Plain data, so that it can be handed to a worker: the password stays in its file,
 * and each thread that talks to ClickHouse reads it there.
 */
export interface ClickHouseTarget extends ClickHouseConfig {
  readonly database: string;
}

const SECRET_BYTES_MAX = 4_096;
const PEM_BYTES_MAX = 4 * 1_024 * 1_024;

/**
 * What the configuration says, with the database that it leaves to the model, and the user's name where it is in a file. Throws
 * CONFIG_INVALID when that can't be read.
 */
export function targetOf(config: ClickHouseConfig, model: { readonly name: string }): ClickHouseTarget {
  const user = config.userFile === null ? config.user : readText(config.userFile, 'user_file', 'a name');
  return { ...config, user, database: config.database ?? model.name };
}

/** A client of this thread. Throws CONFIG_INVALID when the password's file can't be read. */
export function openClickHouse(
  target: ClickHouseTarget,
  options: { database?: string; requestTimeoutMs?: number } = {},
): ClickHouseClient {
  const { ClickHouseLogLevel, createClient } = clientPackage();
  return createClient({
    url: target.url,
    username: target.user,
    password: readPassword(target.passwordFile),
    database: options.database ?? target.database,
    application: 'headrace',
    request_timeout: options.requestTimeoutMs ?? target.requestTimeoutMs,
    ...tlsOf(target),
    keep_alive: { enabled: true },
    compression: { request: false, response: false },
    // the library's own lines would bypass our log and its redaction
    log: { level: ClickHouseLogLevel.OFF },
  });
}

function readPassword(file: string | null): string {
  return file === null ? '' : readText(file, 'password_file', 'a password');
}

/** An authority of one's own, a certificate of ours. */
function tlsOf({ tls: { caFile, certFile, keyFile } }: ClickHouseTarget) {
  if (caFile === null && certFile === null) return {};
  const read = (file: string, setting: string) =>
    Buffer.from(readText(file, setting, 'certificates', PEM_BYTES_MAX));
  const ca_cert = caFile === null ? Buffer.from(rootCertificates.join('\n')) : read(caFile, 'ca_file');
  if (certFile === null || keyFile === null) return { tls: { ca_cert } };
  return { tls: { ca_cert, cert: read(certFile, 'cert_file'), key: read(keyFile, 'key_file') } };
}

function readText(file: string, setting: string, what: string, bytesMax = SECRET_BYTES_MAX): string {
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text.length <= bytesMax) return text;
  } catch (error) {
    throw new HeadraceError('CONFIG_INVALID', `clickhouse.${setting} can't be read: ${messageOf(error)}`, {
      where: { path: file },
      remedy: 'give this user the right to read it, or name another file',
    });
  }
  throw new HeadraceError('CONFIG_INVALID', `clickhouse.${setting} holds more than ${what}`, {
    where: { path: file },
  });
}
