import { HeadraceError, messageOf } from '../../errors.js';

/** What Node and OpenSSL call what goes wrong with TLS, and what can be done. KAFKA_TLS is tried again: certificates are renewed. */

const CA = 'set kafka.security.ca_file to the certificate of the authority that signs the brokers’';
const OWN = 'set kafka.security.cert_file and key_file to a certificate that the brokers believe';

const KNOWN: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  CERT_HAS_EXPIRED: ["the broker's certificate, or one above it, has expired", 'renew it at the broker'],
  CERT_NOT_YET_VALID: ["the broker's certificate is not valid yet", 'look at the clocks of both machines'],
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    "the broker's certificate is self-signed and not known here",
    'set kafka.security.ca_file to that certificate, if it is the broker’s',
  ],
  SELF_SIGNED_CERT_IN_CHAIN: ["the broker's certificate comes from an authority that is not known here", CA],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["nobody who is known here vouches for the broker's certificate", CA],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["nobody who is known here vouches for the broker's certificate", CA],
  UNABLE_TO_GET_ISSUER_CERT: ["nobody who is known here vouches for the broker's certificate", CA],
  CERT_SIGNATURE_FAILURE: ["the broker's certificate is not signed by the authority it names", CA],
  CERT_REVOKED: ["the broker's certificate was revoked", 'renew it at the broker'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "the broker's certificate is for another host",
    'use the host name that it names; or, where brokers share a certificate, kafka.security.verify: chain',
  ],
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: ['the broker asks for a certificate of ours', OWN],
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: ['the broker refuses the TLS handshake', OWN],
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: ['the broker refuses our certificate, or that there is none', OWN],
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: ['the broker refuses our certificate', OWN],
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: ['our certificate has expired', OWN],
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: ['the broker does not know who signed our certificate', OWN],
  ERR_SSL_WRONG_VERSION_NUMBER: [
    'the broker does not speak TLS on this port',
    'name the port of its TLS listener in kafka.brokers',
  ],
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: [
    'the broker speaks another version of TLS than 1.2 or 1.3',
    'have it speak one of them (ssl.enabled.protocols)',
  ],
};

/** Null: it is something else. `host` is who was asked. */
export function tlsFailure(error: unknown): HeadraceError | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const known = Object.hasOwn(KNOWN, code) ? KNOWN[code] : undefined;
    if (known !== undefined)
      return new HeadraceError('KAFKA_TLS', known[0], { where: { tls: code }, remedy: known[1] });
    if (/secure TLS connection was established/.test(cause.message)) {
      return new HeadraceError('KAFKA_TLS', 'the broker closes the connection when TLS begins', {
        remedy: 'name the port of its TLS listener in kafka.brokers',
      });
    }
    if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
      const what = messageOf(cause).replace(/^.*:error:[0-9A-F]+:/, '');
      return new HeadraceError('KAFKA_TLS', `TLS with the broker failed: ${what}`, {
        where: { tls: code },
        remedy: 'compare kafka.security with the listener of the broker',
      });
    }
  }
  return null;
}
