import type { Column, CompiledModel } from '../model/types.js';
import { fileType, isNullable } from './schema.js';
import { ThriftWriter } from './thrift.js';

/**
 * Parquet's schema of a data file: the old and the new names of its types, as readers of each age want them. Unsigned numbers
 * are the next wider signed ones; a list is `list.element`, both never null.
 */

/** Parquet's numbers. */
export const BOOLEAN = 0;
export const INT32 = 1;
export const INT64 = 2;
export const DOUBLE = 5;
export const BYTE_ARRAY = 6;

const REQUIRED = 0;
const OPTIONAL = 1;
const REPEATED = 2;

const CONVERTED_UTF8 = 0;
const CONVERTED_LIST = 3;
const CONVERTED_TIMESTAMP_MICROS = 10;
const CONVERTED_INT_8 = 15;
const CONVERTED_INT_16 = 16;

/** Fields of a schema's element. */
const TYPE = 1;
const REPETITION = 3;
const NAME = 4;
const CHILDREN = 5;
const CONVERTED = 6;
const LOGICAL = 10;
/** Of the union of logical types. */
const LOGICAL_STRING = 1;
const LOGICAL_LIST = 3;
const LOGICAL_TIMESTAMP = 8;
const LOGICAL_INTEGER = 10;
const MICROS = 2;

export function physicalType(column: Column): number {
  switch (fileType(column)) {
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'int32':
      return INT32;
    case 'uint32':
    case 'int64':
    case 'uint64':
    case 'time':
      return INT64;
    case 'float':
      return DOUBLE;
    case 'bool':
      return BOOLEAN;
    case 'string':
    case 'list<string>':
      return BYTE_ARRAY;
  }
}

/** Names from the column down to its values. */
export function pathOf({ name, type }: Column): string[] {
  return type === 'list<string>' ? [name, 'list', 'element'] : [name];
}

/** How many elements the schema has, and all of them. */
export function schemaElements(model: CompiledModel): { count: number; bytes: Uint8Array } {
  const thrift = new ThriftWriter();
  let count = 1;
  thrift.element(() => {
    thrift.text(NAME, 'arrow_schema');
    thrift.i32(CHILDREN, model.columns.length);
  });
  for (const column of model.columns) {
    count += pathOf(column).length;
    writeColumn(thrift, column);
  }
  return { count, bytes: thrift.bytes() };
}

function writeColumn(thrift: ThriftWriter, column: Column): void {
  const repetition = isNullable(column) ? OPTIONAL : REQUIRED;
  if (column.type !== 'list<string>') {
    writeLeaf(thrift, column, column.name, repetition);
    return;
  }
  thrift.element(() => {
    thrift.i32(REPETITION, repetition);
    thrift.text(NAME, column.name);
    thrift.i32(CHILDREN, 1);
    thrift.i32(CONVERTED, CONVERTED_LIST);
    thrift.struct(LOGICAL, () => thrift.struct(LOGICAL_LIST, () => {}));
  });
  thrift.element(() => {
    thrift.i32(REPETITION, REPEATED);
    thrift.text(NAME, 'list');
    thrift.i32(CHILDREN, 1);
  });
  writeLeaf(thrift, column, 'element', REQUIRED);
}

function writeLeaf(thrift: ThriftWriter, column: Column, name: string, repetition: number): void {
  thrift.element(() => {
    thrift.i32(TYPE, physicalType(column));
    thrift.i32(REPETITION, repetition);
    thrift.text(NAME, name);
    writeMeaning(thrift, column);
  });
}

function writeMeaning(thrift: ThriftWriter, column: Column): void {
  switch (fileType(column)) {
    case 'int8':
      writeInteger(thrift, CONVERTED_INT_8, 8);
      return;
    case 'uint8':
    case 'int16':
      writeInteger(thrift, CONVERTED_INT_16, 16);
      return;
    case 'string':
    case 'list<string>':
      thrift.i32(CONVERTED, CONVERTED_UTF8);
      thrift.struct(LOGICAL, () => thrift.struct(LOGICAL_STRING, () => {}));
      return;
    case 'time':
      thrift.i32(CONVERTED, CONVERTED_TIMESTAMP_MICROS);
      thrift.struct(LOGICAL, () =>
        thrift.struct(LOGICAL_TIMESTAMP, () => {
          thrift.bool(1, true);
          thrift.struct(2, () => thrift.struct(MICROS, () => {}));
        }),
      );
  }
}

function writeInteger(thrift: ThriftWriter, converted: number, bits: number): void {
  thrift.i32(CONVERTED, converted);
  thrift.struct(LOGICAL, () =>
    thrift.struct(LOGICAL_INTEGER, () => {
      thrift.byte(1, bits);
      thrift.bool(2, true);
    }),
  );
}
