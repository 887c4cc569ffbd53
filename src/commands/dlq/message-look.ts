import { Unpackr } from 'msgpackr';
import { decompressFrame } from '../../reference/lz4-frame.js';

/** MessagePack for people: what the library makes of it, in the words that JSON has. */

const UNPACKED_BYTES_MAX = 256 * 2 ** 20;
const LZ4_MAGIC = Buffer.of(0x04, 0x22, 0x4d, 0x18);

/** Null: the bytes begin no map, array or record, or can't be read to their end. */
export function tryMessage(value: Uint8Array): { event: unknown; format: string } | null {
  const isFrame = LZ4_MAGIC.equals(value.subarray(0, 4));
  try {
    const bytes = isFrame ? decompressFrame(value, UNPACKED_BYTES_MAX) : value;
    if (!beginsMessage(bytes)) return null;
    const event = plain(new Unpackr({ int64AsType: 'bigint', mapsAsObjects: true }).unpack(bytes));
    return { event, format: isFrame ? 'MessagePack in an LZ4 frame' : 'MessagePack' };
  } catch {
    return null;
  }
}

function beginsMessage(bytes: Uint8Array): boolean {
  const [first = 0, second] = bytes;
  const isSmall = first >= 0x80 && first < 0xa0;
  const isRecord = (first === 0xd4 || first === 0xd5) && second === 0x72;
  return isSmall || isRecord || (first >= 0xdc && first <= 0xdf);
}

/** JSON knows neither times nor bytes, nor whole numbers beyond 2^53. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value === undefined || typeof value !== 'object' || value === null) return value ?? null;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no time' : value.toISOString();
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Set) return [...value].map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
