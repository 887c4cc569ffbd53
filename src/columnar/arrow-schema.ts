import {
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  Schema,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow';
import type { ColumnType, CompiledModel } from '../model/types.js';
import { isNullable } from './schema.js';

/** Arrow's schema of one data file. Apart from the table's, which the main thread needs without Arrow. */
export function arrowSchema(model: CompiledModel): Schema {
  return new Schema(
    model.columns.map((column) => new Field(column.name, arrowType(column.type), isNullable(column))),
  );
}

function arrowType(type: ColumnType): DataType {
  switch (type) {
    case 'int8':
    case 'uint16':
      return new Int32();
    case 'uint32':
    case 'uint64':
      return new Int64();
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
