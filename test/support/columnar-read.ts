import { Bool, type Data, type Table, tableFromIPC } from 'apache-arrow';
import { parquetMetadata } from 'hyparquet';
import { readParquet } from 'parquet-wasm';

/**
 * A data file's values by column: 64-bit integers and times (µs) bigint, others as in a row. The footer comes from
 * hyparquet, which read nothing of ours before; other readers' values are compared in delta-readers.test.ts.
 */
export function readColumns(bytes: Uint8Array): Record<string, unknown[]> {
  const table = tableFromIPC(readParquet(bytes).intoIPCStream()) as Table;
  return Object.fromEntries(
    table.schema.fields.map((field) => [field.name, table.getChild(field.name)!.data.flatMap(valuesOf)]),
  );
}

export function readFooter(bytes: Uint8Array) {
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return parquetMetadata(copy);
}

/** From the buffers: apache-arrow's own getters drop a leading BOM and round times to ms. */
function valuesOf(data: Data): unknown[] {
  return Array.from({ length: data.length }, (_, i) => {
    if (!data.getValid(i)) return null;
    const [from, to] =
      data.valueOffsets === undefined ? [i, i + 1] : [data.valueOffsets[i], data.valueOffsets[i + 1]];
    if (data.children.length > 0) return valuesOf(data.children[0]!).slice(from, to);
    if (data.type instanceof Bool) return ((data.values[i >> 3] >> (i & 7)) & 1) === 1;
    if (data.values instanceof Uint8Array) return Buffer.from(data.values.subarray(from, to)).toString();
    return data.values[i];
  });
}
