import { compileCollection } from './collections.js';
import { ANY_TYPE, type Complain, compileCondition, type FieldsByName, findField } from './fields.js';
import type { ColumnFile } from './schema.js';
import type { Column, ColumnOp, ColumnType, CompiledModel, Field } from './types.js';

/**
 * The columns of a model file → typed operations. A column's type follows from its operation and its field; it can be
 * null only where a field that events may lack gives its value.
 */

type Compiled = Omit<Column, 'index' | 'name'>;

/** Each table has each of these once, under its own name: ledger, sinks and people find a row's place by them. */
const SHARED_COLUMNS = [
  'session_id',
  'session_start',
  'created_at',
  'batch_id',
  'file_id',
  'closed_by',
  'revision',
  'sign',
] as const;

const TYPE_OF_FIELD: Readonly<Record<Field['type'], ColumnType>> = {
  string: 'string',
  number: 'float',
  uint32: 'uint32',
  time: 'time',
};

export function compileColumns(
  files: Readonly<Record<string, ColumnFile>>,
  fields: FieldsByName,
  complain: Complain,
): Pick<CompiledModel, 'columns' | 'columnIndex'> {
  const columns: Column[] = [];
  for (const [name, file] of Object.entries(files)) {
    const compiled = compileColumn(file, `columns.${name}`, fields, complain);
    if (compiled !== null) columns.push({ index: columns.length, name, ...compiled });
    if (name === 'session_date') complain(`columns.${name}`, 'is the name of the partition column');
  }
  for (const shared of SHARED_COLUMNS) checkShared(shared, files, complain);
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  return {
    columns,
    columnIndex: {
      session_start: at('session_start'),
      sign: at('sign'),
      revision: at('revision'),
      closed_by: at('closed_by'),
      created_at: at('created_at'),
      batch_id: at('batch_id'),
      file_id: at('file_id'),
    },
  };
}

/**
 * What all lists, sets and records of a row may take together, in equal shares. A row has to fit into memory some times over,
 * also that of a producer who sends the largest events there are.
 */
const COLLECTIONS_BYTES_MAX = 16 * 2 ** 20;

export function collectionBytesMax(columns: readonly Column[]): number {
  const collections = columns.filter(({ op: { op } }) => op === 'list' || op === 'set' || op === 'records');
  return Math.floor(COLLECTIONS_BYTES_MAX / Math.max(1, collections.length));
}

function checkShared(shared: string, files: Readonly<Record<string, ColumnFile>>, complain: Complain): void {
  for (const [name, { op }] of Object.entries(files)) {
    if (op === shared && name !== shared) complain(`columns.${name}`, `must be called ${shared}`);
    if (name === shared && op !== shared) complain(`columns.${name}.op`, `must be ${shared}`);
  }
  if (!Object.hasOwn(files, shared)) complain('columns', `${shared} is missing`);
}

function compileColumn(
  file: ColumnFile,
  path: string,
  fields: FieldsByName,
  complain: Complain,
): Compiled | null {
  switch (file.op) {
    case 'key':
      return { ...never('string', { op: 'key' }), lowCardinality: file.low_cardinality };
    case 'session_id':
      checkTemplate(file.template, `${path}.template`, complain);
      return never('string', { op: 'session_id', template: file.template });
    case 'session_start':
    case 'session_end':
    case 'created_at':
      return never('time', { op: file.op });
    case 'duration_sec':
    case 'count':
      return never(file.type, { op: file.op });
    case 'count_if': {
      const where = compileCondition(file, path, fields, complain);
      return where === null ? null : never(file.type, { op: 'count_if', where });
    }
    case 'first':
    case 'last': {
      const field = findField(fields, file.field, `${path}.field`, ANY_TYPE, complain);
      if (field === null) return null;
      const type = TYPE_OF_FIELD[field.type];
      if (file.low_cardinality && type !== 'string') complain(`${path}.low_cardinality`, 'is for strings');
      const op = { op: file.op, field: field.index };
      return { type, nullable: !field.required, lowCardinality: file.low_cardinality, op };
    }
    case 'count_distinct':
    case 'count_values': {
      const field = findField(fields, file.field, `${path}.field`, ANY_TYPE, complain);
      return field === null ? null : never(file.type, { op: file.op, field: field.index });
    }
    case 'list':
    case 'set':
    case 'records': {
      const op = compileCollection(file, path, fields, complain);
      return op === null ? null : never(op.op === 'records' || op.json ? 'string' : 'list<string>', op);
    }
    case 'batch_id':
    case 'file_id':
      return never('uint64', { op: file.op });
    case 'closed_by':
      return { ...never('string', { op: 'closed_by' }), lowCardinality: true };
    case 'revision':
      return never('uint32', { op: 'revision' });
    case 'sign':
      return never('int8', { op: 'sign' });
  }
}

/** A column that is never null. */
function never(type: ColumnType, op: ColumnOp): Compiled {
  return { type, nullable: false, lowCardinality: false, op };
}

/** Without the key two users' sessions would be one. */
function checkTemplate(template: string, path: string, complain: Complain): void {
  if (!template.includes('{key}')) complain(path, 'must hold {key}');
  const rest = template.replaceAll('{key}', '').replaceAll('{start_ms}', '');
  if (/[{}]/.test(rest)) complain(path, 'knows {key} and {start_ms} only');
}
