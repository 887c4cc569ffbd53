import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, createSecureContext, rootCertificates } from 'node:tls';
import { type Clock, systemClock } from '../../clock.js';
import type { KafkaConfig, KafkaSecurityConfig } from '../../config/types.js';
import { messageOf } from '../../errors.js';
import type { SecurityOptions } from '../broker-transport.js';
import type { LibrdkafkaConfig } from '../librdkafka.js';
import { loginOf } from './login.js';
import { pemIn, secretIn, unfit } from './secret-file.js';

/**
 * `kafka.security` for both clients: what our own connections take (and @platformatic/kafka's), and librdkafka's properties. They
 * are made together, of the same files, so that one can't be secured otherwise than the other:
 *
 * - librdkafka is told its protocol in words, always; there is no default to fall back to.
 * - Both believe the same authorities: those of ca_file, or else Node's own list.
 * - Both take their tokens from one place (token.ts).
 */
export interface KafkaAccess {
  readonly connection: SecurityOptions;
  readonly librdkafka: LibrdkafkaConfig;
}

const known = new WeakMap<KafkaSecurityConfig, KafkaAccess>();

/** Once a configuration: files are read the first time. Throws CONFIG_INVALID for files that are no good. */
export function accessOf(security: KafkaSecurityConfig): KafkaAccess {
  let access = known.get(security);
  if (access === undefined) {
    access = makeAccess(security, systemClock);
    known.set(security, access);
  }
  return access;
}

/** All that librdkafka's clients of an engine are told beyond their own purpose. */
export function librdkafkaOf({
  librdkafka,
  rack,
  security,
}: Pick<KafkaConfig, 'librdkafka' | 'rack' | 'security'>): LibrdkafkaConfig {
  return {
    ...(rack === null ? {} : { 'client.rack': rack }),
    ...librdkafka,
    ...accessOf(security).librdkafka,
  };
}

export function makeAccess(security: KafkaSecurityConfig, clock: Clock): KafkaAccess {
  if (security.protocol === 'plaintext') {
    return { connection: {}, librdkafka: { 'security.protocol': 'plaintext' } };
  }
  const tls = tlsOf(security, clock);
  const login = security.mechanism === null ? null : loginOf(security, security.mechanism, clock);
  return {
    connection: { tls: tls.connection, ...(login === null ? {} : { sasl: login.connection }) },
    librdkafka: { 'security.protocol': security.protocol, ...tls.librdkafka, ...login?.librdkafka },
  };
}

function tlsOf(
  { verify, caFile, certFile, keyFile, keyPasswordFile }: KafkaSecurityConfig,
  clock: Clock,
): { connection: ConnectionOptions; librdkafka: LibrdkafkaConfig } {
  const ca =
    caFile === null ? rootCertificates.join('\n') : pemIn('kafka.security.ca_file', caFile, 'CERTIFICATE');
  const cert = certFile === null ? undefined : pemIn('kafka.security.cert_file', certFile, 'CERTIFICATE');
  const key = keyFile === null ? undefined : pemIn('kafka.security.key_file', keyFile, 'PRIVATE KEY');
  const passphrase =
    keyPasswordFile === null ? undefined : secretIn('kafka.security.key_password_file', keyPasswordFile);
  const own = cert === undefined ? {} : { cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
  if (caFile !== null) readable('kafka.security.ca_file', caFile, { ca });
  if (certFile !== null) readable('kafka.security.cert_file', certFile, own);
  if (certFile !== null && cert !== undefined) refuseExpired(certFile, cert, clock);
  const anyName = verify === 'chain';
  return {
    connection: {
      minVersion: 'TLSv1.2',
      ...(caFile === null ? {} : { ca }),
      ...own,
      ...(anyName ? { checkServerIdentity: () => undefined } : {}),
    } as ConnectionOptions,
    librdkafka: {
      'enable.ssl.certificate.verification': true,
      'ssl.endpoint.identification.algorithm': anyName ? 'none' : 'https',
      'ssl.ca.pem': ca,
      ...(cert === undefined ? {} : { 'ssl.certificate.pem': cert, 'ssl.key.pem': key }),
      ...(passphrase === undefined ? {} : { 'ssl.key.password': passphrase }),
    },
  };
}

/** OpenSSL looks before any broker is asked. */
function readable(setting: string, path: string, options: ConnectionOptions): void {
  try {
    createSecureContext(options as object);
  } catch (error) {
    const why = messageOf(error).replace(/^error:[0-9A-F]+:/, '');
    throw unfit(setting, path, `is of no use: ${why}`, {
      remedy:
        'do key and certificate belong together, and is key_password_file set where the key has a password?',
    });
  }
}

function refuseExpired(path: string, cert: string, clock: Clock): void {
  const { validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) > clock.nowMs()) return;
  throw unfit('kafka.security.cert_file', path, `is a certificate that expired on ${validTo}`, {
    remedy: 'put a new one there',
  });
}
