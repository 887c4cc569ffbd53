import { isNullable } from '../columnar/schema.js';
import type { Column, ColumnType } from '../model/types.js';

/**
 * Types of the model's columns in ClickHouse. Files hold the next wider signed type (Delta knows no unsigned ones) and ClickHouse
 * narrows them again without a word, 70000 into a UInt16 becomes 4464: so the kernel clamps before a row is written, and a
 * column here is never narrower than the model's.
 */
const CLICKHOUSE_TYPES: Readonly<Record<ColumnType, string>> = {
  int8: 'Int8',
  int16: 'Int16',
  int32: 'Int32',
  int64: 'Int64',
  uint8: 'UInt8',
  uint16: 'UInt16',
  uint32: 'UInt32',
  uint64: 'UInt64',
  float: 'Float64',
  bool: 'Bool',
  // ms, so that sessions of one second keep their order; with its zone, so that no server's zone moves a session to another day
  time: "DateTime64(3, 'UTC')",
  string: 'String',
  'list<string>': 'Array(String)',
};

/** E.g. `LowCardinality(Nullable(String))`. A missing value stays missing: an empty text would be another one. */
export function clickHouseType(column: Column): string {
  const plain = CLICKHOUSE_TYPES[column.type];
  const nullable = isNullable(column) ? `Nullable(${plain})` : plain;
  return column.lowCardinality ? `LowCardinality(${nullable})` : nullable;
}

/**
 * Does a column of type `found` hold every value of one of type `wanted`? Wider ones do, and how values are stored (low
 * cardinality) or shown (time zone) is left to whoever made the table.
 */
export function holdsAll(found: string, wanted: string): boolean {
  const have = describe(found);
  const want = describe(wanted);
  if (want.nullable && !have.nullable) return false;
  if (have.plain === want.plain) return true;
  return wider(INTEGER, have.plain, want.plain) || wider(TIME, have.plain, want.plain);
}

const LOW_CARDINALITY = /^LowCardinality\((.*)\)$/;
const NULLABLE = /^Nullable\((.*)\)$/;
const INTEGER = /^(U?Int)(\d+)$/;
const TIME = /^(DateTime64)\((\d)(?:, '[^']*')?\)$/;

function describe(type: string): { plain: string; nullable: boolean } {
  const stored = LOW_CARDINALITY.exec(type)?.[1] ?? type;
  const plain = NULLABLE.exec(stored)?.[1];
  return { plain: plain ?? stored, nullable: plain !== undefined };
}

/** The same kind, with at least as many bits or digits. */
function wider(kind: RegExp, found: string, wanted: string): boolean {
  const [, foundKind, foundWidth] = kind.exec(found) ?? [];
  const [, wantedKind, wantedWidth] = kind.exec(wanted) ?? [];
  return foundKind !== undefined && foundKind === wantedKind && Number(foundWidth) >= Number(wantedWidth);
}
