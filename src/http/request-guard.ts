import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Who is let in. Pure: what a request says in, a refusal or null out.
 *
 * - The Host must be one of ours: a page elsewhere whose name was made to point here (DNS rebinding) is not read from.
 * - A request that names another Origin is refused, whatever it wants.
 * - Few paths change something: those take POST and nothing else, all others GET and HEAD; none has a body.
 * - A change must name its Origin, ours: browsers always do, so that no page elsewhere can have one made with a password that
 *   the browser remembers. A form, a link, a picture makes none.
 * - Where a token is set, it is asked for everywhere but where a supervisor asks whether the engine lives.
 */
export interface Refusal {
  status: 400 | 401 | 403 | 405 | 413;
  text: string;
  headers?: Record<string, string>;
}

export interface GuardOptions {
  /** Host names without port, small letters, beside those of this machine. */
  hosts: readonly string[];
  /** Null: nobody is asked. */
  token: string | null;
  /** Paths that need no token. */
  openPaths: readonly string[];
}

export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** The path is one of those that change something. */
  changes: boolean;
}

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]'];

export function refusalOf(asked: Asked, options: GuardOptions): Refusal | null {
  const { method, path, headers, changes } = asked;
  const methods = changes ? ['POST'] : ['GET', 'HEAD'];
  if (!methods.includes(method)) {
    const text = `only ${methods.join(' and ')} ${changes ? 'is' : 'are'} answered here`;
    return { status: 405, text, headers: { allow: methods.join(', ') } };
  }
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) {
    return { status: 413, text: 'a request here has no body' };
  }
  const host = hostNameOf(headers.host);
  if (host === null) return { status: 400, text: 'the Host header is missing, or no host' };
  const known = [...LOOPBACK_HOSTS, ...options.hosts];
  if (!known.includes(host)) {
    return { status: 403, text: 'this Host is not known here: name it in http.hosts if it should be' };
  }
  const { origin } = headers;
  if (origin !== undefined && originHost(origin) !== headers.host?.toLowerCase()) {
    return { status: 403, text: 'a page of another origin may not ask here' };
  }
  if (changes && (origin === undefined || !isOfThePage(headers['sec-fetch-site']))) {
    return {
      status: 403,
      text: 'only the page itself may change something: the request must name its Origin',
    };
  }
  if (options.token === null || options.openPaths.includes(path)) return null;
  if (isToken(headers.authorization, options.token)) return null;
  const text = 'a token is needed: as a bearer token, or as the password of any user';
  return { status: 401, text, headers: { 'www-authenticate': 'Basic realm="headrace", charset="UTF-8"' } };
}

/** `name:port` → name, an address in brackets with them; null: it is none. */
function hostNameOf(host: string | undefined): string | null {
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i.exec(host ?? '');
  return match === null ? null : match[1]!.toLowerCase();
}

/** What browsers say beside the Origin; others need not. */
function isOfThePage(site: string | string[] | undefined): boolean {
  return site === undefined || site === 'same-origin';
}

/** `null` (a file, a sandbox) is the origin of nobody. */
function originHost(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null;
}

function isToken(authorization: string | undefined, token: string): boolean {
  const [, scheme, value = ''] = /^(bearer|basic) +([A-Za-z0-9+/=._~-]+)$/i.exec(authorization ?? '') ?? [];
  if (scheme === undefined) return false;
  if (scheme.toLowerCase() === 'bearer') return isSame(value, token);
  return isSame(
    Buffer.from(value, 'base64')
      .toString('utf8')
      .replace(/^[^:]*:/, ''),
    token,
  );
}

/** Takes the same time whatever differs, and says nothing about the length. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
