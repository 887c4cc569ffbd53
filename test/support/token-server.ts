import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A token server on loopback: client credentials in, signed tokens (JWT, RS256) out. */

const ISSUER = 'https://tokens.test';
const AUDIENCE = 'kafka';
const KEY_ID = 'one';

export class TokenServer {
  readonly #server: Server;
  readonly #client: { id: string; secret: string };
  readonly #key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  /** Of the tokens it gives. */
  lifetimeSeconds = 3_600;
  /** How many it gave. */
  given = 0;
  /** The last one. */
  newest = '';
  /** What it was asked with, without the secret. */
  readonly scopes: (string | null)[] = [];

  private constructor(client: { id: string; secret: string }) {
    this.#client = client;
    this.#server = createServer((request, answer) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        const form = new URLSearchParams(body);
        const { id, secret } = this.#client;
        const expected = `Basic ${Buffer.from(`${id}:${encodeURIComponent(secret)}`).toString('base64')}`;
        const reply = (status: number, value: object) =>
          answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
        if (request.headers.authorization !== expected) return reply(401, { error: 'invalid_client' });
        if (form.get('grant_type') !== 'client_credentials')
          return reply(400, { error: 'unsupported_grant_type' });
        this.scopes.push(form.get('scope'));
        this.given += 1;
        this.newest = this.token(id, this.lifetimeSeconds);
        return reply(200, {
          access_token: this.newest,
          token_type: 'Bearer',
          expires_in: this.lifetimeSeconds,
        });
      });
    });
  }

  static async start(client: { id: string; secret: string }): Promise<TokenServer> {
    const server = new TokenServer(client);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  /** What brokers verify its tokens by. */
  get keySet(): string {
    const key = this.#key.publicKey.export({ format: 'jwk' });
    return JSON.stringify({ keys: [{ ...key, kid: KEY_ID, use: 'sig', alg: 'RS256' }] });
  }

  static readonly issuer = ISSUER;
  static readonly audience = AUDIENCE;

  /** One for `subject`; negative: it expired so long ago. */
  token(subject: string, lifetimeSeconds: number): string {
    return signed(claimsOf(subject, lifetimeSeconds), this.#key.privateKey);
  }

  /** As good as one of ours in all but who signed it: another key that goes by the name of ours, or nobody. */
  forgedToken(subject: string, signer: 'another' | 'nobody'): string {
    const claims = claimsOf(subject, 3_600);
    if (signer === 'nobody') return `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`;
    return signed(claims, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function claimsOf(subject: string, lifetimeSeconds: number): object {
  const nowS = Math.floor(Date.now() / 1_000);
  const issuedS = Math.min(nowS, nowS + lifetimeSeconds - 1);
  const times = { iat: issuedS, exp: nowS + lifetimeSeconds };
  return { iss: ISSUER, aud: AUDIENCE, sub: subject, ...times, scope: 'read' };
}

function signed(claims: object, key: KeyObject): string {
  const text = `${part({ alg: 'RS256', typ: 'JWT', kid: KEY_ID })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
