import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../errors.js';
import type { Complain, FieldsByName } from './fields.js';

/** What hashed values are mixed with, from a file of its own: who has only the table can't try out addresses. */

const SALT_BYTES_MIN = 16;
const SALT_BYTES_MAX = 4_096;

/** The file's bytes, without the line end that editors put behind them. `folder`: what its path starts from. */
export function readMaskSalt(
  path: string | undefined,
  fields: FieldsByName,
  folder: string,
  complain: Complain,
): Uint8Array | null {
  const hashed = [...fields.values()].find(({ mask }) => mask === 'hash');
  if (path === undefined) {
    if (hashed !== undefined) {
      complain(
        `fields.${hashed.path.join('.')}.mask`,
        'needs mask_salt_file, the path of a file with a secret',
      );
    }
    return null;
  }
  if (hashed === undefined) complain('mask_salt_file', 'is used by no field: none says mask: hash');
  try {
    const text = readFileSync(resolve(folder, path));
    let end = text.length;
    if (text[end - 1] === 0x0a) end -= text[end - 2] === 0x0d ? 2 : 1;
    if (end >= SALT_BYTES_MIN && end <= SALT_BYTES_MAX) return new Uint8Array(text.subarray(0, end));
    complain('mask_salt_file', `holds ${end} bytes; it takes ${SALT_BYTES_MIN} to ${SALT_BYTES_MAX}`);
  } catch (error) {
    complain('mask_salt_file', `can't be read: ${messageOf(error)}`);
  }
  return null;
}

/** What of a salt is in the hash of the model: enough to see that it is another one. */
export function saltDigest(salt: Uint8Array): string {
  return createHash('sha256').update('headrace mask salt').update(salt).digest('hex');
}
