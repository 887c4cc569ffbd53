import type { Cell, CellType } from './cell.js';

/** A partition's value as the log has it → a cell. An empty text is null, as the protocol says. Throws Error when it is none. */
export function partitionCell(type: CellType, text: string | null | undefined): Cell {
  if (text == null || text === '') return null;
  const cell = parseCell(type, text);
  if (cell === undefined) throw new Error(`its partition value ${JSON.stringify(text)} is no ${type.kind}`);
  return cell;
}

/**
 * A value as text, in the log or as a person types it. Times without a zone are UTC, with `T` or a space. Undefined: it is none of
 * the type.
 */
export function parseCell(type: CellType, text: string): Exclude<Cell, null> | undefined {
  switch (type.kind) {
    case 'string':
      return text;
    case 'byte':
    case 'short':
    case 'integer':
      return /^-?\d{1,10}$/.test(text) ? Number(text) : undefined;
    case 'long':
      return /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
    case 'float':
    case 'double':
      return numberOf(text);
    case 'decimal':
      return decimalOf(text, type.scale);
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined;
    case 'date':
      return dateOf(text);
    case 'timestamp':
      return microsOf(text);
    case 'binary':
      return new Uint8Array(Buffer.from(text, 'latin1'));
    default:
      return undefined;
  }
}

function numberOf(text: string): number | undefined {
  const named = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity }[text];
  if (named !== undefined) return named;
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? undefined : value;
}

function decimalOf(text: string, scale: number): string | undefined {
  const match = /^([+-]?)0*(\d+)(?:\.(\d*))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ''] = match;
  if (fraction.slice(scale).replaceAll('0', '') !== '') return undefined;
  const digits = fraction.slice(0, scale).padEnd(scale, '0');
  const value = scale === 0 ? whole! : `${whole}.${digits}`;
  return sign === '-' && /[1-9]/.test(value) ? `-${value}` : value;
}

const DAY_MS = 86_400_000;

function dateOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text)) return undefined;
  return ms / DAY_MS;
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?)?$/i;

function microsOf(text: string): bigint | undefined {
  const match = TIME.exec(text);
  if (match === null || dateOf(match[1]!) === undefined) return undefined;
  const [, date, time = '00:00:00', fraction = '', zone = 'Z'] = match;
  const offset = zone.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const seconds = Date.parse(`${date}T${time}${offset}`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}
