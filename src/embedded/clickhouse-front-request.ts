/**
 * What a request asks for, out of its address and headers, by the rules of ClickHouse's HTTP interface: every parameter
 * of the address that is not named here is a setting for this query alone.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { ServerFault } from './clickhouse-front-fault.js';

export interface FrontRequest {
  /** `query` of the address; what the body holds comes behind it. */
  readonly query: string;
  readonly queryId: string | null;
  readonly database: string | null;
  readonly defaultFormat: string | null;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `{name:Type}`, escaped as TabSeparated has it. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly session: SessionRequest | null;
  /** GET changes nothing. */
  readonly isReadOnly: boolean;
  /** How the body is compressed, by ClickHouse's name; `none` when it is not. */
  readonly bodyCompression: string;
  readonly isGzipWanted: boolean;
}

export interface SessionRequest {
  readonly id: string;
  readonly timeoutSeconds: number;
  /** The session must be there already. */
  readonly isExpected: boolean;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const SESSION_TIMEOUT_SECONDS = 60;
const SESSION_TIMEOUT_SECONDS_MAX = 3_600;

/** Parameters of the address that say how to talk, not what to set. */
const NOT_SETTINGS = new Set(
  (
    'query query_id database default_format session_id session_timeout session_check close_session user password ' +
    'quota_key role wait_end_of_query buffer_size stacktrace client_protocol_version'
  ).split(' '),
);
const COMPRESSIONS = new Map([
  ['', 'none'],
  ['identity', 'none'],
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
  ['lz4', 'lz4'],
  ['xz', 'xz'],
  ['bz2', 'bz2'],
  ['snappy', 'snappy'],
]);

/** Throws a ServerFault when the request asks for what the front can't do. */
export function readRequest(method: string, address: URL, headers: IncomingHttpHeaders): FrontRequest {
  const search = address.searchParams;
  const settings = new Map<string, string>();
  const parameters = new Map<string, string>();
  for (const [name, value] of search) {
    if (name.startsWith('param_')) parameters.set(name.slice('param_'.length), value);
    else if (name === 'compress' || name === 'decompress') {
      if (value !== '0') throw notImplemented(`${name}=${value}: use Content-Encoding and Accept-Encoding`);
    } else if (!NOT_SETTINGS.has(name)) settings.set(name, value);
  }
  if (/^multipart\//.test(headers['content-type'] ?? '')) throw notImplemented('a body in several parts');
  const encoding = (headers['content-encoding'] ?? '').trim().toLowerCase();
  const bodyCompression = COMPRESSIONS.get(encoding);
  if (bodyCompression === undefined) throw notImplemented(`Content-Encoding ${encoding}`);
  const isCompressed = settings.get('enable_http_compression') === '1';
  return {
    query: search.get('query') ?? '',
    queryId: search.get('query_id'),
    database: search.get('database') ?? header(headers, 'x-clickhouse-database'),
    defaultFormat: search.get('default_format') ?? header(headers, 'x-clickhouse-format'),
    settings,
    parameters,
    session: sessionOf(search),
    isReadOnly: method === 'GET' || method === 'HEAD',
    bodyCompression,
    isGzipWanted: isCompressed && /\bgzip\b/.test(String(headers['accept-encoding'] ?? '')),
  };
}

function sessionOf(search: URLSearchParams): SessionRequest | null {
  const id = search.get('session_id');
  if (id === null || id === '') return null;
  const timeout = search.get('session_timeout') ?? String(SESSION_TIMEOUT_SECONDS);
  if (!/^\d+$/.test(timeout) || Number(timeout) > SESSION_TIMEOUT_SECONDS_MAX) {
    throw new ServerFault(374, 'INVALID_SESSION_TIMEOUT', `Invalid session timeout: '${timeout}'.`);
  }
  return { id, timeoutSeconds: Number(timeout), isExpected: search.get('session_check') === '1' };
}

/** Who the request says it is: the address, ClickHouse's headers or basic authentication, else the default user. */
export function credentialsOf(address: URL, headers: IncomingHttpHeaders): Credentials {
  const basic = /^Basic\s+(\S+)\s*$/i.exec(headers.authorization ?? '');
  if (basic !== null) {
    const [, user, password] = /^([^:]*):?([\s\S]*)$/.exec(
      Buffer.from(basic[1]!, 'base64').toString('utf8'),
    )!;
    return { user: user === '' ? 'default' : user!, password: password! };
  }
  const user = header(headers, 'x-clickhouse-user') ?? address.searchParams.get('user');
  const password = header(headers, 'x-clickhouse-key') ?? address.searchParams.get('password');
  return { user: user ?? 'default', password: password ?? '' };
}

function header(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function notImplemented(what: string): ServerFault {
  return new ServerFault(48, 'NOT_IMPLEMENTED', `The embedded ClickHouse does not take ${what}.`);
}
