import { parseConfigText } from '../config/file.js';
import type { Problem } from '../config/problems.js';
import { collectionBytesMax, compileColumns } from './columns.js';
import { compileCondition } from './conditions.js';
import {
  type Complain,
  compileFields,
  type FieldsByName,
  findField,
  MadeFields,
  requiredField,
} from './fields.js';
import { modelHash } from './hash.js';
import { readMaskSalt } from './mask-salt.js';
import { modelInvalid, problemsOf } from './problems.js';
import { checkForm, type ModelFile } from './schema.js';
import type { CompiledModel, Field } from './types.js';
import { compileGap, compileWindows } from './windows.js';

/**
 * A model file → the table of operations that the engine runs. All that is wrong is said at once, with path and line.
 */

/** Bounds the time a hostile file costs: YAML's check for keys that come twice is quadratic. */
export const MODEL_BYTES_MAX = 64 * 1024;
const COLUMNS_MAX = 512;

/** Throws HeadraceError MODEL_INVALID. `fileName` is for messages only; paths in the file start from `folder`. */
export function compileModel(yamlText: string, fileName: string, folder = '.'): CompiledModel {
  if (Buffer.byteLength(yamlText) > MODEL_BYTES_MAX) {
    throw modelInvalid(fileName, [{ path: '', message: `is larger than ${MODEL_BYTES_MAX} bytes` }]);
  }
  const text = parseYaml(yamlText, fileName);
  const fail = (problems: readonly Problem[]) =>
    modelInvalid(
      fileName,
      problems.map((problem) => ({ line: text.lineOf(problem.path), ...problem })),
    );
  if (text.problems.length > 0) throw modelInvalid(fileName, text.problems);
  const unseen = unseenNames(text.root);
  if (unseen.length > 0) throw fail(unseen.map((path) => ({ path, message: 'is no name to take' })));
  const form = checkForm(text.root);
  if (!form.ok) throw fail(problemsOf(form.issues, text.root));
  const problems: Problem[] = [];
  const model = assemble(form.file, folder, (path, message) => problems.push({ path, message }));
  if (problems.length > 0) throw fail(problems);
  return { ...model, hash: modelHash(model) };
}

/** Where a map of names holds `__proto__`: the schema library skips this one name, so it would go unseen. */
function unseenNames(root: Readonly<Record<string, unknown>>): string[] {
  const { fields, columns } = root;
  const maps: [string, unknown][] = [
    ['fields', fields],
    ['columns', columns],
  ];
  if (isMap(columns)) {
    for (const [name, column] of Object.entries(columns)) {
      if (isMap(column)) maps.push([`columns.${name}.of`, column.of]);
    }
  }
  return maps.flatMap(([path, map]) =>
    isMap(map) && Object.hasOwn(map, '__proto__') ? [`${path}.__proto__`] : [],
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function parseYaml(yamlText: string, fileName: string) {
  try {
    return parseConfigText(yamlText);
  } catch (error) {
    // the YAML library recurses: too deep a nesting ends its stack
    if (!(error instanceof RangeError)) throw error;
    throw modelInvalid(fileName, [{ path: '', message: 'is nested too deeply' }]);
  }
}

function assemble(file: ModelFile, folder: string, complain: Complain): Omit<CompiledModel, 'hash'> {
  const fields = compileFields(file.fields, complain);
  const made = new MadeFields(fields);
  const key = compileKey(file.key, fields, made, complain);
  const time = requiredField(fields, file.time.field, 'time.field', ['time'], complain);
  for (const [name, { type }] of fields) {
    if (type === 'time' && name !== file.time.field) {
      complain(`fields.${name}.type`, `only ${file.time.field}, the field of time, has type time`);
    }
  }
  const { columns, columnIndex } = compileColumns(file.columns, fields, made, complain);
  if (columns.length > COLUMNS_MAX) complain('columns', `more than ${COLUMNS_MAX}`);
  return {
    name: file.name,
    fields: [...fields.values(), ...made.list],
    ...key,
    maskSalt: readMaskSalt(file.mask_salt_file, fields, folder, complain),
    deduplicateField: compileDeduplicate(file.deduplicate, fields, complain),
    timeField: time?.index ?? 0,
    timeFormat: file.time.format,
    valueFormat: file.value,
    ...compileGap(file.gap, fields, complain),
    allowedDisorderMs: file.allowed_disorder,
    allowedLatenessMs: file.allowed_lateness,
    maxFutureMs: file.max_future,
    idleTimeoutMs: file.idle_timeout,
    filter: file.filter === undefined ? null : compileCondition(file.filter, 'filter', fields, complain),
    endEvent:
      file.end_event === undefined ? null : compileCondition(file.end_event, 'end_event', fields, complain),
    windows: compileWindows(file, fields, complain),
    emitEarlyMs: file.emit?.early ?? null,
    columns,
    collectionBytesMax: collectionBytesMax(columns),
    columnIndex,
    partitionColumn: 'session_date',
  };
}

const KEY_TYPES: readonly Field['type'][] = ['string', 'uint32'];

/** A text of its own where the key is not one text as it stands. */
function compileKey(
  file: ModelFile['key'],
  fields: FieldsByName,
  made: MadeFields,
  complain: Complain,
): Pick<CompiledModel, 'keyField' | 'keyParts'> {
  const names = Array.isArray(file) ? file : [file];
  const parts = names.flatMap((name, index) => {
    const path = Array.isArray(file) ? `key.${index}` : 'key';
    const field = requiredField(fields, name, path, KEY_TYPES, complain);
    if (field?.mask === 'truncate_ip') complain(path, `${name} is no key: many addresses become one`);
    return field === null ? [] : [field];
  });
  if (new Set(names).size < names.length) complain('key', 'has a field twice');
  const keyParts = parts.map(({ index }) => index);
  const isPlain = parts.length === 1 && parts[0]!.type === 'string';
  return { keyField: isPlain ? keyParts[0]! : made.of('key').index, keyParts };
}

function compileDeduplicate(
  name: string | undefined,
  fields: FieldsByName,
  complain: Complain,
): number | null {
  if (name === undefined) return null;
  return (
    findField(fields, name, 'deduplicate', ['string', 'number', 'int32', 'uint32'], complain)?.index ?? null
  );
}
