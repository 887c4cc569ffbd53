import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConfig } from '#src/config/load.js';
import { clientConfig, redacted } from '#src/kafka/librdkafka.js';
import { librdkafkaOf, makeAccess } from '#src/kafka/security/access.js';
import { HurriedClock } from '../support/fake-time.js';
import { NEEDED, SURROUNDINGS } from './config-cases.js';

/** Ten secrets, where each belongs and where each does not: none is in what is kept, handed on or said. */

const SECRETS: Readonly<Record<string, string>> = {
  'kafka.security.password_file': 'planted-kafka-password',
  'kafka.security.key_password_file': 'planted-key-password',
  'kafka.security.token_file': 'planted-kafka-token',
  'kafka.security.oauth.client_secret_file': 'planted-client-secret',
  'kafka.security.username_file': 'planted-user-name',
  'lake.s3.access_key_id_file': 'planted-access-key-id',
  'lake.s3.secret_access_key_file': 'planted-secret-access-key',
  'lake.s3.session_token_file': 'planted-session-token',
  'clickhouse.password_file': 'planted-clickhouse-password',
  'clickhouse.user_file': 'planted-clickhouse-user',
};
const NAMES = Object.keys(SECRETS);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-planted-'));
  for (const [name, secret] of Object.entries(SECRETS)) writeFileSync(join(folder, name), `${secret}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const variable = (path: string) => `HEADRACE__${path.toUpperCase().replaceAll('.', '__')}`;
const FILE = { name: 'engine.yaml', text: `${NEEDED}clickhouse: {url: "http://ch:8123"}\n` };

function said(environment: Record<string, string>): string {
  try {
    return JSON.stringify(resolveConfig(FILE, {}, { ...SURROUNDINGS, environment }));
  } catch (error) {
    return `${String(error)} ${(error as Error).stack}`;
  }
}

describe('ten planted secrets', () => {
  it('stay in their files: the configuration holds paths', () => {
    const logins = [['password_file', 'username_file'], ['token_file']];
    for (const own of logins) {
      const named = NAMES.filter(
        (name) => !name.startsWith('kafka.') || own.some((each) => name.endsWith(`.${each}`)),
      );
      const environment = Object.fromEntries(named.map((name) => [variable(name), join(folder, name)]));
      const text = said({
        ...environment,
        HEADRACE__KAFKA__SECURITY__PROTOCOL: 'sasl_ssl',
        HEADRACE__KAFKA__SECURITY__MECHANISM: own.includes('token_file') ? 'oauthbearer' : 'plain',
      });
      for (const name of named) expect(text).toContain(join(folder, name));
      for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
    }
  });

  it.each(NAMES.filter((name) => !/user(name)?_file$/.test(name)))(
    '%s: the secret in the place of its file’s name, without _file, is refused and not repeated',
    (name) => {
      const wrong = variable(name.replace(/_file$/, ''));
      const text = said({ [wrong]: SECRETS[name]! });
      expect(text).toMatch(/CONFIG_INVALID: HEADRACE__/);
      expect(text).toContain(`set ${name} to that`);
      expect(text).not.toContain(SECRETS[name]);
    },
  );

  it('what librdkafka says of its configuration is said without them', () => {
    const kafka = resolveConfig(
      FILE,
      {},
      {
        ...SURROUNDINGS,
        environment: {
          HEADRACE__KAFKA__SECURITY__PROTOCOL: 'sasl_ssl',
          HEADRACE__KAFKA__SECURITY__MECHANISM: 'plain',
          HEADRACE__KAFKA__SECURITY__USERNAME: 'ann',
          HEADRACE__KAFKA__SECURITY__PASSWORD_FILE: join(folder, 'kafka.security.password_file'),
        },
      },
    ).kafka;
    const config = clientConfig('b:1', 'test', librdkafkaOf(kafka));
    const secret = SECRETS['kafka.security.password_file']!;
    expect(config['sasl.password']).toBe(secret);
    expect(redacted(config, `invalid value "${secret}" for sasl.password`)).toBe(
      'invalid value "***" for sasl.password',
    );
  });

  it('a file that is no good is told by its name', () => {
    writeFileSync(join(folder, 'two-lines'), `${SECRETS['kafka.security.password_file']}\nmore`);
    const kafka = resolveConfig(FILE, {}, SURROUNDINGS).kafka.security;
    const security = {
      ...kafka,
      protocol: 'sasl_ssl' as const,
      mechanism: 'plain' as const,
      username: 'ann',
      passwordFile: join(folder, 'two-lines'),
    };
    expect(() => makeAccess(security, new HurriedClock())).toThrow(/^(?!.*planted).*more than one line/);
  });
});
