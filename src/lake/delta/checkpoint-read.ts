import { type Data, DataType, tableFromIPC } from 'apache-arrow';
import { readParquet } from '../../columnar/parquet-package.js';
import { CHECKPOINT_FIELDS, type CheckpointKind, type CheckpointRow } from './checkpoint-rows.js';

/**
 * A checkpoint's bytes → its rows of some kinds, kind by kind in the file's order, by parquet-wasm and apache-arrow. From Arrow's
 * buffers: its own getters drop a leading BOM.
 *
 * Throws Error when the bytes are no checkpoint.
 */
export function readRows(bytes: Uint8Array, kinds: readonly CheckpointKind[]): CheckpointRow[] {
  const table = tableFromIPC(readParquet(bytes, { columns: [...kinds] }).intoIPCStream());
  const rows: CheckpointRow[] = [];
  for (const kind of kinds) {
    const wanted = new Set(Object.keys(CHECKPOINT_FIELDS[kind]));
    for (const data of table.getChild(kind)?.data ?? []) {
      const fields = fieldsOf(data).filter(({ name }) => wanted.has(name));
      for (let at = 0; at < data.length; at++) {
        if (data.getValid(at)) rows.push({ kind, value: structAt(fields, at) });
      }
    }
  }
  return rows;
}

interface NamedData {
  name: string;
  data: Data;
}

function fieldsOf({ type, children }: Data): NamedData[] {
  if (!DataType.isStruct(type)) throw new Error(`a column of it is ${type}`);
  return type.children.map(({ name }, index) => ({ name, data: children[index]! }));
}

function structAt(fields: readonly NamedData[], at: number): Record<string, unknown> {
  return Object.fromEntries(
    fields.flatMap(({ name, data }) => {
      const value = valueAt(data, at);
      return value === null ? [] : [[name, value]];
    }),
  );
}

function valueAt(data: Data, at: number): unknown {
  if (!data.getValid(at)) return null;
  const type = data.type as DataType;
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) {
    const { values, valueOffsets } = data as { values: Uint8Array; valueOffsets: Int32Array };
    const [from, to] = [Number(valueOffsets[at]), Number(valueOffsets[at + 1])];
    return Buffer.from(values.buffer, values.byteOffset + from, to - from).toString();
  }
  if (DataType.isInt(type)) return numberOf(data.values[at] as number | bigint);
  if (DataType.isBool(type)) return (((data.values as Uint8Array)[at >> 3]! >> (at & 7)) & 1) === 1;
  if (DataType.isStruct(type)) return structAt(fieldsOf(data), at);
  const isMap = DataType.isMap(type);
  if (!isMap && !DataType.isList(type)) throw new Error(`a field of it is ${type}`);
  const offsets = data.valueOffsets as Int32Array;
  const [from, to] = [Number(offsets[at]), Number(offsets[at + 1])];
  const [child] = data.children as [Data];
  if (!isMap) return Array.from({ length: to - from }, (_, item) => valueAt(child, from + item));
  const [keys, values] = child.children as [Data, Data];
  return Object.fromEntries(
    Array.from({ length: to - from }, (_, item) => [
      valueAt(keys, from + item) as string,
      valueAt(values, from + item),
    ]),
  );
}

function numberOf(value: number | bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
