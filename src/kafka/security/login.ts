import type { Clock } from '../../clock.js';
import type { KafkaSecurityConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import type { SecurityOptions } from '../broker-transport.js';
import type { LibrdkafkaConfig } from '../librdkafka.js';
import { secretIn } from './secret-file.js';
import { KeptToken, type Token, tokenInFile } from './token.js';
import { tokensAskedFor } from './token-request.js';

/** SASL, for both clients. Passwords are read at the start, tokens whenever one is needed. */

type Sasl = NonNullable<SecurityOptions['sasl']>;
type Mechanism = NonNullable<KafkaSecurityConfig['mechanism']>;

export interface Login {
  connection: Sasl;
  librdkafka: LibrdkafkaConfig;
}

const NAMES = {
  'scram-sha-512': 'SCRAM-SHA-512',
  'scram-sha-256': 'SCRAM-SHA-256',
  plain: 'PLAIN',
  oauthbearer: 'OAUTHBEARER',
} as const satisfies Record<Mechanism, Sasl['mechanism']>;

/** Throws CONFIG_INVALID for files that are no good. */
export function loginOf(security: KafkaSecurityConfig, mechanism: Mechanism, clock: Clock): Login {
  const name = NAMES[mechanism];
  if (mechanism === 'oauthbearer') return tokenLogin(tokensOf(security, clock));
  const { usernameFile, passwordFile } = security;
  const username =
    usernameFile === null ? security.username! : secretIn('kafka.security.username_file', usernameFile);
  const password = secretIn('kafka.security.password_file', passwordFile!);
  return {
    connection: { mechanism: name, username, password },
    librdkafka: { 'sasl.mechanisms': name, 'sasl.username': username, 'sasl.password': password },
  };
}

function tokensOf({ tokenFile, oauth }: KafkaSecurityConfig, clock: Clock): () => Promise<Token> {
  // a file is cheap to read, and may be replaced at any time
  if (tokenFile !== null) return tokenInFile(tokenFile, clock);
  const kept = new KeptToken(tokensAskedFor(oauth!, clock), clock);
  return () => kept.get();
}

/** What librdkafka's binding calls when it wants a token. */
type TokenWanted = (
  config: string,
  done: (error: Error | null, token?: { tokenValue: string; lifetime: number; principal: string }) => void,
) => void;

function tokenLogin(next: () => Promise<Token>): Login {
  const wanted: TokenWanted = (_config, done) => {
    // no promise for the binding: it would take what fails in done, on a client that is closed by then, for a rejection
    const safely = (...all: Parameters<typeof done>) => {
      try {
        done(...all);
      } catch {
        // the client is gone, and needs none
      }
    };
    next().then(
      ({ value, expiresMs, principal }) =>
        safely(null, { tokenValue: value, lifetime: expiresMs, principal }),
      (error: unknown) => safely(error instanceof Error ? error : new Error(String(error))),
    );
  };
  return {
    connection: {
      mechanism: NAMES.oauthbearer,
      token: async () => (await next()).value,
      authBytesValidator: (answer, done) => {
        const refusal = refusalIn(answer);
        if (refusal === null) done(null, answer);
        else done(refusal);
      },
    },
    librdkafka: { 'sasl.mechanisms': NAMES.oauthbearer, oauthbearer_token_refresh_cb: wanted },
  };
}

/** A broker that refuses a token answers without an error, and says so in JSON (RFC 7628, 3.2.2). */
function refusalIn(answer: Buffer): HeadraceError | null {
  if (answer.length === 0) return null;
  let status = 'in words that are none';
  try {
    status = String((JSON.parse(answer.toString('utf8')) as { status?: unknown }).status);
  } catch {
    // refused all the same: who takes a token answers nothing
  }
  return new HeadraceError('KAFKA_AUTH', `the broker refuses the token: ${status.slice(0, 80)}`, {
    remedy: 'check issuer, audience and time of the token, and whom the brokers believe',
  });
}
