import { z } from 'zod';
import { text } from './fields.js';
import { quote } from './units.js';

/**
 * The address of ClickHouse's HTTP interface. Only protocol, host and port: a password in an address ends up in logs and
 * process lists, and database and settings have places of their own.
 */

const PROTOCOL_HOST_PORT = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/i;
const HTTP_PORT = 8123;
const HTTPS_PORT = 8443;

/** `http://localhost:8123`, lower case, without a slash at the end. */
export function clickHouseUrl() {
  return text('a URL').transform((url, context) => {
    const problem = urlProblem(url);
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    }
    return url.toLowerCase().replace(/\/$/, '');
  });
}

/** What is wrong with an address, without repeating what may be a secret. */
function urlProblem(url: string): string | undefined {
  if (url.includes('@')) {
    return 'must hold no user or password: set clickhouse.user, and clickhouse.password_file for the password';
  }
  if (url.includes('?') || url.includes('#')) {
    return 'must end after host and port: set clickhouse.database and clickhouse.settings instead';
  }
  const [, protocol, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(url) ?? [];
  if (protocol === undefined) {
    return `${quote(url)} has no protocol: write http://${url.includes(':') ? url : `${url}:${HTTP_PORT}`}`;
  }
  if (!/^https?$/i.test(protocol)) {
    return `must begin with http:// or https://, not ${protocol}:// (port ${HTTP_PORT}, or ${HTTPS_PORT} with TLS)`;
  }
  if (/^[^/]*\/./.test(rest)) {
    return 'must end after host and port, without a path: set clickhouse.database for the database';
  }
  const match = PROTOCOL_HOST_PORT.exec(url);
  if (match === null) return `${quote(url)} is not http://host:port`;
  const port = match[3];
  if (port === undefined) {
    const usual = protocol.toLowerCase() === 'http' ? HTTP_PORT : HTTPS_PORT;
    return `${quote(url)} has no port: write ${url.replace(/\/$/, '')}:${usual}`;
  }
  if (port === '9000' || port === '9440') {
    return `${port} is the port of ClickHouse's own protocol: HTTP is at ${HTTP_PORT}, HTTPS at ${HTTPS_PORT}`;
  }
  return Number(port) >= 1 && Number(port) <= 65_535
    ? undefined
    : `${quote(url)}: a port lies between 1 and 65535`;
}
