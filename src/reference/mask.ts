import { createHmac } from 'node:crypto';
import type { CompiledModel, Field } from '../model/types.js';

/** What is kept of a value that says who somebody is: what it was never leaves parseEvent. */

/** Characters of a hash: half of SHA-256, which no two of a table's values share by chance. */
const HASH_CHARACTERS = 32;

/** Null: it was to be an IP address and is none. */
export function masked(text: string, mask: NonNullable<Field['mask']>, model: CompiledModel): string | null {
  if (mask === 'truncate_ip') return truncatedIp(text);
  const hmac = createHmac('sha256', model.maskSalt ?? Buffer.alloc(0));
  return hmac.update(text, 'utf8').digest('hex').slice(0, HASH_CHARACTERS);
}

/** The network of an address: of IPv4 its /24, also where it is written as IPv6, of IPv6 its /48. */
export function truncatedIp(text: string): string | null {
  const four = ipv4Bytes(text);
  if (four !== null) return `${four[0]}.${four[1]}.${four[2]}.0`;
  const groups = ipv6Groups(text);
  if (groups === null) return null;
  const [a, b, c, d, e, f, g, h] = groups as [number, number, number, number, number, number, number, number];
  if ((a | b | c | d | e) === 0 && f === 0xffff) return `${g >> 8}.${g & 255}.${h >> 8}.0`;
  const kept = c !== 0 ? [a, b, c] : b !== 0 ? [a, b] : a !== 0 ? [a] : [];
  return `${kept.map((group) => group.toString(16)).join(':')}::`;
}

const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

function ipv4Bytes(text: string): number[] | null {
  const bytes = IPV4.exec(text)?.slice(1).map(Number);
  return bytes === undefined || bytes.some((byte) => byte > 255) ? null : bytes;
}

/** All eight of them. */
function ipv6Groups(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const parts = halves.map((half) => (half === '' ? [] : half.split(':')));
  const last = parts.at(-1)!;
  const four = ipv4Bytes(last.at(-1) ?? '');
  if (four !== null) {
    const [a, b, c, d] = four as [number, number, number, number];
    last.splice(-1, 1, ((a << 8) | b).toString(16), ((c << 8) | d).toString(16));
  }
  if (parts.flat().some((part) => !/^[0-9a-fA-F]{1,4}$/.test(part))) return null;
  const [head, tail] = parts.map((half) => half.map((part) => Number.parseInt(part, 16)));
  if (tail === undefined) return head!.length === 8 ? head! : null;
  const missing = 8 - head!.length - tail.length;
  return missing < 1 ? null : [...head!, ...new Array<number>(missing).fill(0), ...tail];
}
