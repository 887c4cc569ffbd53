import type { IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '../../clock.js';
import type { KafkaOauthConfig } from '../../config/types.js';
import { HeadraceError, messageOf } from '../../errors.js';
import { pemIn, secretIn } from './secret-file.js';
import { type Token, tokenOf } from './token.js';

/**
 * Tokens by OAuth 2 client credentials (RFC 6749, 4.4), asked for by ourselves and not by librdkafka, so that both clients have the
 * same one. The client's secret is read each time, so it may be replaced while the engine runs.
 */

const ANSWER_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 1 << 20;

/** Throws CONFIG_INVALID for files that are no good. The answer rejects with KAFKA_AUTH. */
export function tokensAskedFor(oauth: KafkaOauthConfig, clock: Clock): () => Promise<Token> {
  const ca =
    oauth.caFile === null ? undefined : pemIn('kafka.security.oauth.ca_file', oauth.caFile, 'CERTIFICATE');
  const secretSetting = 'kafka.security.oauth.client_secret_file';
  secretIn(secretSetting, oauth.clientSecretFile);
  return async () => {
    const secret = secretIn(secretSetting, oauth.clientSecretFile);
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    if (oauth.scope !== null) form.set('scope', oauth.scope);
    const refused = (what: string, remedy: string) =>
      new HeadraceError('KAFKA_AUTH', what, {
        where: { url: oauth.tokenUrl, client: oauth.clientId },
        remedy,
      });
    const answer = await post(oauth.tokenUrl, form.toString(), basic(oauth.clientId, secret), ca).catch(
      (error: unknown) => {
        throw refused(
          `no token: ${messageOf(error)}`,
          'check kafka.security.oauth.token_url, and that it is reached from here; it is asked again soon',
        );
      },
    );
    const said = parsed(answer.body);
    if (answer.status !== 200) {
      const word = typeof said.error === 'string' ? ` (${said.error.slice(0, 80)})` : '';
      throw refused(
        `no token: the token server answers ${answer.status}${word}`,
        'check kafka.security.oauth: client_id, client_secret_file and scope; it is asked again soon',
      );
    }
    if (typeof said.access_token !== 'string' || !/^[\x21-\x7e]+$/.test(said.access_token)) {
      throw refused('no token: the answer holds none', 'is kafka.security.oauth.token_url a token endpoint?');
    }
    const seconds = Number(said.expires_in);
    const token = tokenOf(said.access_token, clock.nowMs(), seconds > 0 ? seconds * 1_000 : undefined);
    return token.principal === '' ? { ...token, principal: oauth.clientId } : token;
  };
}

/** As RFC 6749, 2.3.1 has it: both encoded as in a form. */
function basic(client: string, secret: string): string {
  const encoded = (text: string) => encodeURIComponent(text).replaceAll('%20', '+');
  return `Basic ${Buffer.from(`${encoded(client)}:${encoded(secret)}`).toString('base64')}`;
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function post(
  url: string,
  body: string,
  authorization: string,
  ca: string | undefined,
): Promise<{ status: number; body: string }> {
  const headers = {
    authorization,
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(body),
  };
  // a connection of its own: a kept one may have been closed by the other side since
  const options = { method: 'POST', headers, agent: false, signal: AbortSignal.timeout(ANSWER_MS_MAX) };
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES_MAX) answer.destroy(new Error('the answer is far too long'));
      });
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
    };
    const request = url.startsWith('https:')
      ? requestHttps(url, { ...options, ...(ca === undefined ? {} : { ca }) }, onAnswer)
      : requestHttp(url, options, onAnswer);
    request.on('error', reject);
    request.end(body);
  });
}
