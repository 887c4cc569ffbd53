import type { CompiledColumn } from './columns.js';
import { compileCondition } from './conditions.js';
import { ANY_TYPE, type Complain, type FieldsByName, findField, NUMBER_TYPES } from './fields.js';
import type { ColumnFileOf, ConditionFile } from './schema.js';
import type { ColumnType, Condition, Field, NumberType } from './types.js';

/** Columns that hold one value out of the values of a field. */

const TYPE_OF_FIELD: Readonly<Record<Field['type'], ColumnType>> = {
  string: 'string',
  number: 'float',
  boolean: 'bool',
  int32: 'int32',
  uint32: 'uint32',
  time: 'time',
};
/** Sums outgrow their values. */
const TYPE_OF_SUM: Readonly<Partial<Record<Field['type'], NumberType>>> = {
  number: 'float',
  int32: 'int64',
  uint32: 'uint64',
};
/** What can be compared. */
const ORDERED_TYPES: readonly Field['type'][] = [...NUMBER_TYPES, 'time'];

type ReadingFile = ColumnFileOf<'first' | 'last' | 'min' | 'max' | 'sum' | 'avg' | 'argmin' | 'argmax'>;

export function compileReading(
  file: ReadingFile,
  path: string,
  fields: FieldsByName,
  complain: Complain,
): CompiledColumn | null {
  const field = findField(fields, file.field, `${path}.field`, typesOf(file.op), complain);
  const where = compileWhere(file.where, `${path}.where`, fields, complain);
  const by = 'by' in file ? findField(fields, file.by, `${path}.by`, ORDERED_TYPES, complain) : undefined;
  if (field === null || where === undefined || by === null) return null;
  const own = ownType(file.op, field.type);
  const lowCardinality = 'low_cardinality' in file && file.low_cardinality;
  if (lowCardinality && own !== 'string') complain(`${path}.low_cardinality`, 'is for strings');
  const isNumber = own !== 'string' && own !== 'bool' && own !== 'time';
  if (file.type !== undefined && !isNumber) complain(`${path}.type`, `is for numbers; this is ${own}`);
  const mayLack = !field.required || field.mask === 'truncate_ip';
  const nullable = mayLack || where !== null || by?.required === false;
  const shape = { type: file.type ?? own, nullable, lowCardinality };
  switch (file.op) {
    case 'argmin':
    case 'argmax':
      return { ...shape, op: { op: file.op, field: field.index, by: by!.index, where } };
    default:
      return { ...shape, op: { op: file.op, field: field.index, where } };
  }
}

/** Undefined: something is wrong with it, which was said. */
export function compileWhere(
  file: ConditionFile | undefined,
  path: string,
  fields: FieldsByName,
  complain: Complain,
): Condition | null | undefined {
  if (file === undefined) return null;
  return compileCondition(file, path, fields, complain) ?? undefined;
}

function typesOf(op: ReadingFile['op']): readonly Field['type'][] {
  switch (op) {
    case 'min':
    case 'max':
      return ORDERED_TYPES;
    case 'sum':
    case 'avg':
      return NUMBER_TYPES;
    default:
      return ANY_TYPE;
  }
}

function ownType(op: ReadingFile['op'], type: Field['type']): ColumnType {
  if (op === 'avg') return 'float';
  return (op === 'sum' ? TYPE_OF_SUM[type] : undefined) ?? TYPE_OF_FIELD[type];
}
