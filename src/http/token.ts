import { readFileSync } from 'node:fs';
import { HeadraceError, messageOf } from '../errors.js';

const TOKEN_LENGTH_MIN = 16;

/** The token in a file, without the line's end. Throws CONFIG_INVALID, which never says what is in the file. `setBy`: what names it. */
export function readToken(file: string, setBy = 'http.token_file'): string {
  const where = { path: file };
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new HeadraceError('CONFIG_INVALID', `${setBy} can not be read: ${messageOf(error)}`, {
      where,
    });
  }
  if (token.length >= TOKEN_LENGTH_MIN && /^[A-Za-z0-9+/=._~-]+$/.test(token)) return token;
  throw new HeadraceError('CONFIG_INVALID', `${setBy} holds no token`, {
    where,
    remedy: `write at least ${TOKEN_LENGTH_MIN} letters, digits or any of + / = . _ ~ - on one line, such as by: openssl rand -base64 24`,
  });
}
