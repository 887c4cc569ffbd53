import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLAINTEXT } from '#src/config/kafka-security.js';
import { resolveConfig } from '#src/config/load.js';
import { resolveBrokers } from '#src/config/load-brokers.js';
import type { KafkaSecurityConfig } from '#src/config/types.js';
import { HeadraceError } from '#src/errors.js';
import { refusalOf } from '#src/kafka/frame-guard.js';
import { accessOf, librdkafkaOf, makeAccess } from '#src/kafka/security/access.js';
import { KeptToken, tokenInFile, tokenOf } from '#src/kafka/security/token.js';
import { tokensAskedFor } from '#src/kafka/security/token-request.js';
import { HurriedClock } from '../support/fake-time.js';
import { selfSigned } from '../support/self-signed.js';
import { TokenServer } from '../support/token-server.js';
import { NEEDED, SURROUNDINGS } from './config-cases.js';

const SECRET = 'planted-s3cret';
let folder: string;
const clock = new HurriedClock(Date.now());

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-security-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const tls = (more: Partial<KafkaSecurityConfig> = {}): KafkaSecurityConfig => ({
  ...PLAINTEXT,
  protocol: 'ssl',
  ...more,
});
const login = (more: Partial<KafkaSecurityConfig> = {}): KafkaSecurityConfig =>
  tls({ protocol: 'sasl_ssl', mechanism: 'scram-sha-512', username: 'ann', ...more });

function refusal(work: () => unknown): HeadraceError {
  try {
    work();
  } catch (error) {
    if (error instanceof HeadraceError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('one block for both clients', () => {
  it('nothing is said: plain text, and librdkafka is told so in words', () => {
    expect(accessOf(PLAINTEXT)).toEqual({
      connection: {},
      librdkafka: { 'security.protocol': 'plaintext' },
    });
  });

  it('TLS is verified, by the same authorities in both', () => {
    const { connection, librdkafka } = makeAccess(tls(), clock);
    expect(connection.tls).toEqual({ minVersion: 'TLSv1.2' });
    expect(librdkafka).toMatchObject({
      'security.protocol': 'ssl',
      'enable.ssl.certificate.verification': true,
      'ssl.endpoint.identification.algorithm': 'https',
      'ssl.ca.pem': rootCertificates.join('\n'),
    });
    const ca = selfSigned().cert;
    const own = makeAccess(tls({ caFile: file('ca.pem', ca) }), clock);
    expect(own.connection.tls?.ca).toBe(ca);
    expect(own.librdkafka['ssl.ca.pem']).toBe(ca);
  });

  it('verify: chain leaves the host name out, and nothing else', () => {
    const { connection, librdkafka } = makeAccess(tls({ verify: 'chain' }), clock);
    expect(connection.tls?.checkServerIdentity?.('other', {} as never)).toBeUndefined();
    expect(connection.tls).not.toHaveProperty('rejectUnauthorized');
    expect(librdkafka).toMatchObject({
      'enable.ssl.certificate.verification': true,
      'ssl.endpoint.identification.algorithm': 'none',
    });
  });

  it('a login is the same in both, its password without the end of the line', () => {
    const passwordFile = file('password', `${SECRET} with spaces \n`);
    const { connection, librdkafka } = makeAccess(login({ passwordFile }), clock);
    const password = `${SECRET} with spaces `;
    expect(connection.sasl).toEqual({ mechanism: 'SCRAM-SHA-512', username: 'ann', password });
    expect(librdkafka).toMatchObject({
      'security.protocol': 'sasl_ssl',
      'sasl.mechanisms': 'SCRAM-SHA-512',
      'sasl.username': 'ann',
      'sasl.password': password,
    });
  });

  it('librdkafka gets the rack; what an operator passes on never undoes the security', () => {
    const kafka = resolveConfig(
      { name: 'engine.yaml', text: NEEDED.replace('  group: g\n', '  group: g\n  rack: eu-1a\n') },
      {},
      SURROUNDINGS,
    ).kafka;
    const passed = { 'socket.timeout.ms': 5_000, 'security.protocol': 'sasl_plaintext' };
    expect(librdkafkaOf({ ...kafka, librdkafka: passed })).toEqual({
      'client.rack': 'eu-1a',
      'socket.timeout.ms': 5_000,
      'security.protocol': 'plaintext',
    });
  });

  it('commands that ask brokers read it from the same file', () => {
    const text = 'kafka: {brokers: "b:1", security: {protocol: ssl, ca_file: ca.pem}}\nmodel: x\n';
    const { security } = resolveBrokers({ name: '/etc/headrace/engine.yaml', text }, {});
    expect(security).toMatchObject({ protocol: 'ssl', verify: 'full', caFile: '/etc/headrace/ca.pem' });
  });
});

describe('files that are no good are refused at the start, with exit 78', () => {
  const cases: [string, () => KafkaSecurityConfig, RegExp][] = [
    [
      'a password file that is not there',
      () => login({ passwordFile: '/nowhere/p' }),
      /password_file: the file does not exist \(path=\/nowhere\/p\)/,
    ],
    ['an empty one', () => login({ passwordFile: file('empty', '\n') }), /password_file: the file is empty/],
    [
      'one with two lines',
      () => login({ passwordFile: file('two', `${SECRET}\nmore`) }),
      /more than one line/,
    ],
    [
      'an authority that is no PEM',
      () => tls({ caFile: file('ca.der', SECRET) }),
      /ca_file: the file holds no CERTIFICATE in PEM/,
    ],
    [
      'a key that is none',
      () => tls({ certFile: file('c1', selfSigned().cert), keyFile: file('k1', SECRET) }),
      /key_file: the file holds no PRIVATE KEY in PEM/,
    ],
    [
      'a key of another certificate',
      () => tls({ certFile: file('c2', selfSigned().cert), keyFile: file('k2', selfSigned().key) }),
      /cert_file: the file is of no use: .*belong together/,
    ],
    [
      'a certificate that has expired',
      () => expired(),
      /cert_file: the file is a certificate that expired on/,
    ],
  ];
  const expired = () => {
    const { cert, key } = selfSigned({ validDays: -1 });
    return tls({ certFile: file('c3', cert), keyFile: file('k3', key) });
  };

  it.each(cases)('%s', (_name, security, says) => {
    const error = refusal(() => makeAccess(security(), clock));
    expect(error.exitCode).toBe(78);
    expect(error.toString()).toMatch(says);
    expect(error.toString()).not.toContain('\n');
    expect(error.toString()).not.toContain(SECRET);
    expect(error.remedy).toBeDefined();
  });
});

describe('tokens', () => {
  const jwt = (claims: object) =>
    `${Buffer.from('{}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;

  it('say when they end and whom they are for, or are good for five minutes', () => {
    expect(tokenOf(jwt({ exp: 1_000, sub: 'ann' }), 5_000)).toMatchObject({
      expiresMs: 1_000_000,
      principal: 'ann',
    });
    expect(tokenOf('opaque', 5_000)).toMatchObject({ expiresMs: 305_000, principal: '' });
    expect(tokenOf('a.b.c', 5_000, 60_000)).toMatchObject({ expiresMs: 65_000 });
  });

  it('a file is read again each time', async () => {
    const path = file('token', 'first\n');
    const next = tokenInFile(path, clock);
    expect((await next()).value).toBe('first');
    file('token', 'second');
    expect((await next()).value).toBe('second');
    file('token', 'with space');
    await expect(next()).rejects.toMatchObject({
      code: 'KAFKA_AUTH',
      message: expect.stringMatching(/nothing else/),
    });
  });

  it('are kept until a fifth of their time is left, and to their end where there is no new one', async () => {
    const time = new HurriedClock(1_000_000);
    let asked = 0;
    let broken = false;
    const kept = new KeptToken(async () => {
      asked += 1;
      if (broken) throw new HeadraceError('KAFKA_AUTH', 'no token');
      return tokenOf(`token-${asked}`, time.nowMs(), 100_000);
    }, time);
    const all = await Promise.all([kept.get(), kept.get(), kept.get()]);
    expect(new Set(all.map(({ value }) => value))).toEqual(new Set(['token-1']));
    time.advance(79_000);
    expect((await kept.get()).value).toBe('token-1');
    time.advance(2_000);
    expect((await kept.get()).value).toBe('token-2');
    broken = true;
    time.advance(90_000);
    expect((await kept.get()).value).toBe('token-2');
    time.advance(20_000);
    await expect(kept.get()).rejects.toMatchObject({ code: 'KAFKA_AUTH' });
  });

  it('are asked for with the secret as it is then; what a server says of it is told, the secret is not', async () => {
    const server = await TokenServer.start({ id: 'client', secret: SECRET });
    try {
      const clientSecretFile = file('secret', 'not-yet');
      const oauth = { tokenUrl: server.url, clientId: 'client', clientSecretFile, scope: null, caFile: null };
      const ask = tokensAskedFor(oauth, clock);
      const error = await ask().then(
        () => '',
        (refused: unknown) => String(refused),
      );
      expect(error).toMatch(/^KAFKA_AUTH: no token: the token server answers 401 \(invalid_client\)/);
      expect(error).not.toContain('not-yet');
      file('secret', SECRET);
      expect(await ask()).toMatchObject({ principal: 'client' });
      const { url } = server;
      await server.stop();
      await expect(tokensAskedFor({ ...oauth, tokenUrl: url }, clock)()).rejects.toMatchObject({
        code: 'KAFKA_AUTH',
        message: expect.stringMatching(/^no token: .*ECONNREFUSED/),
      });
    } finally {
      await server.stop().catch(() => undefined);
    }
  });
});

it('a TLS alert in the place of an answer is told as what it is', () => {
  expect(refusalOf(0x15_03_03_00, 2 ** 20)).toMatchObject({
    code: 'KAFKA_TLS',
    remedy: expect.stringMatching(/security\.protocol/),
  });
});
