import { z } from 'zod';
import { kindOf, MISSING, text } from './fields.js';
import { quote } from './units.js';

/**
 * The address of ClickHouse's HTTP interface. Only protocol, host and port: a password in an address ends up in logs and
 * process lists, and database and settings have places of their own.
 */

const PROTOCOL_HOST_PORT = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/i;
const HTTP_PORT = 8123;
const HTTPS_PORT = 8443;

/** `http://localhost:8123`, lower case, without a slash at the end. */
function clickHouseUrl() {
  return text('a URL').transform((url, context) => {
    const problem = urlProblem(url);
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    }
    return url.toLowerCase().replace(/\/$/, '');
  });
}

/** One address, a list of them, or several in one text with commas; the first is asked first. */
export function clickHouseUrls() {
  const one = clickHouseUrl();
  return z
    .union([z.string(), z.array(z.string())], {
      error: ({ input }) =>
        input === undefined ? MISSING : `must be a URL or a list of them, not ${kindOf(input)}`,
    })
    .transform((input, context) => {
      const parts = (typeof input === 'string' ? input.split(',') : input).map((part) => part.trim());
      const urls: string[] = [];
      for (const part of parts) {
        const parsed = one.safeParse(part);
        if (parsed.success) urls.push(parsed.data);
        else for (const { message } of parsed.error.issues) context.addIssue({ code: 'custom', message });
      }
      if (parts.length === 0) context.addIssue({ code: 'custom', message: 'must name at least one URL' });
      return [...new Set(urls)];
    });
}

/** What the words that say who comes in must satisfy together. */
export function clickHouseProblem(values: {
  url: readonly string[];
  user?: string | undefined;
  user_file?: string | undefined;
  ca_file?: string | undefined;
  cert_file?: string | undefined;
  key_file?: string | undefined;
}): { path: string; message: string } | undefined {
  const { url, user, user_file, ca_file, cert_file, key_file } = values;
  if (user !== undefined && user_file !== undefined)
    return { path: 'user_file', message: 'says the same as user: give one of them' };
  if ((cert_file === undefined) !== (key_file === undefined))
    return { path: 'cert_file', message: 'and key_file belong together: give both or none' };
  const plain = url.find((each) => each.startsWith('http:'));
  if (plain !== undefined && (ca_file !== undefined || cert_file !== undefined))
    return { path: 'url', message: `${quote(plain)} has no TLS, and there are certificates: write https://` };
  if (new Set(url.map((each) => each.slice(0, each.indexOf(':')))).size > 1)
    return { path: 'url', message: 'must be all http:// or all https://' };
  return undefined;
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
