import { readFileSync } from 'node:fs';
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

const PASSWORD_BYTES_MAX = 4_096;

/** What the configuration says, with the database that it leaves to the model. */
export function targetOf(config: ClickHouseConfig, model: { readonly name: string }): ClickHouseTarget {
  return { ...config, database: config.database ?? model.name };
}

/** A client of this thread. Throws CONFIG_INVALID when the password's file can't be read. */
export function openClickHouse(
  target: ClickHouseTarget,
  options: { database?: string } = {},
): ClickHouseClient {
  const { ClickHouseLogLevel, createClient } = clientPackage();
  return createClient({
    url: target.url,
    username: target.user,
    password: readPassword(target.passwordFile),
    database: options.database ?? target.database,
    application: 'headrace',
    request_timeout: target.requestTimeoutMs,
    keep_alive: { enabled: true },
    compression: { request: false, response: false },
    // the library's own lines would bypass our log and its redaction
    log: { level: ClickHouseLogLevel.OFF },
  });
}

function readPassword(file: string | null): string {
  if (file === null) return '';
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    if (text.length <= PASSWORD_BYTES_MAX) return text;
  } catch (error) {
    throw new HeadraceError('CONFIG_INVALID', `clickhouse.password_file can't be read: ${messageOf(error)}`, {
      where: { path: file },
      remedy: 'give this user the right to read it, or name another file',
    });
  }
  throw new HeadraceError('CONFIG_INVALID', 'clickhouse.password_file holds more than a password', {
    where: { path: file },
  });
}
