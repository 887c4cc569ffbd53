import type { Column, ColumnType, CompiledModel } from '../model/types.js';

/**
 * The schema of a data file and of the table, from the compiled model. Delta knows no unsigned numbers and readers of
 * protocol 1/2 know no 8 and 16 bit ones as columns of ours, so every type takes the next wider signed one.
 *
 * The partition column is in the table's schema and not in the files'.
 */

export type DeltaType =
  | 'integer'
  | 'long'
  | 'double'
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
  int8: 'integer',
  uint16: 'integer',
  uint32: 'long',
  uint64: 'long',
  float: 'double',
  time: 'timestamp',
  string: 'string',
  'list<string>': { type: 'array', elementType: 'string', containsNull: false },
};

/** Delta's schema of the table, partition column last. Its JSON text is metaData.schemaString. */
export function deltaSchema(model: CompiledModel): DeltaSchema {
  const fields: DeltaField[] = model.columns.map((column) => ({
    name: column.name,
    type: DELTA_TYPES[column.type],
    nullable: isNullable(column),
    metadata: {},
  }));
  fields.push({ name: model.partitionColumn, type: 'date', nullable: false, metadata: {} });
  return { type: 'struct', fields };
}

/** Lists are empty, never null: some readers show a null list as [] and others do not. */
export function isNullable(column: Column): boolean {
  return column.nullable && column.type !== 'list<string>';
}
