import { type TableSchema, typeText } from '../delta/schema.js';

/**
 * A value of a row, by its type in the table's schema:
 *
 *   string                       string
 *   byte, short, integer         number
 *   long                         bigint
 *   float, double                number
 *   decimal(p,s)                 string of digits, s of them behind the point
 *   boolean                      boolean
 *   date                         number: days since 1970
 *   timestamp                    bigint: µs since 1970, UTC
 *   binary                       Uint8Array
 *   array                        array
 *   map                          array of [key, value]
 *   struct                       array, in the order of its fields
 *   nothing                      null
 */
export type Cell = null | string | number | bigint | boolean | Uint8Array | readonly Cell[];

/** A type as it is read, nested ones whole. */
export type CellType =
  | { kind: Exclude<PrimitiveName, 'decimal'> }
  | { kind: 'decimal'; precision: number; scale: number }
  | { kind: 'array'; element: CellType }
  | { kind: 'map'; key: CellType; value: CellType }
  | { kind: 'struct'; fields: readonly { name: string; type: CellType }[] };

const PRIMITIVES = [
  'string',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'decimal',
  'boolean',
  'date',
  'timestamp',
  'binary',
] as const;
type PrimitiveName = (typeof PRIMITIVES)[number];

export interface CellColumn {
  name: string;
  type: CellType;
  nullable: boolean;
  /** Its values stand in the log, one a file. */
  isPartition: boolean;
}

/** A table's columns, in the order of its schema. Throws Error for a type that Delta's protocol 1/2 does not have. */
export function columnsOf({
  schema,
  partitionColumns,
}: {
  schema: TableSchema;
  partitionColumns: readonly string[];
}): CellColumn[] {
  return schema.fields.map(({ name, type, nullable }) => ({
    name,
    nullable,
    type: cellType(type),
    isPartition: partitionColumns.includes(name),
  }));
}

export function cellType(type: unknown): CellType {
  if (typeof type === 'string') {
    const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type);
    if (decimal !== null)
      return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
    const kind = PRIMITIVES.find((name) => name === type && name !== 'decimal');
    if (kind !== undefined) return { kind: kind as Exclude<PrimitiveName, 'decimal'> };
  }
  const nested = type as { type?: string } & Record<string, unknown>;
  switch (nested.type) {
    case 'array':
      return { kind: 'array', element: cellType(nested.elementType) };
    case 'map':
      return { kind: 'map', key: cellType(nested.keyType), value: cellType(nested.valueType) };
    case 'struct': {
      const fields = nested.fields as readonly { name: string; type: unknown }[];
      return { kind: 'struct', fields: fields.map((field) => ({ ...field, type: cellType(field.type) })) };
    }
  }
  throw new Error(`the type ${typeText(type)} is not one of Delta's protocol 1/2`);
}

/** As Delta and SQL write it. */
export function cellTypeText(type: CellType): string {
  switch (type.kind) {
    case 'array':
      return `array<${cellTypeText(type.element)}>`;
    case 'map':
      return `map<${cellTypeText(type.key)},${cellTypeText(type.value)}>`;
    case 'struct':
      return `struct<${type.fields.map(({ name, type: of }) => `${name}:${cellTypeText(of)}`).join(',')}>`;
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    default:
      return type.kind;
  }
}
