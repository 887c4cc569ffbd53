import { readFile } from 'node:fs/promises';
import type { Clock } from '../../clock.js';
import { HeadraceError, messageOf } from '../../errors.js';

/** Bearer tokens (SASL OAUTHBEARER): what is known of one, and where the next comes from. What fails is KAFKA_AUTH. */

export interface Token {
  /** Secret. */
  readonly value: string;
  /** Whom it is for, as far as it says. */
  readonly principal: string;
  /** When it ends; what does not say is taken to be good for a while. */
  readonly expiresMs: number;
  readonly issuedMs: number;
}

/** Of a token that does not say: it is asked for again after four fifths of this. */
const UNKNOWN_LIFETIME_MS = 300_000;
const TOKEN_BYTES_MAX = 65_536;

/** `lifetimeMs`: as its giver said, where the token itself does not. */
export function tokenOf(value: string, nowMs: number, lifetimeMs = UNKNOWN_LIFETIME_MS): Token {
  const { exp, sub } = claimsOf(value);
  const expiresMs = typeof exp === 'number' && exp > 0 ? exp * 1_000 : nowMs + lifetimeMs;
  return { value, principal: typeof sub === 'string' ? sub : '', expiresMs, issuedMs: nowMs };
}

/** Of a JWT, which is not verified here: that is the brokers' business. */
function claimsOf(value: string): { exp?: unknown; sub?: unknown } {
  const [, payload, signature] = value.split('.');
  if (payload === undefined || signature === undefined) return {};
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}

/** The token in a file, which somebody else keeps fresh. */
export function tokenInFile(file: string, clock: Clock): () => Promise<Token> {
  return async () => {
    const refused = (what: string, remedy: string) =>
      new HeadraceError('KAFKA_AUTH', `kafka.security.token_file ${what}`, { where: { path: file }, remedy });
    let text: string;
    try {
      text = (await readFile(file, 'utf8')).trim();
    } catch (error) {
      throw refused(
        `can't be read: ${messageOf(error)}`,
        'have it written before its time, readable for this user; it is read again soon',
      );
    }
    if (!/^[\x21-\x7e]+$/.test(text) || text.length > TOKEN_BYTES_MAX) {
      throw refused('does not hold a token and nothing else', 'write the token alone into it, on one line');
    }
    const nowMs = clock.nowMs();
    const token = tokenOf(text, nowMs);
    if (token.expiresMs > nowMs) return token;
    throw refused(
      `holds a token that expired at ${new Date(token.expiresMs).toISOString()}`,
      'have whoever writes it write a fresh one; it is read again soon',
    );
  };
}

/**
 * One token for all connections of a process, until a fifth of its time is left. A new one that can't be had does not end the
 * time of the old one.
 */
export class KeptToken {
  readonly #ask: () => Promise<Token>;
  readonly #clock: Clock;
  #token: Token | null = null;
  #asking: Promise<Token> | null = null;

  constructor(ask: () => Promise<Token>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  async get(): Promise<Token> {
    const token = this.#token;
    if (token !== null && this.#clock.nowMs() < renewalMs(token)) return token;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    try {
      this.#token = await this.#asking;
      return this.#token;
    } catch (error) {
      if (token !== null && this.#clock.nowMs() < token.expiresMs) return token;
      throw error;
    }
  }
}

function renewalMs({ issuedMs, expiresMs }: Token): number {
  return expiresMs - (expiresMs - issuedMs) / 5;
}
