import { type Data, DataType } from 'apache-arrow';

/**
 * Values of table columns in one form, whichever reader they come from, so that readers can be held against each other:
 *
 *   whole numbers, decimals       decimal text (decimals without zeros at their end)
 *   float, double                 text; −0 and 0 differ
 *   boolean, date, string         text; binary as base64
 *   timestamp                     microseconds since 1970, decimal text
 *   array                         array
 *   nothing                       null
 */
export type Canonical = string | null | Canonical[];

export type ColumnType = string | { type: string; elementType?: unknown };

export function elementOf(type: ColumnType): ColumnType | null {
  return typeof type === 'object' && type.type === 'array' ? (type.elementType as ColumnType) : null;
}

/** Of a value as delta-rs.ts and chDB's JSON give it. */
export function canonical(type: ColumnType, value: unknown): Canonical {
  if (value === null || value === undefined) return null;
  const element = elementOf(type);
  if (element !== null) return (value as unknown[]).map((each) => canonical(element, each));
  if (type === 'float' || type === 'double') return floatText(value as number);
  if (typeof type === 'string' && type.startsWith('decimal')) return decimalText(String(value));
  return String(value);
}

/** From Arrow's buffers: apache-arrow's own getters drop a leading BOM and round times to milliseconds. */
export function canonicalOfArrow(data: Data, at: number): Canonical {
  if (!data.getValid(at)) return null;
  const type = data.type as DataType;
  if (DataType.isDictionary(type)) {
    let index = Number(data.values[at]);
    for (const chunk of data.dictionary!.data) {
      if (index < chunk.length) return canonicalOfArrow(chunk, index);
      index -= chunk.length;
    }
    throw new Error('an entry beyond its dictionary');
  }
  if (DataType.isList(type)) {
    const [from, to] = [Number(data.valueOffsets[at]), Number(data.valueOffsets[at + 1])];
    return Array.from({ length: to - from }, (_, item) => canonicalOfArrow(data.children[0]!, from + item));
  }
  if (DataType.isBool(type)) return String(((data.values[at >> 3] >> (at & 7)) & 1) === 1);
  if (DataType.isInt(type)) return String(data.values[at]);
  if (DataType.isFloat(type)) return floatText(data.values[at]);
  if (DataType.isTimestamp(type)) return String(inMicros(BigInt(data.values[at]), type.unit));
  if (DataType.isDate(type)) return new Date(Number(data.values[at]) * 86_400_000).toISOString().slice(0, 10);
  if (DataType.isDecimal(type)) return decimalOf(data.values, at, type.scale);
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return bytesAt(data, at).toString();
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return bytesAt(data, at).toString('base64');
  throw new Error(`no canonical form of ${type}`);
}

/** A partition's value: the log has it as text, whatever its type. */
export function canonicalOfPartition(type: ColumnType, text: string | null): Canonical {
  if (text === null || text === '') return null;
  if (type !== 'timestamp' && type !== 'timestamp_ntz') return canonical(type, text);
  const [, day, time, fraction = ''] = /^(\S+?)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?Z?$/.exec(text)!;
  return String(BigInt(Date.parse(`${day}T${time}Z`)) * 1_000n + BigInt(fraction.padEnd(6, '0')));
}

/** Selects a column in ClickHouse so that its JSON has the values whole. */
export function clickHouseExpression(type: ColumnType, name: string): string {
  const element = elementOf(type);
  if (element !== null) return `arrayMap(x -> ${clickHouseExpression(element, 'x')}, ${name})`;
  if (type === 'timestamp' || type === 'timestamp_ntz') return `toString(toUnixTimestamp64Micro(${name}))`;
  if (type === 'float' || type === 'double') return `toString(reinterpretAsUInt64(toFloat64(${name})))`;
  if (type === 'binary') return `base64Encode(${name})`;
  if (type === 'string' || type === 'boolean') return name;
  return `toString(${name})`;
}

/** Of what the expression gave. */
export function canonicalOfClickHouse(type: ColumnType, value: unknown): Canonical {
  if (value === null || value === undefined) return null;
  const element = elementOf(type);
  if (element !== null) return (value as unknown[]).map((each) => canonicalOfClickHouse(element, each));
  if (type !== 'float' && type !== 'double') return canonical(type, value);
  return floatText(new Float64Array(BigUint64Array.of(BigInt(value as string)).buffer)[0]!);
}

/** ClickHouse reads a list that is null as an empty one. */
export function withoutNullLists(type: ColumnType, value: Canonical): Canonical {
  return value === null && elementOf(type) !== null ? [] : value;
}

function floatText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function decimalText(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Four words a value, the lowest first. */
function decimalOf(words: Uint32Array, at: number, scale: number): string {
  let bits = 0n;
  for (let word = 3; word >= 0; word--) bits = (bits << 32n) | BigInt(words[4 * at + word]!);
  const value = BigInt.asIntN(128, bits);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const split = digits.length - scale;
  return decimalText(`${value < 0n ? '-' : ''}${digits.slice(0, split)}.${digits.slice(split)}`);
}

/** `unit`: of seconds, the times a thousand. */
function inMicros(value: bigint, unit: number): bigint {
  return unit <= 2 ? value * 1_000n ** BigInt(2 - unit) : value / 1_000n;
}

function bytesAt({ values, valueOffsets }: Data, at: number): Buffer {
  return Buffer.from((values as Uint8Array).subarray(Number(valueOffsets[at]), Number(valueOffsets[at + 1])));
}
