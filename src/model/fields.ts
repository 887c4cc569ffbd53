import { suggest } from '../config/suggest.js';
import type { ModelFile } from './schema.js';
import type { Condition, Field } from './types.js';

/** The fields of a model file, and looking them up where columns and conditions name them. */

const FIELDS_MAX = 512;

export const ANY_TYPE: readonly Field['type'][] = ['string', 'number', 'uint32', 'time'];

/** Says what is wrong with a place of the file. */
export type Complain = (path: string, message: string) => void;

/** The fields by the path in the file, as columns and conditions name them. */
export type FieldsByName = ReadonlyMap<string, Field>;

/** By path, so that the order of lines in the file decides nothing. */
export function compileFields(files: ModelFile['fields'], complain: Complain): FieldsByName {
  const names = Object.keys(files).sort();
  if (names.length > FIELDS_MAX) complain('fields', `more than ${FIELDS_MAX}`);
  for (const name of names) {
    const child = names.find((other) => other.startsWith(`${name}.`));
    if (child !== undefined) complain(`fields.${name}`, `can't be a value and hold ${child} too`);
  }
  return new Map(
    names.map((name, index) => {
      const { type, required } = files[name]!;
      return [name, { index, path: name.split('.'), type, required }];
    }),
  );
}

export function requiredField(
  fields: FieldsByName,
  name: string,
  path: string,
  types: readonly Field['type'][],
  complain: Complain,
): Field | null {
  const field = findField(fields, name, path, types, complain);
  if (field !== null && !field.required)
    complain(`fields.${name}`, `is the ${path}: it must say required: true`);
  return field;
}

/** A declared field of one of some types; complains and gives null when there is none. */
export function findField(
  fields: FieldsByName,
  name: string,
  path: string,
  types: readonly Field['type'][],
  complain: Complain,
): Field | null {
  const field = fields.get(name);
  if (field === undefined) {
    const near = suggest(name, [...fields.keys()]);
    const hint = near === undefined ? 'declare it under fields' : `did you mean ${near}?`;
    complain(path, `${name} is no field of this model; ${hint}`);
    return null;
  }
  if (!types.includes(field.type)) {
    complain(path, `${name} is of type ${field.type}; this takes ${types.join(' or ')}`);
    return null;
  }
  return field;
}

export function compileCondition(
  condition: { field: string; in: readonly string[] },
  path: string,
  fields: FieldsByName,
  complain: Complain,
): Condition | null {
  const field = findField(fields, condition.field, `${path}.field`, ['string'], complain);
  return field === null ? null : { field: field.index, oneOf: [...new Set(condition.in)].sort() };
}
