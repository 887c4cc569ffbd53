import type { Column, ColumnType, CompiledModel } from '../model/types.js';

/**
 * The schema of a data file and of the table, from the compiled model. Delta knows no unsigned numbers, so each of them takes
 * the next wider signed one. The sign, which every table has, is an integer.
 *
 * The partition column is in the table's schema and not in the files'.
 */

export type DeltaType =
  | 'byte'
  | 'short'
  | 'integer'
  | 'long'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | 'string'
  | 'date'
  | { type: 'array'; elementType: DeltaType; containsNull: boolean };

export interface DeltaField {
  name: string;
  type: DeltaType;
  nullable: boolean;
  metadata: Record<string, unknown>;
}

export interface DeltaSchema {
  type: 'struct';
  fields: DeltaField[];
}

const DELTA_TYPES: Record<ColumnType, DeltaType> = {
  int8: 'byte',
  uint8: 'short',
  int16: 'short',
  uint16: 'integer',
  int32: 'integer',
  int64: 'long',
  uint32: 'long',
  uint64: 'long',
  float: 'double',
  bool: 'boolean',
  time: 'timestamp',
  string: 'string',
  'list<string>': { type: 'array', elementType: 'string', containsNull: false },
};

/** Delta's schema of the table, partition column last. Its JSON text is metaData.schemaString. */
export function deltaSchema(model: CompiledModel): DeltaSchema {
  const fields: DeltaField[] = model.columns.map((column) => ({
    name: column.name,
    type: DELTA_TYPES[fileType(column)],
    nullable: isNullable(column),
    metadata: {},
  }));
  fields.push({ name: model.partitionColumn, type: 'date', nullable: false, metadata: {} });
  return { type: 'struct', fields };
}

/** The type of a column as a file has it. */
export function fileType({ type, op }: Column): ColumnType {
  return op.op === 'sign' ? 'int32' : type;
}

/** Lists are empty, never null: some readers show a null list as [] and others do not. */
export function isNullable(column: Column): boolean {
  return column.nullable && column.type !== 'list<string>';
}
