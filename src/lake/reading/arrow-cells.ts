import { type Data, DataType, TimeUnit } from 'apache-arrow';
import type { Cell, CellType } from './cell.js';

/**
 * Arrow's columns → cells. By the buffers, since apache-arrow's own getters drop a leading BOM of texts and make floating-point
 * numbers of times. What a file has may be another of the types that Parquet has for the table's: integers of another width,
 * times of another unit, texts with long offsets or behind a dictionary.
 */
export type CellReader = (row: number) => Cell;

/** Throws Error when the file's type can't be what the table says. */
export function cellReader(type: CellType, data: Data): CellReader {
  const read = DataType.isDictionary(data.type) ? dictionaryReader(type, data) : valueReader(type, data);
  if (data.nullCount === 0) return read;
  const { nullBitmap, offset } = data;
  return (row) => (bitAt(nullBitmap, offset + row) ? read(row) : null);
}

function dictionaryReader(type: CellType, data: Data): CellReader {
  const keys = data.values as ArrayLike<number | bigint>;
  const chunks = (data.dictionary?.data ?? []).map((chunk) => ({
    rows: chunk.length,
    read: cellReader(type, chunk as Data),
  }));
  return (row) => {
    let key = Number(keys[row]);
    for (const { rows, read } of chunks) {
      if (key < rows) return read(key);
      key -= rows;
    }
    throw new Error('a value is not in its dictionary');
  };
}

function valueReader(type: CellType, data: Data): CellReader {
  const is = data.type as DataType;
  // a column of nothing but nulls may have no type of its own
  if (DataType.isNull(is)) return () => null;
  const values = data.values as ArrayLike<number | bigint>;
  switch (type.kind) {
    case 'string':
      if (DataType.isUtf8(is) || DataType.isLargeUtf8(is)) return textReader(data);
      break;
    case 'binary':
      if (DataType.isBinary(is) || DataType.isLargeBinary(is)) return bytesReader(data);
      break;
    case 'byte':
    case 'short':
    case 'integer':
      if (DataType.isInt(is)) return (row) => Number(values[row]);
      break;
    case 'long':
      if (DataType.isInt(is)) return (row) => BigInt(values[row]!);
      break;
    case 'float':
    case 'double':
      // half floats would need a conversion, and Parquet has none
      if (DataType.isFloat(is)) return (row) => values[row]! as number;
      break;
    case 'boolean':
      if (DataType.isBool(is)) {
        const { offset } = data;
        return (row) => bitAt(data.values as Uint8Array, offset + row);
      }
      break;
    case 'date':
      if (DataType.isDate(is) && values instanceof Int32Array) return (row) => values[row]!;
      break;
    case 'timestamp':
      if (DataType.isTimestamp(is)) return microsReader(values as BigInt64Array, is.unit);
      break;
    case 'decimal':
      if (DataType.isDecimal(is) && is.scale === type.scale) return decimalReader(data, type.scale);
      break;
    case 'array':
      if (DataType.isList(is) || DataType.isLargeList(is)) return listReader(type.element, data);
      break;
    case 'map':
      if (DataType.isMap(is)) {
        const entry: CellType = {
          kind: 'struct',
          fields: [
            { name: data.children[0]!.type.children[0]!.name, type: type.key },
            { name: data.children[0]!.type.children[1]!.name, type: type.value },
          ],
        };
        return listReader(entry, data);
      }
      break;
    case 'struct':
      if (DataType.isStruct(is)) return structReader(type.fields, data);
      break;
  }
  throw new Error(`it is ${is} in the file`);
}

function textReader(data: Data): CellReader {
  const { at, bytes } = variable(data);
  return (row) => bytes.toString('utf8', at(row), at(row + 1));
}

function bytesReader(data: Data): CellReader {
  const { at, bytes } = variable(data);
  return (row) => new Uint8Array(bytes.subarray(at(row), at(row + 1)));
}

function variable(data: Data): { at(row: number): number; bytes: Buffer } {
  const values = data.values as Uint8Array;
  const ends = data.valueOffsets as ArrayLike<number | bigint>;
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return { bytes, at: (row) => Number(ends[row]) };
}

function microsReader(values: BigInt64Array, unit: TimeUnit): CellReader {
  switch (unit) {
    case TimeUnit.SECOND:
      return (row) => values[row]! * 1_000_000n;
    case TimeUnit.MILLISECOND:
      return (row) => values[row]! * 1_000n;
    case TimeUnit.MICROSECOND:
      return (row) => values[row]!;
    case TimeUnit.NANOSECOND:
      return (row) => floorBy1000(values[row]!);
  }
}

function floorBy1000(value: bigint): bigint {
  const rest = ((value % 1_000n) + 1_000n) % 1_000n;
  return (value - rest) / 1_000n;
}

/** Four words of 32 bits a value, the lowest first. */
function decimalReader(data: Data, scale: number): CellReader {
  const words = data.values as Uint32Array;
  return (row) => {
    let unscaled = 0n;
    for (let word = 3; word >= 0; word--) unscaled = (unscaled << 32n) | BigInt(words[row * 4 + word]!);
    return decimalText(BigInt.asIntN(128, unscaled), scale);
  };
}

export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = scale === 0 ? '' : `.${digits.slice(digits.length - scale)}`;
  return `${unscaled < 0n ? '-' : ''}${whole}${fraction}`;
}

function listReader(element: CellType, data: Data): CellReader {
  const child = data.children[0]!;
  const read = cellReader(element, child as Data);
  const ends = data.valueOffsets as ArrayLike<number | bigint>;
  return (row) => {
    const items: Cell[] = [];
    for (let item = Number(ends[row]); item < Number(ends[row + 1]); item++) items.push(read(item));
    return items;
  };
}

function structReader(fields: readonly { name: string; type: CellType }[], data: Data): CellReader {
  const names = data.type.children.map(({ name }: { name: string }) => name);
  const readers = fields.map(({ name, type }): CellReader => {
    const at = names.indexOf(name);
    // a field that was added later
    return at < 0 ? () => null : cellReader(type, data.children[at] as Data);
  });
  return (row) => readers.map((read) => read(row));
}

function bitAt(bits: Uint8Array, at: number): boolean {
  return ((bits[at >> 3]! >> (at & 7)) & 1) === 1;
}
