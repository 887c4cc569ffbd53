import { parquetReadObjects } from 'hyparquet';
import {
  CHECKPOINT_FIELDS,
  type CheckpointKind,
  type CheckpointRow,
  type FieldType,
} from './checkpoint-rows.js';

/**
 * The same by hyparquet, which shares nothing with what wrote the file (parquet-wasm): a checkpoint is published only when both
 * readers find in it what was put in.
 *
 * Rows of all kinds, in the file's order. Throws Error when the bytes are no checkpoint.
 */
export async function readRowsAgain(bytes: Uint8Array): Promise<CheckpointRow[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const found = await parquetReadObjects({ file, parsers: { stringFromBytes } });
  return found.map((row) => {
    const kinds = (Object.keys(row) as CheckpointKind[]).filter((kind) => row[kind] != null);
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1) throw new Error(`a row of it is ${kinds.length} actions`);
    return { kind, value: present(CHECKPOINT_FIELDS[kind], row[kind] as Record<string, unknown>) };
  });
}

/** Its own way drops a leading BOM. */
function stringFromBytes(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

function present(
  fields: { readonly [name: string]: FieldType },
  value: Record<string, unknown>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, type]) => {
      const each = value[name];
      if (each == null) return [];
      if (typeof type === 'object') return [[name, present(type, each as Record<string, unknown>)]];
      if (type === 'int' || type === 'long') {
        const number = each as number | bigint;
        return [[name, Number.isSafeInteger(Number(number)) ? Number(number) : number]];
      }
      if (type === 'map') return [[name, nullsOf(each as Record<string, unknown>)]];
      return [[name, each]];
    }),
  );
}

/** A map's value that is null. */
function nullsOf(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, value ?? null]));
}
