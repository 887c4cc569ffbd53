import { compileCollection } from './collections.js';
import { compileDerived, type DerivedFile } from './derived-columns.js';
import { ANY_TYPE, type Complain, type FieldsByName, findField, type MadeFields } from './fields.js';
import { compileReading, compileWhere } from './reading-columns.js';
import type { ColumnFile, ColumnFileOf } from './schema.js';
import { SHARED_COLUMNS } from './shared-columns.js';
import type { Column, ColumnOp, ColumnType, CompiledModel } from './types.js';

/**
 * The columns of a model file → typed operations. A column's type follows from its operation and its field, a number's can be
 * named; it can be null only where a field that events may lack, or a condition, gives its value.
 */

export type CompiledColumn = Omit<Column, 'index' | 'name'>;

export function compileColumns(
  files: Readonly<Record<string, ColumnFile>>,
  fields: FieldsByName,
  made: MadeFields,
  complain: Complain,
): Pick<CompiledModel, 'columns' | 'columnIndex'> {
  const columns: Column[] = [];
  const names = Object.keys(files);
  for (const [name, file] of Object.entries(files)) {
    const path = `columns.${name}`;
    const compiled = isDerived(file)
      ? compileDerived(file, path, { names, columns }, complain)
      : compileColumn(file, path, fields, made, complain);
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

function isDerived(file: ColumnFile): file is DerivedFile {
  return file.op === 'concat' || file.op === 'calculate' || file.op === 'overflow';
}

/**
 * What all lists, sets, records and joined texts of a row may take together, in equal shares. A row has to fit into memory some times over,
 * also that of a producer who sends the largest events there are.
 */
const COLLECTIONS_BYTES_MAX = 16 * 2 ** 20;
const SHARES: ReadonlySet<ColumnOp['op']> = new Set(['list', 'set', 'records', 'concat']);

export function collectionBytesMax(columns: readonly Column[]): number {
  const collections = columns.filter(({ op: { op } }) => SHARES.has(op));
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
  file: Exclude<ColumnFile, DerivedFile>,
  path: string,
  fields: FieldsByName,
  made: MadeFields,
  complain: Complain,
): CompiledColumn | null {
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
      const { op: _, type, where, ...test } = file;
      // in the column itself, or beside it as in the others
      const isInline = Object.keys(test).length > 0;
      const asked = where === undefined ? test : isInline ? [test, where].flat() : where;
      const at = isInline || where === undefined ? path : `${path}.where`;
      const condition = compileWhere(asked, at, fields, complain);
      return condition ? never(type, { op: 'count_if', where: condition }) : null;
    }
    case 'count_distinct':
    case 'count_values': {
      const field = findField(fields, file.field, `${path}.field`, ANY_TYPE, complain);
      const where = compileWhere(file.where, `${path}.where`, fields, complain);
      if (field === null || where === undefined) return null;
      return never(file.type, { op: file.op, field: field.index, where });
    }
    case 'list':
    case 'set':
    case 'records': {
      const op = compileCollection(file, path, fields, complain);
      return op === null ? null : never(op.op === 'records' || op.json ? 'string' : 'list<string>', op);
    }
    case 'constant':
      return compileConstant(file, path, complain);
    case 'batch_id':
    case 'file_id':
      return never('uint64', { op: file.op });
    case 'closed_by':
      return { ...never('string', { op: 'closed_by' }), lowCardinality: true };
    case 'revision':
      return never('uint32', { op: 'revision' });
    case 'sign':
      return never('int8', { op: 'sign' });
    case 'partition':
      return never('uint32', { op: 'partition', field: made.of('partition').index });
    case 'first_offset':
    case 'last_offset':
      return never('uint64', { op: file.op, field: made.of('offset').index });
    default:
      return compileReading(file, path, fields, complain);
  }
}

function compileConstant(file: ColumnFileOf<'constant'>, path: string, complain: Complain): CompiledColumn {
  const { value, type, low_cardinality: lowCardinality } = file;
  if (typeof value !== 'number' && type !== undefined) complain(`${path}.type`, 'is for numbers');
  if (typeof value !== 'string' && lowCardinality) complain(`${path}.low_cardinality`, 'is for strings');
  const own = typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'float';
  // the sum makes 0 of −0
  const kept =
    typeof value === 'number' ? value + 0 : typeof value === 'string' ? value.toWellFormed() : value;
  return { ...never(type ?? own, { op: 'constant', value: kept }), lowCardinality };
}

/** A column that is never null. */
export function never(type: ColumnType, op: ColumnOp): CompiledColumn {
  return { type, nullable: false, lowCardinality: false, op };
}

/** Without the key two users' sessions would be one. */
function checkTemplate(template: string, path: string, complain: Complain): void {
  if (!template.includes('{key}')) complain(path, 'must hold {key}');
  const rest = template.replaceAll('{key}', '').replaceAll('{start_ms}', '');
  if (/[{}]/.test(rest)) complain(path, 'knows {key} and {start_ms} only');
}
