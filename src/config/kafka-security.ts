import { z } from 'zod';
import { kindOf, oneOf, section, text } from './fields.js';
import { tokenEndpoint } from './token-endpoint.js';
import type { KafkaSecurityConfig } from './types.js';
import { quote } from './units.js';

/**
 * The section `kafka.security`: one block for both Kafka clients. There is no protocol that sends passwords or tokens readable,
 * and none that is taken in another's place: what contradicts the protocol is refused.
 */

const file = () => text('a file').optional();

export const kafkaSecurity = section({
  protocol: protocol().prefault('plaintext'),
  verify: oneOf(['full', 'chain']).prefault('full'),
  ca_file: file(),
  cert_file: file(),
  key_file: file(),
  key_password_file: file(),
  mechanism: oneOf(['scram-sha-512', 'scram-sha-256', 'plain', 'oauthbearer']).optional(),
  username: text('a user').optional(),
  username_file: file(),
  password_file: file(),
  token_file: file(),
  oauth: section({
    token_url: tokenEndpoint().optional(),
    client_id: text('a client id').optional(),
    client_secret_file: file(),
    scope: text('a scope').optional(),
    ca_file: file(),
  }).prefault({}),
})
  .superRefine((values, context) => {
    const problem = contradiction(values);
    if (problem !== undefined) {
      context.addIssue({ code: 'custom', path: problem.setting.split('.'), message: problem.message });
    }
  })
  .prefault({});

/** Nobody who asked for a login is pointed to plain text. */
function protocol() {
  const words = ['plaintext', 'ssl', 'sasl_ssl'] as const;
  return z.enum(words, {
    error: ({ input }) =>
      String(input).toLowerCase() === 'sasl_plaintext'
        ? 'sasl_plaintext would send the login, and everything else, readable by others: set sasl_ssl'
        : `must be one of ${words.join(', ')}, not ${kindOf(input) === 'text' ? quote(input) : kindOf(input)}`,
  });
}

type Values = { readonly [name: string]: unknown };

const OF_TLS = ['ca_file', 'cert_file', 'key_file', 'key_password_file'];
const OF_SASL = ['mechanism', 'username', 'username_file', 'password_file', 'token_file', 'oauth'];
const OF_OAUTH = ['token_url', 'client_id', 'client_secret_file'];

/** The first thing that does not go with the others; `values` are those of the section, in the file's words. */
function contradiction(values: Values): { setting: string; message: string } | undefined {
  const oauth = values.oauth as Values;
  const given = (name: string) =>
    name === 'oauth' ? Object.values(oauth).some((value) => value !== undefined) : values[name] !== undefined;
  const at = (setting: string, message: string) => ({ setting, message });
  const protocol = values.protocol as string;
  const lost =
    protocol === 'plaintext'
      ? [...OF_SASL, ...OF_TLS].find(given)
      : protocol === 'ssl'
        ? OF_SASL.find(given)
        : undefined;
  if (lost !== undefined) {
    const wanted = OF_SASL.includes(lost) ? 'sasl_ssl' : 'ssl or sasl_ssl';
    return at(lost, `has no meaning with protocol: ${protocol}: set kafka.security.protocol to ${wanted}`);
  }
  if (given('cert_file') !== given('key_file')) {
    const [here, missing] = given('cert_file') ? ['cert_file', 'key_file'] : ['key_file', 'cert_file'];
    return at(here, `needs kafka.security.${missing} too`);
  }
  if (given('key_password_file') && !given('key_file'))
    return at('key_password_file', 'needs kafka.security.key_file too');
  if (protocol !== 'sasl_ssl') return undefined;
  const problem = loginProblem(values.mechanism, given, at);
  const missing = given('oauth') ? OF_OAUTH.find((name) => oauth[name] === undefined) : undefined;
  if (problem !== undefined || missing === undefined) return problem;
  return at('oauth', `needs kafka.security.oauth.${missing} too`);
}

function loginProblem(
  mechanism: unknown,
  given: (name: string) => boolean,
  at: (setting: string, message: string) => { setting: string; message: string },
): { setting: string; message: string } | undefined {
  if (mechanism === undefined) {
    return at('protocol', 'sasl_ssl needs kafka.security.mechanism too, such as scram-sha-512');
  }
  const byToken = mechanism === 'oauthbearer';
  const foreign = (byToken ? ['username', 'username_file', 'password_file'] : ['token_file', 'oauth']).find(
    given,
  );
  if (foreign !== undefined) return at(foreign, `has no meaning with mechanism: ${mechanism}`);
  if (byToken) {
    if (given('token_file') && given('oauth')) return at('token_file', 'or kafka.security.oauth, not both');
    if (given('token_file') || given('oauth')) return undefined;
    return at('mechanism', 'oauthbearer needs kafka.security.token_file or kafka.security.oauth too');
  }
  if (given('username') && given('username_file')) {
    return at('username_file', 'or kafka.security.username, not both');
  }
  if (!given('username') && !given('username_file')) {
    return at('mechanism', `${mechanism} needs kafka.security.username or username_file too`);
  }
  if (given('password_file')) return undefined;
  return at('mechanism', `${mechanism} needs kafka.security.password_file too`);
}

/** `fileAt`: the absolute path of a file that a setting of the section names. */
export function toKafkaSecurity(
  values: z.output<typeof kafkaSecurity>,
  fileAt: (setting: string, file: string) => string,
): KafkaSecurityConfig {
  const fileOf = (name: string, file: string | undefined) =>
    file === undefined ? null : fileAt(`kafka.security.${name}`, file);
  const { oauth } = values;
  return {
    protocol: values.protocol,
    verify: values.verify,
    caFile: fileOf('ca_file', values.ca_file),
    certFile: fileOf('cert_file', values.cert_file),
    keyFile: fileOf('key_file', values.key_file),
    keyPasswordFile: fileOf('key_password_file', values.key_password_file),
    mechanism: values.mechanism ?? null,
    username: values.username ?? null,
    usernameFile: fileOf('username_file', values.username_file),
    passwordFile: fileOf('password_file', values.password_file),
    tokenFile: fileOf('token_file', values.token_file),
    oauth:
      oauth.token_url === undefined
        ? null
        : {
            tokenUrl: oauth.token_url,
            clientId: oauth.client_id!,
            clientSecretFile: fileAt('kafka.security.oauth.client_secret_file', oauth.client_secret_file!),
            scope: oauth.scope ?? null,
            caFile: fileOf('oauth.ca_file', oauth.ca_file),
          },
  };
}

/** As it is where nothing is said. */
export const PLAINTEXT: KafkaSecurityConfig = toKafkaSecurity(
  kafkaSecurity.parse(undefined),
  (_, path) => path,
);
