import { type Disposition, HeadraceError, messageOf } from '../errors.js';

/**
 * What somebody hands to the log → what may be written: secrets struck out, errors on one line, bigints as numbers,
 * bytes as their length, depth and length bounded.
 */

export const REDACTED = '[redacted]';

/** `key` alone is a session's key and belongs into the log; with a word before it, it is one that opens something. */
const SECRET =
  /passw(or)?d|passphrase|secret|token|credential|authorization|cookie|jaas|(api|access|private|account|encryption|ssl|signing)[._-]?key/i;

const DEPTH_MAX = 6;
const ITEMS_MAX = 100;
const TEXT_MAX = 4_096;

export function looksSecret(name: string): boolean {
  return SECRET.test(name);
}

/** A copy of the fields that is safe to write. `stacks`: add the stacks of errors. */
export function plainFields(
  fields: Readonly<Record<string, unknown>>,
  stacks: boolean,
): Record<string, unknown> {
  const plain = plainMap(fields, 0);
  for (const [name, value] of Object.entries(fields)) {
    if (stacks && value instanceof Error && value.stack !== undefined) plain[`${name}_stack`] = value.stack;
  }
  return plain;
}

function plainMap(map: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(map).slice(0, ITEMS_MAX)) {
    if (value === undefined) continue;
    plain[name] = looksSecret(name) ? REDACTED : plainValue(value, depth + 1);
  }
  return plain;
}

function plainValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value;
    case 'bigint':
      // exact as a number or as text, never rounded
      return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    case 'function':
    case 'symbol':
      return `<${typeof value}>`;
    case 'object':
      return value === null ? null : plainObject(value, depth);
    default:
      return value;
  }
}

function plainObject(value: object, depth: number): unknown {
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (depth >= DEPTH_MAX) return '…';
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => plainValue(item, depth + 1));
  if (value instanceof Map) return plainMap(Object.fromEntries(value), depth);
  if (value instanceof Set) return plainObject([...value], depth);
  return plainMap(value as Record<string, unknown>, depth);
}

const NOW: Readonly<Record<Disposition, string>> = {
  retry: 'trying again',
  skip: 'left out, going on',
  fence: 'the lane is given up, others go on',
  halt: 'the lane stands still, others go on',
  exit: 'the engine ends',
};

/** An error on one line: what, where, what the engine does now, what you can do. */
export function describeError(error: unknown): string {
  if (!(error instanceof HeadraceError)) return messageOf(error);
  const where = Object.entries(error.where)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${looksSecret(key) ? REDACTED : value}`);
  const place = where.length === 0 ? '' : ` (${where.join(' ')})`;
  const cause = error.cause === undefined ? '' : `: ${messageOf(error.cause)}`;
  const remedy = error.remedy === undefined ? '' : ` — ${error.remedy}`;
  const line = `${error.code}: ${error.message}${cause}${place}; ${NOW[error.disposition]}${remedy}`;
  return line.replace(/\s*\n\s*/g, ' ');
}
