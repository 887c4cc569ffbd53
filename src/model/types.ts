import type { DeadLetterReason } from './dead-letter-reasons.js';
import type { Zone } from './zone.js';

export type { DeadLetterReason } from './dead-letter-reasons.js';

/**
 * The compiled model: what a session is, as a table of operations. Reference, kernel, Arrow and Delta schema all read
 * this and nothing else; config/models has the YAML it comes from, shared words are in src/ARCHITECTURE.md.
 */

/**
 * A type with its width in the sinks. ClickHouse: the same width; Delta, which knows no unsigned numbers: the narrowest signed
 * one that holds all of them. uint64 ends at 2⁶³ − 1, Delta's last number.
 */
export type ColumnType = NumberType | 'bool' | 'time' | 'string' | 'list<string>';

export type NumberType =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'float';

/** Types of a field in an event. `time` is parsed by the model's time format, all others are JSON's. */
export type FieldType = 'string' | 'number' | 'boolean' | 'int32' | 'uint32' | 'time';

/** One value that the model takes out of an event. */
export interface Field {
  /** Index into the values of an event. */
  index: number;
  /** Path of keys, e.g. ['geo', 'country']. */
  path: readonly string[];
  type: FieldType;
  /** An event without it (missing or null) is a dead letter `missing_field`. */
  required: boolean;
  /** What is kept of its value, which says who somebody is. An address that is none becomes null. */
  mask?: 'truncate_ip' | 'hash';
  /**
   * Not read from an event's JSON but made beside it: where the event came from, or the key of several fields. Its path is
   * empty.
   */
  made?: 'partition' | 'offset' | 'key';
}

/**
 * What is asked of one event. A field that is null matches nothing but `present: false` and `noneOf`. `least` and `most` are
 * inclusive, null: no bound.
 */
export type Condition =
  /** Equality with one of some strings, e.g. event_type in [purchase]. */
  | { field: number; oneOf: readonly string[] }
  | { field: number; noneOf: readonly string[] }
  | { field: number; present: boolean }
  | { field: number; least: number | null; most: number | null }
  | { field: number; is: boolean }
  | { all: readonly Condition[] }
  | { any: readonly Condition[] };

/** A field of which each event says how long it holds its session open. */
export interface GapField {
  field: number;
  /** The field's unit. */
  unitMs: number;
  /** What an event without a value holds it for. */
  defaultMs: number;
}

/** What begins and ends sessions beside gap and end event; src/reference/windows.ts has the meaning. */
export interface WindowRules {
  /** No session is longer: its last event − its first. */
  maxDurationMs: number;
  /** An event that begins a new session, or null. */
  startEvent: Condition | null;
  /** The end event is its session's last; else it belongs to none. */
  endCounted: boolean;
  /** Sessions end at this zone's midnight; null: they do not. */
  midnight: Zone | null;
  /** Fields of which another value begins a new session. */
  onChange: readonly number[];
}

/**
 * A formula over columns of the same row. Truth values are 1 and 0. NaN stands for null: what holds a null, a division by zero
 * or no number at all is null.
 */
export type Formula =
  | { number: number }
  /** A column before this one. */
  | { column: number }
  | { call: FormulaCall; of: readonly Formula[] };

export type FormulaCall =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'negate'
  | 'equal'
  | 'unequal'
  | 'below'
  | 'at_most'
  | 'and'
  | 'or'
  | 'not'
  | 'floor'
  | 'round'
  | 'min'
  | 'max'
  | 'abs';

/**
 * How a column comes out of the events of a session, which lie in (event time, offset) order. `where`: of these events only,
 * null: of all. Of the time field the event's own time is taken.
 */
export type ColumnOp =
  | { op: 'key' }
  /** `{key}` and `{start_ms}` filled in; fixed when a session's first row is emitted. */
  | { op: 'session_id'; template: string }
  | { op: 'session_start' }
  | { op: 'session_end' }
  /** floor((end − start) / 1000) */
  | { op: 'duration_sec' }
  | { op: 'count' }
  | { op: 'count_if'; where: Condition }
  /** First and last value that is not null. */
  | { op: 'first'; field: number; where: Condition | null }
  | { op: 'last'; field: number; where: Condition | null }
  /** Of the values that are not null; null where there is none. Sums are added up in the events' order. */
  | { op: 'min'; field: number; where: Condition | null }
  | { op: 'max'; field: number; where: Condition | null }
  | { op: 'sum'; field: number; where: Condition | null }
  | { op: 'avg'; field: number; where: Condition | null }
  /** `field` of the event in which `by` is least or greatest, of those that have both; of several the first. */
  | { op: 'argmin'; field: number; by: number; where: Condition | null }
  | { op: 'argmax'; field: number; by: number; where: Condition | null }
  /** Exact number of different values, nulls left out. */
  | { op: 'count_distinct'; field: number; where: Condition | null }
  /** Number of values that are not null, repeats included. */
  | { op: 'count_values'; field: number; where: Condition | null }
  /**
   * Values that are not null, the first `limit` of them. With `by`: one value for each different value of that field, of the
   * event that brings it first, null where that event lacks `field` (so that several such lists pair up, item by item);
   * events that lack `by` are left out. `where`: of these events only. `json`: one string that holds a JSON array, as
   * JSON.stringify writes it, in place of a list; only there can an item be null, so `by` needs it.
   */
  | { op: 'list'; field: number; limit: number; json: boolean; by: number | null; where: Condition | null }
  /** Different values that are not null, by first appearance, the first `limit` of them. `json` as above. */
  | { op: 'set'; field: number; limit: number; json: boolean; where: Condition | null }
  /**
   * Events as objects, the first `limit` of those that have `present`, in one string that holds a JSON array as
   * JSON.stringify writes it. Members in the order of `members`; a missing value is null; the time field is the event's
   * time in ms since 1970, as a number.
   */
  | {
      op: 'records';
      members: readonly { name: string; field: number }[];
      present: number | null;
      limit: number;
      where: Condition | null;
    }
  | { op: 'constant'; value: string | number | boolean }
  /** Columns before this one as one text, those that are null left out with their separator; shares the room of lists. */
  | { op: 'concat'; of: readonly number[]; separator: string }
  | { op: 'calculate'; formula: Formula }
  /** How many items a list, set or records before this one has not, for its limit or its size. */
  | { op: 'overflow'; of: number }
  /** The lane's number, and the least and greatest offset of the events; `field` holds them. */
  | { op: 'partition'; field: number }
  | { op: 'first_offset'; field: number }
  | { op: 'last_offset'; field: number }
  /** Filled in at the seal: the cut's time, the cut's id, the file's id. Outside equality and the cut's CRC. */
  | { op: 'created_at' }
  | { op: 'batch_id' }
  | { op: 'file_id' }
  | { op: 'closed_by' }
  | { op: 'revision' }
  | { op: 'sign' };

export interface Column {
  /** Index into a row. */
  index: number;
  name: string;
  type: ColumnType;
  nullable: boolean;
  /** Few different values: LowCardinality in ClickHouse, a dictionary in Parquet. */
  lowCardinality: boolean;
  op: ColumnOp;
}

export interface CompiledModel {
  name: string;
  /** SHA-256 (hex) over everything that decides a row. Part of the semantics hash in the ledger. */
  hash: string;
  fields: readonly Field[];
  /** Indexes into `fields`. */
  keyField: number;
  timeField: number;
  timeFormat: 'iso8601' | 'epoch_ms' | 'epoch_s';
  /** What a record's value is (src/reference/value.ts). */
  valueFormat: 'json' | 'json_schema_registry' | 'msgpack';
  /** How long each event holds its session open, or at most where a field says it. */
  gapMs: number;
  /** Null: all events hold it for as long. */
  gapField: GapField | null;
  allowedDisorderMs: number;
  allowedLatenessMs: number;
  maxFutureMs: number;
  idleTimeoutMs: number;
  /** Whose values make the key, in their order: alone the key's own field, or those that the made key is of. */
  keyParts: readonly number[];
  /** What hashed values are mixed with; null: none is hashed. Secret. */
  maskSalt: Uint8Array | null;
  /** Of a session's events with the same value here only the first is in its columns; null: all of them are. */
  deduplicateField: number | null;
  /** Other events are valid and move the watermark, but belong to no session; null: there is none. */
  filter: Condition | null;
  /** An event that ends its session, or null. */
  endEvent: Condition | null;
  /** What else begins and ends sessions. */
  windows: WindowRules;
  /** Sessions that go on are let out this often when they have changed, ms; null: never. */
  emitEarlyMs: number | null;
  columns: readonly Column[];
  /**
   * What a list, set or records may take of a row, in bytes of its text (as JSON, or 4 beside each text of a list). The first
   * item that would go over it and those behind it are left out, which counts as a value that was clamped.
   */
  collectionBytesMax: number;
  /** Column names by purpose, for those that address rows from outside. */
  columnIndex: Readonly<
    Record<
      'session_start' | 'sign' | 'revision' | 'closed_by' | 'created_at' | 'batch_id' | 'file_id',
      number
    >
  >;
  /** The table's partition column, the UTC date of session_start; it lives in the path, not in the file. */
  partitionColumn: 'session_date';
}

/**
 * One value of a row: string; number (int8…uint32, float, time in ms since 1970); bigint (int64, uint64); boolean; string[];
 * null. Values that do not fit their column's type were clamped before.
 */
export type RowValue = string | number | bigint | boolean | readonly string[] | null;

/** One change row, by column index. created_at, batch_id and file_id are filled in at the seal. */
export type Row = RowValue[];

export type ClosedBy = 'gap' | 'end_event' | 'max_duration' | 'split' | 'end_of_input' | 'early' | 'memory';

/** An event that could not be counted, with its bytes as they came. */
export interface DeadLetter {
  reason: DeadLetterReason;
  /** What exactly, e.g. `user_id is missing`. */
  detail: string;
  offset: bigint;
  /** The record's own timestamp, ms since 1970. */
  timestampMs: number;
  key: Uint8Array | null;
  value: Uint8Array | null;
  /** Of a message of several events: which of them, from 0; `value` holds it alone, as a message of its own. */
  item?: number;
}
