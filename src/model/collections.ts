import { ANY_TYPE, type Complain, type FieldsByName, findField } from './fields.js';
import { compileWhere } from './reading-columns.js';
import type { ColumnFileOf } from './schema.js';
import type { ColumnOp, Field } from './types.js';

/** The columns that hold several values of a session: list, set and records. */

type OpOf<Op extends ColumnOp['op']> = Extract<ColumnOp, { op: Op }>;

/** Floats have no one JSON text, so none stands in a record. */
const RECORD_TYPES: readonly Field['type'][] = ['string', 'boolean', 'int32', 'uint32', 'time'];

export function compileCollection(
  file: ColumnFileOf<'list' | 'set' | 'records'>,
  path: string,
  fields: FieldsByName,
  complain: Complain,
): OpOf<'list' | 'set' | 'records'> | null {
  switch (file.op) {
    case 'list':
      return compileList(file, path, fields, complain);
    case 'set': {
      const field = findField(fields, file.field, `${path}.field`, ['string'], complain);
      const where = compileWhere(file.where, `${path}.where`, fields, complain);
      if (field === null || where === undefined) return null;
      return { op: 'set', field: field.index, limit: file.limit, json: file.as === 'json', where };
    }
    case 'records':
      return compileRecords(file, path, fields, complain);
  }
}

function compileList(
  file: ColumnFileOf<'list'>,
  path: string,
  fields: FieldsByName,
  complain: Complain,
): OpOf<'list'> | null {
  const json = file.as === 'json';
  const field = findField(fields, file.field, `${path}.field`, ['string'], complain);
  const by =
    file.by === undefined ? undefined : findField(fields, file.by, `${path}.by`, ['string'], complain);
  const where = compileWhere(file.where, `${path}.where`, fields, complain);
  // a list of texts has no place for an item that is missing
  if (by !== undefined && !json) complain(`${path}.by`, 'needs as: json beside it');
  if (field === null || by === null || where === undefined) return null;
  return {
    op: 'list',
    field: field.index,
    limit: file.limit,
    json,
    by: by?.index ?? null,
    where,
  };
}

function compileRecords(
  file: ColumnFileOf<'records'>,
  path: string,
  fields: FieldsByName,
  complain: Complain,
): OpOf<'records'> | null {
  const members = Object.entries(file.of).map(([name, of]) => ({
    name,
    field: findField(fields, of, `${path}.of.${name}`, RECORD_TYPES, complain),
  }));
  const present =
    file.present === undefined
      ? undefined
      : findField(fields, file.present, `${path}.present`, ANY_TYPE, complain);
  const where = compileWhere(file.where, `${path}.where`, fields, complain);
  if (present === null || where === undefined) return null;
  const found = members.flatMap(({ name, field }) => (field === null ? [] : [{ name, field: field.index }]));
  if (found.length < members.length) return null;
  // every event has a required field: nothing to ask, and nothing to keep for it
  const asked =
    present === undefined || (present.required && present.mask !== 'truncate_ip') ? null : present.index;
  return { op: 'records', members: found, present: asked, limit: file.limit, where };
}
