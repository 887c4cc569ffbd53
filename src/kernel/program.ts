import { flagsField, type LoggedFields, loggedFields } from '../model/logged-fields.js';
import type { Column, ColumnOp, ColumnType, CompiledModel, Field } from '../model/types.js';
import * as abi from './abi.js';
import { ConditionTable } from './program-conditions.js';
import { putConcat, putFormula } from './program-derived.js';
import { putHashing, putMasks } from './program-mask.js';
import { ProgramWriter } from './program-writer.js';

/** Compiled model → the bytes that the kernel interprets; abi.ts has their form. */

const OPS: Readonly<Record<ColumnOp['op'], number>> = {
  key: abi.OP_KEY,
  session_id: abi.OP_SESSION_ID,
  session_start: abi.OP_SESSION_START,
  session_end: abi.OP_SESSION_END,
  duration_sec: abi.OP_DURATION_SEC,
  count: abi.OP_COUNT,
  count_if: abi.OP_COUNT_IF,
  first: abi.OP_FIRST,
  last: abi.OP_LAST,
  count_distinct: abi.OP_COUNT_DISTINCT,
  list: abi.OP_LIST,
  set: abi.OP_SET,
  created_at: abi.OP_CREATED_AT,
  batch_id: abi.OP_BATCH_ID,
  file_id: abi.OP_FILE_ID,
  closed_by: abi.OP_CLOSED_BY,
  revision: abi.OP_REVISION,
  sign: abi.OP_SIGN,
  count_values: abi.OP_COUNT_VALUES,
  records: abi.OP_RECORDS,
  min: abi.OP_MIN,
  max: abi.OP_MAX,
  sum: abi.OP_SUM,
  avg: abi.OP_AVG,
  argmin: abi.OP_ARGMIN,
  argmax: abi.OP_ARGMAX,
  constant: abi.OP_CONSTANT,
  concat: abi.OP_CONCAT,
  calculate: abi.OP_CALCULATE,
  overflow: abi.OP_OVERFLOW,
  // what they hold is among an event's values
  partition: abi.OP_FIRST,
  first_offset: abi.OP_MIN,
  last_offset: abi.OP_MAX,
};

export const COLUMN_TYPES: Readonly<Record<ColumnType, number>> = {
  int8: abi.COLUMN_INT8,
  int16: abi.COLUMN_INT16,
  int32: abi.COLUMN_INT32,
  int64: abi.COLUMN_INT64,
  uint8: abi.COLUMN_UINT8,
  uint16: abi.COLUMN_UINT16,
  uint32: abi.COLUMN_UINT32,
  uint64: abi.COLUMN_UINT64,
  float: abi.COLUMN_FLOAT,
  bool: abi.COLUMN_BOOL,
  time: abi.COLUMN_TIME,
  string: abi.COLUMN_STRING,
  'list<string>': abi.COLUMN_LIST,
};

const FIELD_TYPES: Readonly<Record<Field['type'], number>> = {
  string: abi.TYPE_STRING,
  number: abi.TYPE_NUMBER,
  boolean: abi.TYPE_BOOLEAN,
  int32: abi.TYPE_INT32,
  uint32: abi.TYPE_UINT32,
  time: abi.TYPE_TIME,
};

const TIME_FORMATS = {
  iso8601: abi.TIME_ISO8601,
  epoch_ms: abi.TIME_EPOCH_MS,
  epoch_s: abi.TIME_EPOCH_S,
} as const;

const VALUE_FORMATS = {
  json: abi.VALUE_JSON,
  json_schema_registry: abi.VALUE_FRAMED_JSON,
  msgpack: abi.VALUE_MESSAGE,
} as const;

/** Throws nothing for a model that compileModel has passed and that keeps at most LOGGED_MAX fields. */
export function encodeProgram(model: CompiledModel): Uint8Array {
  const out = new ProgramWriter();
  const logged = loggedFields(model);
  const header = out.reserve(abi.P_HEADER_BYTES);
  out.u32(header + abi.P_FIELD_COUNT, model.fields.length + (logged.flags === null ? 0 : 1));
  out.u32(header + abi.P_LOGGED_COUNT, logged.fields.length);
  out.u32(header + abi.P_TRACKED_COUNT, logged.tracked);
  out.u32(header + abi.P_KEY_FIELD, model.keyField);
  out.u32(header + abi.P_TIME_FIELD, model.timeField);
  out.u32(header + abi.P_TIME_FORMAT, TIME_FORMATS[model.timeFormat]);
  out.u32(header + abi.P_VALUE_FORMAT, VALUE_FORMATS[model.valueFormat]);
  out.u32(header + abi.P_COLUMN_COUNT, model.columns.length);
  const conditions = new ConditionTable(out, logged);
  out.u32(header + abi.P_END_CONDITION, model.endEvent === null ? -1 : conditions.put(model.endEvent));
  out.u32(header + abi.P_FILTER, model.filter === null ? -1 : conditions.put(model.filter));
  const isMadeKey = model.fields[model.keyField]?.made === 'key';
  out.u32(header + abi.P_KEY_PARTS, isMadeKey ? putKeyParts(out, model) : 0);
  out.u32(header + abi.P_DEDUPLICATE, placeOf(logged, model.deduplicateField));
  out.u32(header + abi.P_MASKS, putMasks(out, model));
  out.u32(header + abi.P_HASHING, model.maskSalt === null ? 0 : putHashing(out, model.maskSalt));
  out.u32(
    header + abi.P_OFFSET_FIELD,
    model.fields.findIndex(({ made }) => made === 'offset'),
  );
  out.u32(
    header + abi.P_PARTITION_FIELD,
    model.fields.findIndex(({ made }) => made === 'partition'),
  );
  out.u32(header + abi.P_SESSION_START_COLUMN, model.columnIndex.session_start);
  out.u32(header + abi.P_COLLECTION_BYTES, model.collectionBytesMax);
  out.u32(header + abi.P_SIGN_COLUMN, model.columnIndex.sign);
  out.u32(header + abi.P_REVISION_COLUMN, model.columnIndex.revision);
  out.i64(header + abi.P_GAP, model.gapMs);
  out.u32(header + abi.P_GAP_FIELD, model.gapField?.field ?? -1);
  out.i64(header + abi.P_GAP_DEFAULT, model.gapField?.defaultMs ?? model.gapMs);
  out.u32(header + abi.P_GAP_UNIT, model.gapField?.unitMs ?? 1);
  out.i64(header + abi.P_DISORDER, model.allowedDisorderMs);
  out.i64(header + abi.P_LATENESS, model.allowedLatenessMs);
  out.i64(header + abi.P_MAX_FUTURE, model.maxFutureMs);
  putWindows(out, header, model, logged, conditions);
  out.u32(header + abi.P_LOGGED_FIELDS, putLogged(out, logged));
  out.u32(header + abi.P_FIELDS, putFields(out, model, logged));
  out.u32(header + abi.P_COLUMNS, putColumns(out, model, logged, conditions));
  out.u32(header + abi.P_CONDITIONS, conditions.finish());
  out.u32(header + abi.P_CONDITION_COUNT, conditions.count);
  const read = model.fields.filter(({ made }) => made === undefined);
  out.u32(header + abi.P_KEYS, putNode(out, read, 0));
  return out.finish();
}

function putWindows(
  out: ProgramWriter,
  header: number,
  model: CompiledModel,
  logged: LoggedFields,
  conditions: ConditionTable,
): void {
  const { maxDurationMs, startEvent, endCounted, midnight, onChange } = model.windows;
  out.i64(header + abi.P_MAX_DURATION, maxDurationMs);
  out.u32(header + abi.P_START_CONDITION, startEvent === null ? -1 : conditions.put(startEvent));
  out.u32(header + abi.P_END_COUNTED, endCounted ? 1 : 0);
  out.u32(header + abi.P_FLAGS_FIELD, logged.flags ?? -1);
  out.u32(header + abi.P_CHANGE_COUNT, onChange.length);
  const places = out.reserve(onChange.length * 4);
  out.u32(header + abi.P_CHANGE_PLACES, places);
  onChange.forEach((field, index) => {
    out.u32(places + index * 4, logged.fields.indexOf(field));
  });
  if (midnight === null) return;
  const zone = out.reserve(abi.ZONE_ENTRIES + midnight.fromMs.length * abi.ZONE_ENTRY_BYTES);
  out.u32(header + abi.P_ZONE, zone);
  out.u32(zone, midnight.fromMs.length);
  midnight.fromMs.forEach((fromMs, index) => {
    const entry = zone + abi.ZONE_ENTRIES + index * abi.ZONE_ENTRY_BYTES;
    out.i64(entry, fromMs);
    out.i64(entry + 8, midnight.offsetMs[index]!);
  });
}

function putKeyParts(out: ProgramWriter, { keyParts, fields }: CompiledModel): number {
  const at = out.reserve(abi.KEY_PARTS + keyParts.length * abi.KEY_PART_BYTES);
  out.u32(at, keyParts.length);
  for (const [index, field] of keyParts.entries()) {
    const entry = at + abi.KEY_PARTS + index * abi.KEY_PART_BYTES;
    out.u32(entry, field);
    out.u32(entry + 4, FIELD_TYPES[fields[field]!.type]);
  }
  return at;
}

function putLogged(out: ProgramWriter, { fields }: LoggedFields): number {
  const at = out.reserve(fields.length * 4);
  fields.forEach((field, place) => {
    out.u32(at + place * 4, field);
  });
  return at;
}

function putFields(out: ProgramWriter, model: CompiledModel, logged: LoggedFields): number {
  const flags = logged.flags === null ? [] : [flagsField(logged.flags)];
  const fields = [...model.fields, ...flags];
  const at = out.reserve(fields.length * abi.FIELD_BYTES);
  for (const field of fields) {
    const entry = at + field.index * abi.FIELD_BYTES;
    out.u32(entry + abi.FIELD_TYPE, FIELD_TYPES[field.type]);
    out.u32(entry + abi.FIELD_REQUIRED, field.required && field.made === undefined ? 1 : 0);
    out.u32(entry + abi.FIELD_LOGGED, logged.fields.indexOf(field.index));
  }
  return at;
}

function putColumns(
  out: ProgramWriter,
  model: CompiledModel,
  logged: LoggedFields,
  conditions: ConditionTable,
): number {
  const at = out.reserve(model.columns.length * abi.COLUMN_BYTES);
  for (const column of model.columns) {
    const { index, op, nullable } = column;
    const entry = at + index * abi.COLUMN_BYTES;
    out.u32(entry + abi.COLUMN_OP, OPS[op.op]);
    out.u32(entry + abi.COLUMN_TYPE, COLUMN_TYPES[fileType(column)]);
    out.u32(entry + abi.COLUMN_FIELD, fieldOf(op));
    out.u32(entry + abi.COLUMN_LIMIT, 'limit' in op ? op.limit : 0);
    out.u32(entry + abi.COLUMN_ARGUMENT, putArgument(out, model, logged, op));
    out.u32(entry + abi.COLUMN_NULLABLE, nullable ? 1 : 0);
    if ('field' in op) out.u32(entry + abi.COLUMN_PLACE, placeOrTime(model, logged, op.field));
    if ('where' in op && op.where !== null) out.u32(entry + abi.COLUMN_WHERE, conditions.put(op.where) + 1);
    if (op.op === 'list') out.u32(entry + abi.COLUMN_BY, placeOf(logged, op.by));
    else if ('by' in op) out.u32(entry + abi.COLUMN_BY, placeOrTime(model, logged, op.by) + 1);
    if (op.op === 'overflow') out.u32(entry + abi.COLUMN_OF, op.of);
  }
  return at;
}

/** Of the session's events all have a sign of 1: nothing is clamped, and files that there are have it wider. */
function fileType({ type, op }: Column): ColumnType {
  return op.op === 'sign' ? 'int32' : type;
}

function putArgument(out: ProgramWriter, model: CompiledModel, logged: LoggedFields, op: ColumnOp): number {
  switch (op.op) {
    case 'session_id':
      return putTemplate(out, op.template);
    case 'records':
      return putMembers(out, model, logged, op.members);
    case 'constant':
      return typeof op.value === 'string' ? out.textSet([op.value]) : out.number(Number(op.value));
    case 'concat':
      return putConcat(out, op.of, op.separator);
    case 'calculate':
      return putFormula(out, op.formula);
    default:
      return 0;
  }
}

function fieldOf(op: ColumnOp): number {
  if (op.op === 'records') return op.present ?? -1;
  return 'field' in op ? op.field : -1;
}

/** As the program has it: 0 is none. */
function placeOf({ fields }: LoggedFields, field: number | null): number {
  return field === null ? 0 : fields.indexOf(field) + 1;
}

/** Of the time field, which a session keeps only where its value is asked for as such, the time beside the values. */
function placeOrTime(model: CompiledModel, { fields }: LoggedFields, field: number): number {
  return field === model.timeField ? abi.PLACE_TIME : fields.indexOf(field);
}

function putMembers(
  out: ProgramWriter,
  model: CompiledModel,
  logged: LoggedFields,
  members: readonly { name: string; field: number }[],
): number {
  const at = out.reserve(abi.MEMBERS + members.length * abi.MEMBER_BYTES);
  out.u32(at + abi.MEMBER_COUNT, members.length);
  members.forEach(({ name, field }, index) => {
    const entry = at + abi.MEMBERS + index * abi.MEMBER_BYTES;
    const text = out.text(`${index === 0 ? '' : ','}${JSON.stringify(name)}:`);
    out.u32(entry + abi.MEMBER_NAME, text.at);
    out.u32(entry + abi.MEMBER_NAME_LENGTH, text.bytes);
    out.u32(entry + abi.MEMBER_PLACE, field === model.timeField ? 0 : placeOf(logged, field));
    out.u32(entry + abi.MEMBER_TYPE, FIELD_TYPES[model.fields[field]!.type]);
  });
  return at;
}

function putTemplate(out: ProgramWriter, template: string): number {
  const parts = template.split(/(\{key\}|\{start_ms\})/).filter((part) => part !== '');
  const at = out.reserve(abi.TEMPLATE_PARTS + parts.length * abi.TEMPLATE_PART_BYTES);
  out.u32(at, parts.length);
  parts.forEach((part, index) => {
    const entry = at + abi.TEMPLATE_PARTS + index * abi.TEMPLATE_PART_BYTES;
    const kind =
      part === '{key}' ? abi.PART_KEY : part === '{start_ms}' ? abi.PART_START_MS : abi.PART_LITERAL;
    out.u32(entry, kind);
    if (kind !== abi.PART_LITERAL) return;
    const text = out.text(part);
    out.u32(entry + 4, text.at);
    out.u32(entry + 8, text.bytes);
  });
  return at;
}

/** The node for the objects at a depth that these fields lead through. */
function putNode(out: ProgramWriter, fields: readonly Field[], depth: number): number {
  const keys = [...new Set(fields.map((field) => field.path[depth]!))];
  const at = out.reserve(abi.NODE_KEYS + keys.length * abi.KEY_BYTES);
  out.u32(at + abi.NODE_COUNT, keys.length);
  keys.forEach((key, index) => {
    const entry = at + abi.NODE_KEYS + index * abi.KEY_BYTES;
    const through = fields.filter((field) => field.path[depth] === key);
    const ending = through.find((field) => field.path.length === depth + 1);
    const below = through.filter((field) => field.path.length > depth + 1);
    const text = out.text(key);
    out.u32(entry + abi.KEY_TEXT, text.at);
    out.u32(entry + abi.KEY_LENGTH, text.bytes);
    out.u32(entry + abi.KEY_FIELD, ending?.index ?? -1);
    out.u32(entry + abi.KEY_NODE, below.length === 0 ? 0 : putNode(out, below, depth + 1));
  });
  return at;
}
