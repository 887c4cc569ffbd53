import { suggest } from '../../config/suggest.js';
import { HeadraceError } from '../../errors.js';
import type { Column, CompiledModel, Field } from '../../model/types.js';
import { masked } from '../../reference/mask.js';
import { type KeyPart, keyPartOf } from './key-part.js';

/**
 * Whose rows and events are meant by `--key user_id=…`. The name is the model's key, a part of it where it is of several fields, or a
 * column that holds a field's first value, or the field of one. The value is in no message of ours: what is said of a person is the name of what names it.
 */
export interface Person {
  /** As it was given. */
  name: string;
  /** As events have it. */
  raw: string;
  /** As rows have it, in the type of their columns. */
  value: string | number;
  /** A row is the person's when one of these has the value. */
  columns: readonly Column[];
  /** An event is the person's when this field has the value. */
  field: Field;
  /** The field is the model's key: of a session all is the person's. */
  isKey: boolean;
  /**
   * The field is one of several that make the key, and no column holds it alone: of a session all is the person's whose key has the
   * value as this part, and `columns` hold keys.
   */
  keyPart: KeyPart | null;
}

const KEY_ALONE = '{key}';

/** Throws HeadraceError USAGE (64) for a flag that says nothing, CONFIG_INVALID (78) for a name that is of no use. */
export function personOf(model: CompiledModel, text: string): Person {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw new HeadraceError('USAGE', '--key must be a name, = and a value', {
      remedy: `e.g. --key ${nameOf(model.fields[model.keyParts[0]!]!)}=…`,
    });
  }
  const name = text.slice(0, at);
  const found = findName(model, name);
  if (found === null) throw unknownName(model, name);
  const { field, columns } = found;
  if (columns.length === 0) {
    throw new HeadraceError('CONFIG_INVALID', 'no column of the table holds this field', {
      where: { key: name, model: model.name },
      remedy:
        'add a column with `op: key` (or `op: first` and the field) to the model: its rows can not be told apart by it',
    });
  }
  if (field.mask === 'truncate_ip') {
    throw new HeadraceError(
      'CONFIG_INVALID',
      'only the network of this address is kept: it is that of many',
      {
        where: { key: name, model: model.name },
        remedy: 'name the person by another field',
      },
    );
  }
  const raw = text.slice(at + 1);
  const isKey = field === keyFieldOf(model);
  const typed = typedValue(name, field, raw, model);
  // as a key every value is a text
  const keys = isKey ? columns.filter(isOfKey) : [];
  const { keyParts } = model;
  const isPart = keyParts.length > 1 && columns.every(isOfKey);
  return {
    name,
    raw,
    value: keys.length > 0 || isPart ? String(typed) : typed,
    columns: keys.length > 0 ? keys : columns,
    field,
    isKey,
    keyPart: isPart ? keyPartOf(keyParts.indexOf(field.index), keyParts.length, typed) : null,
  };
}

/** The field that is the key, null: the key is made of several. */
function keyFieldOf({ keyParts, fields }: CompiledModel): Field | null {
  return keyParts.length === 1 ? fields[keyParts[0]!]! : null;
}

function isOfKey({ op }: Column): boolean {
  return op.op === 'key' || (op.op === 'session_id' && op.template === KEY_ALONE);
}

export function nameOf({ path }: Field): string {
  return path.join('.');
}

function findName(model: CompiledModel, name: string): { field: Field; columns: Column[] } | null {
  const named = model.columns.find((column) => column.name === name);
  const field = named === undefined ? null : fieldOf(model, named);
  if (field !== null) return { field, columns: columnsOf(model, field) };
  const read = model.fields.find((each) => nameOf(each) === name);
  if (read === undefined) return null;
  const columns = columnsOf(model, read);
  if (columns.length > 0) return { field: read, columns };
  // without a column of its own, what the key says of it
  return model.keyParts.includes(read.index) ? { field: read, columns: model.columns.filter(isOfKey) } : null;
}

/** The field that a column repeats, null: it is made of more. */
function fieldOf(model: CompiledModel, column: Column): Field | null {
  if (isOfKey(column)) return keyFieldOf(model);
  const { op } = column;
  return op.op === 'first' && op.where === null ? model.fields[op.field]! : null;
}

function columnsOf(model: CompiledModel, field: Field): Column[] {
  return model.columns.filter((column) => fieldOf(model, column) === field);
}

function typedValue(name: string, field: Field, text: string, model: CompiledModel): string | number {
  const { type, mask } = field;
  if (type === 'string') return mask === undefined ? text : masked(text, mask, model)!;
  if (type !== 'uint32') {
    throw new HeadraceError(
      'CONFIG_INVALID',
      `a person is named by a text or a whole number, not by a ${type}`,
      {
        where: { key: name },
        remedy: 'name the model’s key',
      },
    );
  }
  const number = Number(text);
  if (/^\d{1,10}$/.test(text) && number <= 0xffff_ffff) return number;
  throw new HeadraceError('USAGE', 'the value of --key must be a whole number from 0 to 4294967295 here', {
    where: { key: name },
  });
}

function unknownName(model: CompiledModel, name: string): HeadraceError {
  const parts = model.columns.some(isOfKey) ? model.keyParts.map((part) => nameOf(model.fields[part]!)) : [];
  const names = [
    ...new Set([
      ...parts,
      ...model.columns.flatMap((column) => {
        const field = fieldOf(model, column);
        if (field === null || (field.type !== 'string' && field.type !== 'uint32')) return [];
        return [column.name];
      }),
    ]),
  ];
  const meant = suggest(name, names);
  return new HeadraceError('CONFIG_INVALID', 'nothing in the model names a person by this', {
    where: { key: name, model: model.name },
    remedy: meant === undefined ? `one of ${names.slice(0, 8).join(', ')}` : `did you mean ${meant}?`,
  });
}
