import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '#src/commands/cli.js';
import { connectTopic } from '#src/commands/ledger/connect.js';
import { loadConfig } from '#src/config/load.js';
import { loadBrokers } from '#src/config/load-brokers.js';
import { ERROR_CODES } from '#src/errors.js';
import {
  clientConfig,
  connectClient,
  createConsumer,
  failureOf,
  fetchMetadata,
} from '#src/kafka/librdkafka.js';
import { accessOf } from '#src/kafka/security/access.js';
import { createLog } from '#src/telemetry/log.js';
import { EngineProcess } from '../support/engine-process.js';
import { CLIENT_SECRET, PASSWORD, SecureKafka } from '../support/secure-kafka.js';
import { selfSigned } from '../support/self-signed.js';

/**
 * Each way into a real broker, for both clients by one block, and each way that must fail. Whatever is refused is refused by both:
 * nothing is read, and nothing sent, over a connection that is less than what was asked for.
 */

const TOPIC = 'allowed-events';
const EVENTS = 300;
const OUTPUT_MS_MAX = 240_000;

let kafka: SecureKafka;
let file: (name: string, text: string) => string;
let configs = 0;

beforeAll(async () => {
  kafka = await SecureKafka.start();
  file = (name, text) => kafka.file(name, text);
  for (const principal of ['ann', 'engine-client', 'CN=engine']) await kafka.allow(principal, 'allowed-');
  await kafka.cluster.createTopic({ name: TOPIC, partitions: 2 });
  await kafka.cluster.createTopic({ name: 'others-events', partitions: 1 });
  file('password', `${PASSWORD}\n`);
  file('wrong', 'guessed');
  file('secret', CLIENT_SECRET);
}, 300_000);

afterAll(async () => {
  await kafka?.stop();
});

type Security = Record<string, unknown>;

/** An engine's file; gives its path. */
function configFile(listener: string | null, security: Security, topic = TOPIC): string {
  configs += 1;
  const brokers = listener === null ? kafka.cluster.bootstrap : kafka.addressOf(listener);
  const group = `allowed-group-${configs}`;
  return file(
    `engine-${configs}.yaml`,
    JSON.stringify({
      kafka: { brokers, topic, group, security },
      model: 'clickstream',
      lake: { path: `./lake-${configs}` },
    }),
  );
}

const byPassword = (mechanism: string, more: Security = {}): Security => ({
  protocol: 'sasl_ssl',
  ca_file: './ca.pem',
  mechanism,
  username: 'ann',
  password_file: './password',
  ...more,
});
const byToken = (): Security => ({
  protocol: 'sasl_ssl',
  ca_file: './ca.pem',
  mechanism: 'oauthbearer',
  oauth: {
    token_url: kafka.tokens.url,
    client_id: 'engine-client',
    client_secret_file: './secret',
    scope: 'kafka.read',
  },
});
const byTokenFile = (token: string): Security => {
  const { oauth: _, ...rest } = byToken();
  return { ...rest, token_file: file(`token-${configs}`, token) };
};
const byCertificate = (): Security => {
  const { cert, key } = kafka.certificate('engine');
  return { protocol: 'ssl', ca_file: './ca.pem', cert_file: cert, key_file: key };
};

async function headrace(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const code = await main(args, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

function produce(config: string, ...more: string[]) {
  const load = ['--model', 'clickstream', '--topic', TOPIC, '--rate', 'max', '--count', String(EVENTS)];
  return headrace('produce', '--config', config, ...load, '--json', ...more);
}

function engine(config: string, untilEnd: boolean): EngineProcess {
  const { kafka: settings, lake } = loadConfig({ file: config, flags: {} });
  return new EngineProcess({
    brokers: settings.brokers.join(','),
    topic: settings.topic,
    group: settings.group,
    lake: lake.path,
    log: join(kafka.folder, `log-${configs}`),
    untilEnd,
    flags: ['--config', config],
  });
}

describe('with the right credentials', () => {
  const WAYS: [string, string, () => Security][] = [
    ['SCRAM-SHA-512', 'LOGIN', () => byPassword('scram-sha-512')],
    [
      'SCRAM-SHA-256',
      'LOGIN',
      () => byPassword('scram-sha-256', { username: undefined, username_file: file('user', 'ann\n') }),
    ],
    ['PLAIN', 'LOGIN', () => byPassword('plain')],
    ['OAUTHBEARER by client credentials', 'LOGIN', byToken],
    ['OAUTHBEARER by a file', 'LOGIN', () => byTokenFile(kafka.tokens.token('engine-client', 3_600))],
    ['a certificate of our own', 'MUTUAL', byCertificate],
    [
      'certificates for other hosts, where they may be',
      'OTHERHOST',
      () => ({ ...byCertificate(), verify: 'chain' }),
    ],
  ];

  it.each(WAYS)(
    '%s: events go in, and sessions come out',
    async (_name, listener, security) => {
      const config = configFile(listener, security());
      const sent = await produce(config);
      expect(sent).toMatchObject({ code: 0, stderr: '' });
      const result = await engine(config, true).result(OUTPUT_MS_MAX);
      expect(result).toMatchObject({ lanes: 2, haltedLanes: 0, deadLetters: 0 });
      expect(result.events).toBeGreaterThanOrEqual(EVENTS);
      // not one client of them all came with less than was asked for
      expect(kafka.cluster.logTail(1, 100_000)).not.toMatch(/Failed authentication/);
      const seen = await headrace('monitor', '--config', config, '--once', '--interval', '100ms', '--json');
      expect(seen.code).toBe(0);
      const { topics } = JSON.parse(seen.stdout) as { topics: { name: string }[] };
      const names = topics.map(({ name }) => name);
      // who logs in sees what it may; without a login one is the anonymous user here, who may see all
      if (listener === 'OTHERHOST') expect(names).toContain(TOPIC);
      else expect(names).toEqual([TOPIC]);
    },
    OUTPUT_MS_MAX,
  );

  it(
    'logins are renewed while data flows: no connection is lost when a token ends',
    async () => {
      kafka.tokens.lifetimeSeconds = 15;
      const config = configFile('LOGIN', byToken());
      const running = engine(config, false);
      try {
        await running.untilSays(/lanes assigned/, OUTPUT_MS_MAX);
        const before = kafka.tokens.given;
        await running.until('tokens were renewed', () => kafka.tokens.given >= before + 2, OUTPUT_MS_MAX);
        expect(await produce(config)).toMatchObject({ code: 0 });
        await running.untilSays(/"events":/, OUTPUT_MS_MAX);
        await running.stop(60_000);
        expect(running.output).not.toMatch(
          /no answer to a fetch|no metadata|no login|refuses|connection closed/,
        );
        expect(kafka.tokens.scopes).toContain('kafka.read');
      } finally {
        await running.kill();
        kafka.tokens.lifetimeSeconds = 3_600;
      }
    },
    OUTPUT_MS_MAX,
  );
});

describe('refused', () => {
  const wrong = { password_file: './wrong' };
  const CASES: [string, string | null, () => Security, keyof typeof ERROR_CODES, RegExp, RegExp][] = [
    [
      'a wrong password, SCRAM',
      'LOGIN',
      () => byPassword('scram-sha-512', wrong),
      'KAFKA_AUTH',
      /refuses the login: .*invalid credentials/,
      /check kafka\.security/,
    ],
    [
      'a wrong password, PLAIN',
      'LOGIN',
      () => byPassword('plain', wrong),
      'KAFKA_AUTH',
      /refuses the login/,
      /check kafka\.security/,
    ],
    [
      'an unknown user',
      'LOGIN',
      () => byPassword('scram-sha-256', { username: 'eve' }),
      'KAFKA_AUTH',
      /refuses the login/,
      /check kafka\.security/,
    ],
    [
      'a mechanism that the listener has not',
      'NOPLAIN',
      () => byPassword('plain'),
      'KAFKA_AUTH',
      /does not offer this SASL mechanism/,
      /kafka\.security\.mechanism/,
    ],
    [
      'an expired token in a file',
      'LOGIN',
      () => byTokenFile(kafka.tokens.token('engine-client', -60)),
      'KAFKA_AUTH',
      /a token that expired at 20/,
      /fresh one/,
    ],
    [
      'a token that somebody else signed',
      'LOGIN',
      () => byTokenFile(kafka.tokens.forgedToken('engine-client', 'another')),
      'KAFKA_AUTH',
      /refuses the token: invalid_token/,
      /whom the brokers believe/,
    ],
    [
      'a token that nobody signed',
      'LOGIN',
      () => byTokenFile(kafka.tokens.forgedToken('engine-client', 'nobody')),
      'KAFKA_AUTH',
      /refuses the token: invalid_token/,
      /whom the brokers believe/,
    ],
    [
      'a client that the token server does not know',
      'LOGIN',
      () => ({
        ...byToken(),
        oauth: { token_url: kafka.tokens.url, client_id: 'engine-client', client_secret_file: './wrong' },
      }),
      'KAFKA_AUTH',
      /answers 401 \(invalid_client\)/,
      /client_secret_file/,
    ],
    [
      'an expired certificate of the broker',
      'EXPIRED',
      byCertificate,
      'KAFKA_TLS',
      /has expired/,
      /renew it/,
    ],
    [
      'a self-signed certificate of the broker',
      'SELFSIGNED',
      byCertificate,
      'KAFKA_TLS',
      /self-signed/,
      /ca_file/,
    ],
    [
      'a certificate for another host',
      'OTHERHOST',
      byCertificate,
      'KAFKA_TLS',
      /for another host/,
      /verify: chain/,
    ],
    [
      'an authority that nobody named',
      'LOGIN',
      () => byPassword('scram-sha-512', { ca_file: undefined }),
      'KAFKA_TLS',
      /authority that is not known|nobody who is known/,
      /ca_file/,
    ],
    [
      'no certificate of ours where one is asked for',
      'MUTUAL',
      () => ({ protocol: 'ssl', ca_file: './ca.pem' }),
      'KAFKA_TLS',
      /asks for a certificate|refuses/,
      /cert_file/,
    ],
    [
      'a certificate of ours that the broker does not know',
      'MUTUAL',
      () => stranger(),
      'KAFKA_TLS',
      /signed our certificate|refuses our certificate/,
      /cert_file/,
    ],
    [
      'TLS where the broker speaks none',
      null,
      () => byPassword('scram-sha-512'),
      'KAFKA_TLS',
      /TLS/,
      /TLS listener/,
    ],
    [
      'plain text where the broker speaks TLS',
      'MUTUAL',
      () => ({ protocol: 'plaintext' }),
      'KAFKA_TLS',
      /speaks TLS/,
      /protocol/,
    ],
    [
      'no login where one is asked for',
      'LOGIN',
      () => ({ protocol: 'ssl', ca_file: './ca.pem' }),
      'KAFKA_UNREACHABLE',
      /before its first answer|no answer within/,
      /sasl_ssl|brokers/,
    ],
    [
      'a login where none is asked for',
      'OTHERHOST',
      () => byPassword('plain', { verify: 'chain' }),
      'KAFKA_AUTH',
      /asks for no login/,
      /protocol to ssl/,
    ],
  ];

  const stranger = (): Security => {
    const own = selfSigned({ subject: 'stranger' });
    const files = { cert_file: file('stranger.crt', own.cert), key_file: file('stranger.key', own.key) };
    return { protocol: 'ssl', ca_file: './ca.pem', ...files };
  };

  it.each(CASES)('%s, by both clients', async (_name, listener, security, code, says, remedy) => {
    const config = configFile(listener, security());
    const told = await headrace('topics', 'describe', '--config', config);
    expect(told.stderr).toMatch(says);
    expect(told.stderr).toMatch(remedy);
    expect(told.stderr).toContain(`${code}: `);
    expect(told.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(told.code).toBe(ERROR_CODES[code].exitCode);
    expect(told.stderr).not.toContain(PASSWORD);
    expect(told.stderr).not.toContain(CLIENT_SECRET);
    expect(await librdkafkaSees(config)).toMatchObject({ topics: null });
  });

  const tokenFile = (lifetimeSeconds: number) =>
    file('mended-token', kafka.tokens.token('engine-client', lifetimeSeconds));
  const MENDED: [string, string, string, () => Security, () => Promise<void> | void][] = [
    [
      'at the broker, which gets the password that the engine has',
      'mia',
      'guessed-by-mia',
      () => byPassword('scram-sha-512', { username: 'mia', password_file: file('mia', 'guessed-by-mia') }),
      () => kafka.setPassword('mia', 'guessed-by-mia'),
    ],
    [
      'in the file of the token, which is read again',
      'by token',
      // what every token begins with
      'eyJ',
      () => ({ ...byToken(), oauth: undefined, token_file: tokenFile(-60) }),
      () => void tokenFile(3_600),
    ],
  ];

  it.each(MENDED)(
    'an engine says it again and again, and goes on when it is mended: %s',
    async (_name, principal, secret, security, mend) => {
      if (principal === 'mia') {
        await kafka.setPassword('mia', 'another password');
        await kafka.allow('mia', 'allowed-');
      }
      const config = configFile('LOGIN', security());
      const running = engine(config, false);
      const told = () => running.output.match(/no login at this broker; trying on slowly/g)?.length ?? 0;
      try {
        await running.until('it was told twice', () => told() >= 2, OUTPUT_MS_MAX);
        expect(running.output).toContain(`"principal":"${principal}"`);
        expect(running.output).not.toContain(secret);
        expect(running.output).not.toMatch(/lanes assigned/);
        await mend();
        await running.untilSays(/lanes assigned/, OUTPUT_MS_MAX);
        // both clients go on: the group's gave the lanes, the other one reads them
        await running.untilSays(/"events":[1-9]/, OUTPUT_MS_MAX);
        await running.stop(60_000);
      } finally {
        await running.kill();
      }
    },
    2 * OUTPUT_MS_MAX,
  );

  it('a topic that may not be seen, in words that name who must be given what', async () => {
    const config = loadConfig({
      file: configFile('LOGIN', byPassword('scram-sha-512'), 'others-events'),
      flags: {},
    });
    const log = createLog({ level: 'error', format: 'json', destination: { write: () => undefined } });
    const refusal = await connectTopic(config, log).then(
      () => null,
      (error: unknown) => String(error),
    );
    expect(refusal).toMatch(/^KAFKA_AUTH: .*topic=others-events principal=ann.* — grant it Read/);
  });

  it(
    'a topic that may be seen and not be read',
    async () => {
      await kafka.cluster.createTopic({ name: 'seen-events', partitions: 1 });
      await kafka.allow('ben', 'allowed-');
      await kafka.allowToSee('ben', 'seen-events');
      const config = configFile('LOGIN', byPassword('scram-sha-512', { username: 'ben' }), 'seen-events');
      const running = engine(config, false);
      try {
        await running.untilSays(
          /not allowed to read the partition|refuses our credentials or rights/,
          OUTPUT_MS_MAX,
        );
        expect(running.output).toMatch(/grant this principal Read/);
      } finally {
        await running.kill();
      }
    },
    OUTPUT_MS_MAX,
  );
});

/** What librdkafka gets to see with the same block; null: nothing. */
async function librdkafkaSees(config: string): Promise<{ topics: string[] | null; said: string[] }> {
  const { brokers, security } = loadBrokers({ file: config, flags: {} });
  const settings = {
    ...clientConfig(brokers, 'test'),
    ...accessOf(security).librdkafka,
    'group.id': 'allowed-look',
  };
  const consumer = createConsumer(settings);
  const said: string[] = [];
  consumer.on('event.error', (error) => said.push(failureOf(error).text));
  await connectClient(consumer, settings);
  try {
    const { topics } = await fetchMetadata(consumer, 3_000);
    return { topics: topics.map(({ name }) => name), said };
  } catch {
    return { topics: null, said };
  } finally {
    await new Promise<void>((resolve) => consumer.disconnect(() => resolve()));
  }
}
