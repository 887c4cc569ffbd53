import { readFileSync } from 'node:fs';
import { HeadraceError } from '../../errors.js';

/** Files that `kafka.security` names. What is wrong with one is CONFIG_INVALID, and never shows what is in it. */

const FILE_BYTES_MAX = 1 << 20;
const SECRET_BYTES_MAX = 8_192;

/** One line, as it is but for the end of the line. */
export function secretIn(setting: string, file: string): string {
  const secret = textIn(setting, file).replace(/\r?\n$/, '');
  if (/^[^\r\n\0]+$/.test(secret) && secret.length <= SECRET_BYTES_MAX) return secret;
  throw unfit(setting, file, secret === '' ? 'is empty' : 'is more than one line', {
    remedy: 'write the secret alone into it, on one line',
  });
}

/** Several lines between BEGIN and END. `what` as in PEM: CERTIFICATE, PRIVATE KEY. */
export function pemIn(setting: string, file: string, what: string): string {
  const text = textIn(setting, file);
  if (new RegExp(`-----BEGIN [A-Z ]*${what}-----`).test(text)) return text;
  throw unfit(setting, file, `holds no ${what} in PEM`, {
    remedy: `openssl writes PEM; it has a line -----BEGIN ${what}-----`,
  });
}

export function unfit(
  setting: string,
  file: string,
  what: string,
  { remedy, cause }: { remedy: string; cause?: unknown },
): HeadraceError {
  return new HeadraceError('CONFIG_INVALID', `${setting}: the file ${what}`, {
    where: { path: file },
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}

function textIn(setting: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `can't be read (${code})`;
    const remedy = 'give this user the right to read it, or name another file';
    throw unfit(setting, file, why, { remedy });
  }
  if (text.length <= FILE_BYTES_MAX) return text;
  throw unfit(setting, file, 'is larger than 1MiB', { remedy: 'name the file that holds it alone' });
}
