import { generateKeyPairSync, sign } from 'node:crypto';

/** Certificates for 127.0.0.1 or another address, which vouch for themselves or are vouched for: Node can read them, but makes none. */

export interface SelfSigned {
  /** PEM. */
  cert: string;
  key: string;
}

const DAY_MS = 86_400_000;

export function selfSigned(
  options: {
    address?: readonly [number, number, number, number];
    validDays?: number;
    /** Common name. */
    subject?: string;
    /** Who vouches for it, by the common name it was made with. */
    issuer?: SelfSigned & { subject: string };
  } = {},
): SelfSigned {
  const { address = [127, 0, 0, 1], validDays = 365, subject = 'headrace test', issuer } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // ecdsa-with-SHA256, 1.2.840.10045.4.3.2
  const algorithm = sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const named = (name: string) =>
    sequence(
      // commonName, 2.5.4.3
      tagged(0x31, sequence(tagged(0x06, Buffer.from('550403', 'hex')), tagged(0x0c, Buffer.from(name)))),
    );
  const extension = (oid: string, value: Buffer) =>
    sequence(tagged(0x06, Buffer.from(oid, 'hex')), tagged(0x04, value));
  const extensions = tagged(
    0xa3,
    sequence(
      // basicConstraints: an authority, if it is its own
      extension('551d13', sequence(...(issuer === undefined ? [tagged(0x01, Buffer.from([0xff]))] : []))),
      // subjectAltName: an IP address
      extension('551d11', sequence(tagged(0x87, Buffer.from(address)))),
    ),
  );
  const now = Date.now();
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    // a number of its own below one issuer
    tagged(0x02, Buffer.from([issuer === undefined ? 1 : 2])),
    algorithm,
    named(issuer?.subject ?? subject),
    sequence(time(now - (validDays < 0 ? 10 - validDays : 1) * DAY_MS), time(now + validDays * DAY_MS)),
    named(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  );
  const signature = tagged(
    0x03,
    Buffer.concat([Buffer.from([0]), sign('sha256', body, issuer?.key ?? privateKey)]),
  );
  return {
    cert: pem(sequence(body, algorithm, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return tagged(0x18, Buffer.from(digits));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

/** Tag, length, content, as DER has it. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
