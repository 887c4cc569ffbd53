import { suggest } from '../config/suggest.js';
import type { ModelFile } from './schema.js';
import type { Field } from './types.js';

/** The fields of a model file, and looking them up where columns and conditions name them. */

const FIELDS_MAX = 512;

export const ANY_TYPE: readonly Field['type'][] = ['string', 'number', 'boolean', 'int32', 'uint32', 'time'];
/** What can be added up and compared. */
export const NUMBER_TYPES: readonly Field['type'][] = ['number', 'int32', 'uint32'];

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
      const { type, required, mask } = files[name]!;
      if (mask !== undefined && type !== 'string') complain(`fields.${name}.mask`, 'is for strings');
      const field = { index, path: name.split('.'), type, required };
      return [name, mask === undefined ? field : { ...field, mask }];
    }),
  );
}

/** Fields that no event has in its JSON, each made where a column asks for it; behind the others. */
export class MadeFields {
  readonly list: Field[] = [];
  readonly #first: number;

  constructor(fields: FieldsByName) {
    this.#first = fields.size;
  }

  of(made: NonNullable<Field['made']>): Field {
    const known = this.list.find((field) => field.made === made);
    if (known !== undefined) return known;
    const index = this.#first + this.list.length;
    const type = made === 'key' ? 'string' : 'number';
    const field: Field = { index, path: [], type, required: true, made };
    this.list.push(field);
    return field;
  }
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
