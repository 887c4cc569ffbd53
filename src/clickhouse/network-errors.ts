import type { Where } from '../errors.js';
import type { Trouble } from './errors.js';

/** Failures on the way to ClickHouse: no connection, a connection that broke, an answer that is not ClickHouse's. */

/** Connections that never were: nothing can have been sent. */
const NO_CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name service does not answer',
  EACCES: 'this process may not connect there',
  EADDRNOTAVAIL: 'there is no free local port',
};

const CERTIFICATE =
  /^(CERT_|ERR_TLS_CERT|UNABLE_TO_(VERIFY|GET)|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|HOSTNAME_MISMATCH)/;
/** Alerts of a server that has looked at our certificate, or at that we have none. */
const OUR_CERTIFICATE =
  /^ERR_SSL_\w+_ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_(UNKNOWN|REVOKED|EXPIRED))$/;
/** TLS spoken to something that does not. */
const NO_TLS = /^(EPROTO|ERR_SSL_)/;
/** HTTP spoken to something that does not. */
const NO_HTTP = /^HPE_/;
/** What the client says of a request that took longer than request_timeout. */
const CLIENT_TIMEOUT = /^Timeout error\b/;
/** What the client says of a request that we gave up. */
const ABORTED = /^The user aborted a request\b/;
/** What the server says on the port of its own protocol. */
const NATIVE_PORT = /Port \d+ is for clickhouse-client program/;

const WAIT = 'the lake goes on, and ClickHouse is brought up to date when it is back';

export function networkTrouble(error: unknown, words: string, { url }: Where): Trouble {
  const code = codeOf(error);
  const at = url === undefined ? 'ClickHouse' : `ClickHouse at ${url}`;
  const unreachable = (what: string, remedy: string, nothingDone: boolean): Trouble => ({
    code: 'CLICKHOUSE_UNREACHABLE',
    what: `${at} ${what}`,
    remedy,
    nothingDone,
  });
  const reason = Object.hasOwn(NO_CONNECTION, code) ? NO_CONNECTION[code]! : undefined;
  if (reason !== undefined) {
    return unreachable(
      `can't be reached: ${reason} (${code})`,
      `start it, or mend clickhouse.url; ${WAIT}`,
      true,
    );
  }
  if (CERTIFICATE.test(code)) {
    const remedy =
      'name the PEM file of its authority (or of the certificate itself) in clickhouse.ca_file; the certificate must be for the name in clickhouse.url';
    return unreachable(`has a certificate that is not trusted (${code})`, remedy, true);
  }
  if (OUR_CERTIFICATE.test(code)) {
    const remedy = 'give one that it trusts: clickhouse.cert_file and clickhouse.key_file';
    return unreachable(`asks for a certificate of the engine's, and did not take it (${code})`, remedy, true);
  }
  if (NO_TLS.test(code)) {
    const remedy = 'TLS is usually at port 8443; without TLS write http://host:8123 in clickhouse.url';
    return unreachable(`does not speak TLS at that port (${code})`, remedy, true);
  }
  if (NATIVE_PORT.test(words) || NO_HTTP.test(code)) {
    const remedy = 'mend the port in clickhouse.url: HTTP is usually at 8123, HTTPS at 8443';
    return unreachable('does not speak HTTP at that port', remedy, true);
  }
  if (CLIENT_TIMEOUT.test(words) || code === 'ETIMEDOUT') {
    const remedy = `look at its load and the network, or raise clickhouse.request_timeout; ${WAIT}`;
    return unreachable('gave no answer in time', remedy, false);
  }
  if (ABORTED.test(words)) {
    return unreachable('was not waited for any longer', 'nothing: it is asked again', false);
  }
  const broken =
    code === '' ? `gave an answer that is not ClickHouse's: ${words}` : `broke the connection off (${code})`;
  const remedy = code === '' ? 'look at what stands at clickhouse.url: a proxy?' : `look at its log; ${WAIT}`;
  return unreachable(broken, remedy, false);
}

/** The system's or Node's code, of the error or of what caused it; a failed attempt at several addresses has one of its own. */
function codeOf(error: unknown): string {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as NodeJS.ErrnoException;
    if (typeof code === 'string') return code;
    if (each.message === 'socket hang up') return 'ECONNRESET';
  }
  return '';
}
