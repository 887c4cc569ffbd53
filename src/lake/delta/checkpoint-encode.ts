import {
  Bool,
  type Data,
  type DataType,
  Field,
  Int32,
  Int64,
  List,
  Map_,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
} from 'apache-arrow';
import {
  Compression,
  Table as ParquetTable,
  WriterPropertiesBuilder,
  writeParquet,
} from '../../columnar/parquet-package.js';
import {
  CHECKPOINT_FIELDS,
  CHECKPOINT_KINDS,
  type CheckpointRow,
  type FieldType,
} from './checkpoint-rows.js';

/**
 * Rows → the bytes of a classic checkpoint: one column of structs a kind of action, one action a row. Arrow's buffers are filled
 * directly, since its builders take ten times as long; every buffer is as long as the file has rows.
 */
export function encodeCheckpoint(rows: readonly CheckpointRow[]): Uint8Array {
  const columns = CHECKPOINT_KINDS.map((kind) => {
    const values = rows.map((row) => (row.kind === kind ? row.value : null));
    return { kind, data: build(CHECKPOINT_FIELDS[kind], values) };
  });
  const schema = new Schema(columns.map(({ kind, data }) => nullable(kind, data.type as DataType)));
  const batch = new RecordBatch(
    schema,
    makeData({
      type: new Struct(schema.fields),
      length: rows.length,
      nullCount: 0,
      children: columns.map(({ data }) => data),
    }),
  );
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.SNAPPY)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setCreatedBy('headrace')
    .build();
  return writeParquet(ParquetTable.fromIPCStream(tableToIPC(new Table([batch]), 'stream')), properties);
}

const ROW_GROUP_ROWS = 65_536;

/** `values`: null or undefined where there is none. */
function build(type: FieldType, values: readonly unknown[]): Data {
  if (typeof type === 'object') return buildStruct(type, values as (Record<string, unknown> | null)[]);
  switch (type) {
    case 'int': {
      const data = Int32Array.from(values, (value) => (value as number | null) ?? 0);
      return makeData({ type: new Int32(), ...presence(values), data });
    }
    case 'long': {
      const data = BigInt64Array.from(values, (value) => BigInt((value as number | bigint | null) ?? 0));
      return makeData({ type: new Int64(), ...presence(values), data });
    }
    case 'bool': {
      const data = bitmap(values, (value) => value === true);
      return makeData({ type: new Bool(), ...presence(values), data });
    }
    case 'text':
      return buildTexts(values as (string | null)[]);
    case 'texts': {
      const lists = values as (string[] | null)[];
      const child = buildTexts(lists.flatMap((list) => list ?? []));
      const list = new List(new Field('element', new Utf8(), true));
      return makeData({
        type: list,
        ...presence(values),
        valueOffsets: offsetsOf(lists),
        child: child as never,
      });
    }
    case 'map':
      return buildMap(values as (Record<string, string | null> | null)[]);
  }
}

function buildStruct(
  fields: { readonly [name: string]: FieldType },
  values: readonly (Record<string, unknown> | null)[],
): Data {
  const children = Object.entries(fields).map(([name, type]) => ({
    name,
    data: build(
      type,
      values.map((value) => value?.[name] ?? null),
    ),
  }));
  const type = new Struct(children.map(({ name, data }) => nullable(name, data.type as DataType)));
  return makeData({ type, ...presence(values), children: children.map(({ data }) => data) });
}

function buildMap(values: readonly (Record<string, string | null> | null)[]): Data {
  const entries = values.map((value) => (value === null ? null : Object.entries(value)));
  const flat = entries.flatMap((list) => list ?? []);
  const key = buildTexts(flat.map(([name]) => name));
  const value = buildTexts(flat.map(([, text]) => text));
  const entry = new Struct<{ key: Utf8; value: Utf8 }>([
    new Field('key', new Utf8(), false),
    new Field('value', new Utf8(), true),
  ]);
  const child = makeData({ type: entry, length: flat.length, nullCount: 0, children: [key, value] });
  const type = new Map_<Utf8, Utf8>(new Field('key_value', entry, false));
  return makeData({ type, ...presence(values), valueOffsets: offsetsOf(entries), child });
}

function buildTexts(values: readonly (string | null | undefined)[]): Data {
  const parts = values.map((value) => Buffer.from(value ?? ''));
  const valueOffsets = new Int32Array(values.length + 1);
  for (const [at, { length }] of parts.entries()) valueOffsets[at + 1] = valueOffsets[at]! + length;
  const data = new Uint8Array(Buffer.concat(parts));
  return makeData({ type: new Utf8(), ...presence(values), valueOffsets, data });
}

function offsetsOf(lists: readonly (readonly unknown[] | null | undefined)[]): Int32Array {
  const offsets = new Int32Array(lists.length + 1);
  for (const [at, list] of lists.entries()) offsets[at + 1] = offsets[at]! + (list?.length ?? 0);
  return offsets;
}

function presence(values: readonly unknown[]) {
  const nullCount = values.reduce((count: number, value) => count + (value == null ? 1 : 0), 0);
  return { length: values.length, nullCount, nullBitmap: bitmap(values, (value) => value != null) };
}

function bitmap(values: readonly unknown[], isSet: (value: unknown) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  for (const [at, value] of values.entries()) if (isSet(value)) bits[at >> 3]! |= 1 << (at & 7);
  return bits;
}

function nullable(name: string, type: DataType): Field {
  return new Field(name, type, true);
}
