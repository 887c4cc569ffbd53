import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Map_,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import type { Cell, CellColumn, CellType } from './cell.js';

/** Cells → an Arrow record batch, by the buffers, as they were read: rows that leave a table as Parquet again. */
export function arrowBatch(columns: readonly CellColumn[], rows: readonly (readonly Cell[])[]): RecordBatch {
  const schema = arrowSchemaOf(columns);
  const children = columns.map(({ type }, at) =>
    dataOf(
      type,
      rows.map((row) => row[at]!),
    ),
  );
  const struct = new Struct(schema.fields);
  return new RecordBatch(schema, makeData({ type: struct, length: rows.length, nullCount: 0, children }));
}

export function arrowSchemaOf(columns: readonly CellColumn[]): Schema {
  return new Schema(columns.map(({ name, type, nullable }) => new Field(name, arrowType(type), nullable)));
}

function arrowType(type: CellType): DataType {
  switch (type.kind) {
    case 'string':
      return new Utf8();
    case 'byte':
      return new Int8();
    case 'short':
      return new Int16();
    case 'integer':
      return new Int32();
    case 'long':
      return new Int64();
    case 'float':
      return new Float32();
    case 'double':
      return new Float64();
    case 'boolean':
      return new Bool();
    case 'date':
      return new DateDay();
    case 'timestamp':
      return new TimestampMicrosecond('UTC');
    case 'binary':
      return new Binary();
    case 'decimal':
      return new Decimal(type.scale, type.precision, 128);
    case 'array':
      return new List(new Field('element', arrowType(type.element), true));
    case 'map':
      return new Map_(entryField(type.key, type.value) as never);
    case 'struct':
      return new Struct(type.fields.map(({ name, type: of }) => new Field(name, arrowType(of), true)));
  }
}

function entryField(key: CellType, value: CellType): Field {
  const fields = [new Field('key', arrowType(key), false), new Field('value', arrowType(value), true)];
  return new Field('entries', new Struct(fields), false);
}

function dataOf(type: CellType, cells: readonly Cell[]): Data {
  const { nullBitmap, nullCount } = validity(cells);
  const props = { type: arrowType(type), length: cells.length, nullCount, nullBitmap };
  switch (type.kind) {
    case 'string':
      return variable(props, cells, (cell) => Buffer.from(cell as string));
    case 'binary':
      return variable(props, cells, (cell) => cell as Uint8Array);
    case 'array':
      return nested(props, cells, (items) => dataOf(type.element, items));
    case 'map': {
      const entry: CellType = {
        kind: 'struct',
        fields: [
          { name: 'key', type: type.key },
          { name: 'value', type: type.value },
        ],
      };
      return nested(props, cells, (items) => {
        const { length, children } = dataOf(entry, items);
        const entries = entryField(type.key, type.value).type;
        return makeData({ type: entries, length, nullCount: 0, children } as never);
      });
    }
    case 'struct': {
      const children = type.fields.map(({ type: of }, at) =>
        dataOf(
          of,
          cells.map((cell) => (cell === null ? null : (cell as readonly Cell[])[at]!)),
        ),
      );
      return makeData({ ...props, children } as never);
    }
    case 'boolean': {
      const data = new Uint8Array(Math.ceil(cells.length / 8));
      cells.forEach((cell, row) => {
        if (cell === true) data[row >> 3]! |= 1 << (row & 7);
      });
      return makeData({ ...props, data } as never);
    }
    case 'decimal':
      return makeData({ ...props, data: decimalWords(cells) } as never);
    case 'long':
    case 'timestamp':
      return makeData({
        ...props,
        data: BigInt64Array.from(cells, (cell) => (cell as bigint) ?? 0n),
      } as never);
    default: {
      const data = new NUMBERS[type.kind](cells.length);
      cells.forEach((cell, row) => {
        if (cell !== null) data[row] = cell as number;
      });
      return makeData({ ...props, data } as never);
    }
  }
}

const NUMBERS = {
  byte: Int8Array,
  short: Int16Array,
  integer: Int32Array,
  date: Int32Array,
  float: Float32Array,
  double: Float64Array,
} as const;

interface Props {
  type: DataType;
  length: number;
  nullCount: number;
  nullBitmap: Uint8Array;
}

function validity(cells: readonly Cell[]): { nullBitmap: Uint8Array; nullCount: number } {
  const nullBitmap = new Uint8Array(Math.ceil(cells.length / 8));
  let nullCount = 0;
  cells.forEach((cell, row) => {
    if (cell === null) nullCount++;
    else nullBitmap[row >> 3]! |= 1 << (row & 7);
  });
  return { nullBitmap, nullCount };
}

function variable(props: Props, cells: readonly Cell[], bytesOf: (cell: Cell) => Uint8Array): Data {
  const valueOffsets = new Int32Array(cells.length + 1);
  const parts = cells.map((cell, row) => {
    const part = cell === null ? NOTHING : bytesOf(cell);
    valueOffsets[row + 1] = valueOffsets[row]! + part.byteLength;
    return part;
  });
  return makeData({ ...props, valueOffsets, data: new Uint8Array(Buffer.concat(parts)) } as never);
}

const NOTHING = new Uint8Array(0);

function nested(props: Props, cells: readonly Cell[], childOf: (items: Cell[]) => Data): Data {
  const valueOffsets = new Int32Array(cells.length + 1);
  const items: Cell[] = [];
  cells.forEach((cell, row) => {
    if (cell !== null) for (const item of cell as readonly Cell[]) items.push(item);
    valueOffsets[row + 1] = items.length;
  });
  return makeData({ ...props, valueOffsets, child: childOf(items) } as never);
}

function decimalWords(cells: readonly Cell[]): Uint32Array {
  const words = new Uint32Array(cells.length * 4);
  cells.forEach((cell, row) => {
    let rest = BigInt.asUintN(128, cell === null ? 0n : BigInt((cell as string).replace('.', '')));
    for (let word = 0; word < 4; word++) {
      words[row * 4 + word] = Number(rest & 0xffff_ffffn);
      rest >>= 32n;
    }
  });
  return words;
}
