import { pbkdf2Sync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admin, alterUserScramCredentialsV0, Connection } from '@platformatic/kafka';
import { type KafkaCluster, startKafkaCluster } from './kafka-cluster.js';
import { type SelfSigned, selfSigned } from './self-signed.js';
import { TokenServer } from './token-server.js';

/**
 * A real broker with a listener for each way in, and for each way that must fail, and with rights by principal:
 *
 * | listener | certificate |
 * |---|---|
 * | LOGIN | of the authority; SASL: SCRAM-SHA-256 and -512, PLAIN, OAUTHBEARER (tokens of `tokens`) |
 * | NOPLAIN | the same, SCRAM-SHA-512 only |
 * | MUTUAL | of the authority; asks for one of the authority's |
 * | EXPIRED, OTHERHOST | of the authority, but expired, or for another address |
 * | SELFSIGNED | vouches for itself |
 */
export const PASSWORD = 'pass,word=with "signs" and ünïcode';
export const CLIENT_SECRET = 'client/secret+with:signs';
const USERS = ['ann', 'ben'];
const REAUTH_MS_MAX = 10_000;

export class SecureKafka {
  readonly folder: string;
  readonly authority: SelfSigned & { subject: string };
  readonly tokens: TokenServer;
  #cluster!: KafkaCluster;

  private constructor(tokens: TokenServer) {
    this.folder = mkdtempSync(join(tmpdir(), 'headrace-secure-kafka-'));
    this.authority = { ...selfSigned({ subject: 'authority' }), subject: 'authority' };
    this.tokens = tokens;
  }

  static async start(): Promise<SecureKafka> {
    const tokens = await TokenServer.start({ id: 'engine-client', secret: CLIENT_SECRET });
    const secure = new SecureKafka(tokens);
    try {
      await secure.#start();
      return secure;
    } catch (error) {
      await secure.stop();
      throw error;
    }
  }

  get cluster(): KafkaCluster {
    return this.#cluster;
  }

  addressOf(listener: string): string {
    return this.#cluster.bootstrapOf(listener);
  }

  /** A file in the folder; gives its path. */
  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** A certificate of the authority's with its key, as two files. */
  certificate(subject: string, options: { validDays?: number } = {}): { cert: string; key: string } {
    const { cert, key } = selfSigned({ subject, issuer: this.authority, ...options });
    return { cert: this.file(`${subject}.crt`, cert), key: this.file(`${subject}.key`, key) };
  }

  async stop(): Promise<void> {
    await (this.#cluster as KafkaCluster | undefined)?.stop();
    await this.tokens.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    this.file('ca.pem', this.authority.cert);
    const keySet = this.file('keys.json', this.tokens.keySet);
    const issuer = this.authority;
    this.#cluster = await startKafkaCluster({
      brokers: 1,
      listeners: {
        LOGIN: 'SASL_SSL',
        NOPLAIN: 'SASL_SSL',
        MUTUAL: 'SSL',
        EXPIRED: 'SSL',
        OTHERHOST: 'SSL',
        SELFSIGNED: 'SSL',
      },
      javaOptions: [
        ...['-Xms64m', '-Xmx512m', '-XX:-UseG1GC', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
        `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${keySet}`,
        `-Dorg.apache.kafka.sasl.oauthbearer.allowed.files=${keySet}`,
      ],
      properties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        // the plain listener, which the test's own clients and the controller use
        'super.users': 'User:ANONYMOUS',
        'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER',
        ...this.#keys('login', selfSigned({ subject: 'broker', issuer })),
        ...this.#keys('noplain', selfSigned({ subject: 'broker', issuer })),
        ...this.#keys('mutual', selfSigned({ subject: 'broker', issuer })),
        ...this.#keys('expired', selfSigned({ subject: 'broker', issuer, validDays: -1 })),
        ...this.#keys('otherhost', selfSigned({ subject: 'broker', issuer, address: [127, 0, 0, 9] })),
        ...this.#keys('selfsigned', selfSigned({ subject: 'broker' })),
        'listener.name.mutual.ssl.client.auth': 'required',
        'listener.name.noplain.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
        'listener.name.noplain.scram-sha-512.sasl.jaas.config': `${MODULE}scram.ScramLoginModule required;`,
        'listener.name.login.scram-sha-256.sasl.jaas.config': `${MODULE}scram.ScramLoginModule required;`,
        'listener.name.login.scram-sha-512.sasl.jaas.config': `${MODULE}scram.ScramLoginModule required;`,
        'listener.name.login.plain.sasl.jaas.config': `${MODULE}plain.PlainLoginModule required ${USERS.map(
          (user) => `user_${user}="${escaped(PASSWORD)}"`,
        ).join(' ')};`,
        ...oauth(keySet),
      },
    });
    for (const user of USERS) await this.setPassword(user, PASSWORD);
  }

  #keys(listener: string, { cert, key }: SelfSigned): Record<string, string> {
    const prefix = `listener.name.${listener}.ssl`;
    return {
      [`${prefix}.keystore.type`]: 'PEM',
      [`${prefix}.keystore.location`]: this.file(`${listener}.pem`, `${key}${cert}`),
      [`${prefix}.truststore.type`]: 'PEM',
      [`${prefix}.truststore.location`]: join(this.folder, 'ca.pem'),
    };
  }

  /** Of a user who logs in by SCRAM; one that is not there yet is made. */
  async setPassword(name: string, password: string): Promise<void> {
    const salt = Buffer.from('a salt of its own');
    const of = (mechanism: number, bytes: number, digest: string) => ({
      name,
      mechanism,
      iterations: 4_096,
      salt,
      saltedPassword: pbkdf2Sync(password, salt, 4_096, bytes, digest),
    });
    const connection = new Connection('secure-kafka');
    const [broker] = this.#cluster.brokers;
    await connection.connect(broker!.host, broker!.port);
    // a user is named once a request
    for (const credentials of [of(1, 32, 'sha256'), of(2, 64, 'sha512')])
      await alterUserScramCredentialsV0.api.async(connection, [], [credentials]);
    await connection.close();
  }

  /** Everything with these topics and groups, and nothing else. */
  allow(principal: string, prefix: string): Promise<void> {
    return this.#grant(principal, prefix, [TOPIC, GROUP], ALL);
  }

  allowToSee(principal: string, topic: string): Promise<void> {
    return this.#grant(principal, topic, [TOPIC], DESCRIBE);
  }

  async #grant(principal: string, prefix: string, kinds: number[], operation: number): Promise<void> {
    const admin = new Admin({
      clientId: 'secure-kafka',
      bootstrapBrokers: this.#cluster.brokers.map(({ host, port }) => ({ host, port })),
    });
    // 4: prefixed; 3: allow
    const right = (resourceType: number) => ({
      resourceType,
      resourceName: prefix,
      resourcePatternType: 4,
      principal: `User:${principal}`,
      host: '*',
      operation,
      permissionType: 3,
    });
    await admin.createAcls({ creations: kinds.map(right) as never });
    await admin.close();
  }
}

/** As Kafka counts resource types and operations. */
const [TOPIC, GROUP, ALL, DESCRIBE] = [2, 3, 2, 8];

const MODULE = 'org.apache.kafka.common.security.';

/** Within quotes of a JAAS configuration, in a file of properties. */
function escaped(text: string): string {
  return text
    .replace(/"/g, '\\\\"')
    .replace(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function oauth(keySet: string): Record<string, string | number> {
  const prefix = 'listener.name.login.oauthbearer';
  return {
    [`${prefix}.sasl.jaas.config`]: `${MODULE}oauthbearer.OAuthBearerLoginModule required;`,
    [`${prefix}.sasl.server.callback.handler.class`]: `${MODULE}oauthbearer.OAuthBearerValidatorCallbackHandler`,
    // Kafka 4.1's default takes signatures unseen, also where there are keys to verify them by; and it asks for this without the mechanism
    'listener.name.login.sasl.oauthbearer.jwt.validator.class': `${MODULE}oauthbearer.BrokerJwtValidator`,
    [`${prefix}.sasl.oauthbearer.jwks.endpoint.url`]: `file://${keySet}`,
    [`${prefix}.sasl.oauthbearer.expected.issuer`]: TokenServer.issuer,
    [`${prefix}.sasl.oauthbearer.expected.audience`]: TokenServer.audience,
    // whoever does not renew the login in time is thrown out
    [`${prefix}.connections.max.reauth.ms`]: REAUTH_MS_MAX,
  };
}
