import { flagsField, type LoggedFields, loggedFields } from '../model/logged-fields.js';
import type { ColumnOp, ColumnType, CompiledModel, Field } from '../model/types.js';
import * as abi from './abi.js';

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
};

const COLUMN_TYPES: Readonly<Record<ColumnType, number>> = {
  int8: abi.COLUMN_INT8,
  uint16: abi.COLUMN_UINT16,
  uint32: abi.COLUMN_UINT32,
  uint64: abi.COLUMN_UINT64,
  float: abi.COLUMN_FLOAT,
  time: abi.COLUMN_TIME,
  string: abi.COLUMN_STRING,
  'list<string>': abi.COLUMN_LIST,
};

const FIELD_TYPES: Readonly<Record<Field['type'], number>> = {
  string: abi.TYPE_STRING,
  number: abi.TYPE_NUMBER,
  uint32: abi.TYPE_UINT32,
  time: abi.TYPE_TIME,
};

const TIME_FORMATS = {
  iso8601: abi.TIME_ISO8601,
  epoch_ms: abi.TIME_EPOCH_MS,
  epoch_s: abi.TIME_EPOCH_S,
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
  out.u32(header + abi.P_COLUMN_COUNT, model.columns.length);
  out.u32(header + abi.P_END_FIELD, model.endEvent?.field ?? -1);
  out.u32(header + abi.P_END_SET, out.textSet(model.endEvent?.oneOf ?? []));
  out.u32(header + abi.P_SESSION_START_COLUMN, model.columnIndex.session_start);
  out.u32(header + abi.P_COLLECTION_BYTES, model.collectionBytesMax);
  out.u32(header + abi.P_SIGN_COLUMN, model.columnIndex.sign);
  out.u32(header + abi.P_REVISION_COLUMN, model.columnIndex.revision);
  out.i64(header + abi.P_GAP, model.gapMs);
  out.i64(header + abi.P_DISORDER, model.allowedDisorderMs);
  out.i64(header + abi.P_LATENESS, model.allowedLatenessMs);
  out.i64(header + abi.P_MAX_FUTURE, model.maxFutureMs);
  putWindows(out, header, model, logged);
  out.u32(header + abi.P_LOGGED_FIELDS, putLogged(out, logged));
  out.u32(header + abi.P_FIELDS, putFields(out, model, logged));
  out.u32(header + abi.P_COLUMNS, putColumns(out, model, logged));
  out.u32(header + abi.P_KEYS, putNode(out, model.fields, 0));
  return out.finish();
}

function putWindows(out: ProgramWriter, header: number, model: CompiledModel, logged: LoggedFields): void {
  const { maxDurationMs, startEvent, endCounted, midnight, onChange } = model.windows;
  out.i64(header + abi.P_MAX_DURATION, maxDurationMs);
  out.u32(header + abi.P_START_FIELD, startEvent?.field ?? -1);
  out.u32(header + abi.P_START_SET, out.textSet(startEvent?.oneOf ?? []));
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
    out.u32(entry + abi.FIELD_REQUIRED, field.required ? 1 : 0);
    out.u32(entry + abi.FIELD_LOGGED, logged.fields.indexOf(field.index));
  }
  return at;
}

function putColumns(out: ProgramWriter, model: CompiledModel, logged: LoggedFields): number {
  const at = out.reserve(model.columns.length * abi.COLUMN_BYTES);
  for (const { index, op, type, nullable } of model.columns) {
    const entry = at + index * abi.COLUMN_BYTES;
    out.u32(entry + abi.COLUMN_OP, OPS[op.op]);
    out.u32(entry + abi.COLUMN_TYPE, COLUMN_TYPES[type]);
    out.u32(entry + abi.COLUMN_FIELD, fieldOf(op));
    out.u32(entry + abi.COLUMN_LIMIT, 'limit' in op ? op.limit : 0);
    out.u32(entry + abi.COLUMN_ARGUMENT, putArgument(out, model, logged, op));
    out.u32(entry + abi.COLUMN_NULLABLE, nullable ? 1 : 0);
    if (op.op !== 'list') continue;
    out.u32(entry + abi.COLUMN_BY, placeOf(logged, op.by));
    out.u32(entry + abi.COLUMN_WHERE, placeOf(logged, op.where?.field ?? null));
  }
  return at;
}

function putArgument(out: ProgramWriter, model: CompiledModel, logged: LoggedFields, op: ColumnOp): number {
  switch (op.op) {
    case 'count_if':
      return out.textSet(op.where.oneOf);
    case 'list':
      return op.where === null ? 0 : out.textSet(op.where.oneOf);
    case 'session_id':
      return putTemplate(out, op.template);
    case 'records':
      return putMembers(out, model, logged, op.members);
    default:
      return 0;
  }
}

function fieldOf(op: ColumnOp): number {
  if (op.op === 'count_if') return op.where.field;
  if (op.op === 'records') return op.present ?? -1;
  return 'field' in op ? op.field : -1;
}

/** As the program has it: 0 is none. */
function placeOf({ fields }: LoggedFields, field: number | null): number {
  return field === null ? 0 : fields.indexOf(field) + 1;
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

/** Grows; places are multiples of 8, zeroed. */
class ProgramWriter {
  #bytes = Buffer.alloc(4096);
  #at = 0;

  reserve(bytes: number): number {
    const at = this.#at;
    this.#at = at + Math.ceil(bytes / 8) * 8;
    while (this.#at > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#bytes.length)]);
    }
    return at;
  }

  /** Negative numbers as two's complement. */
  u32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value >>> 0, at);
  }

  i64(at: number, value: number): void {
    this.#bytes.writeBigInt64LE(BigInt(value), at);
  }

  text(text: string): { at: number; bytes: number } {
    const bytes = Buffer.from(text);
    const at = this.reserve(bytes.length + 32);
    bytes.copy(this.#bytes, at);
    return { at, bytes: bytes.length };
  }

  textSet(texts: readonly string[]): number {
    const at = this.reserve(abi.SET_TEXTS + texts.length * abi.SET_TEXT_BYTES);
    this.u32(at + abi.SET_COUNT, texts.length);
    texts.forEach((each, index) => {
      const text = this.text(each);
      this.u32(at + abi.SET_TEXTS + index * abi.SET_TEXT_BYTES, text.at);
      this.u32(at + abi.SET_TEXTS + index * abi.SET_TEXT_BYTES + 4, text.bytes);
    });
    return at;
  }

  finish(): Uint8Array {
    // so that the last text may be read ahead of
    this.reserve(abi.READ_AHEAD_BYTES);
    this.u32(abi.P_BYTES, this.#at);
    return new Uint8Array(this.#bytes.subarray(0, this.#at));
  }
}
