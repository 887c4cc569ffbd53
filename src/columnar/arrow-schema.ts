import {
  Bool,
  type DataType,
  Field,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  Schema,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import type { ColumnType, CompiledModel } from '../model/types.js';
import { fileType, isNullable } from './schema.js';

/** By model: it is asked for once a column of each file that is read. */
const known = new WeakMap<CompiledModel, Schema>();

/** Arrow's schema of one data file. Apart from the table's, which the main thread needs without Arrow. */
export function arrowSchema(model: CompiledModel): Schema {
  const there = known.get(model);
  if (there !== undefined) return there;
  const schema = new Schema(
    model.columns.map((column) => new Field(column.name, arrowType(fileType(column)), isNullable(column))),
  );
  known.set(model, schema);
  return schema;
}

function arrowType(type: ColumnType): DataType {
  switch (type) {
    case 'int8':
      return new Int8();
    case 'uint8':
    case 'int16':
      return new Int16();
    case 'uint16':
    case 'int32':
      return new Int32();
    case 'uint32':
    case 'int64':
    case 'uint64':
      return new Int64();
    case 'bool':
      return new Bool();
    case 'float':
      return new Float64();
    case 'time':
      return new TimestampMicrosecond('UTC');
    case 'string':
      return new Utf8();
    case 'list<string>':
      return new List(new Field('element', new Utf8(), false));
  }
}
