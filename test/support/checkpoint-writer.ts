import {
  Field,
  Int32,
  Int64,
  List,
  Map_,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { Table as WasmTable, writeParquet } from 'parquet-wasm';
import type { Action } from '#src/lake/delta/actions.js';
import type { ObjectStore } from '#src/lake/store/store.js';

/** Writes classic checkpoints as other tools do, without files: what is tried is who reads the log. */

const text = new Utf8();
const field = (name: string, type: Utf8 | Int32 | Int64 | List | Map_ | Struct) =>
  new Field(name, type, true);
const entry = new Struct<{ key: Utf8; value: Utf8 }>([
  new Field('key', text, false),
  new Field('value', text, true),
]);
const mapOfTexts = new Map_<Utf8, Utf8>(new Field('entries', entry, false));
const TYPES = {
  protocol: new Struct([field('minReaderVersion', new Int32()), field('minWriterVersion', new Int32())]),
  metaData: new Struct([
    field('id', text),
    field('format', new Struct([field('provider', text)])),
    field('schemaString', text),
    field('partitionColumns', new List(field('element', text))),
    field('configuration', mapOfTexts),
    field('createdTime', new Int64()),
  ]),
  txn: new Struct([field('appId', text), field('version', new Int64())]),
};

/** What actions of versions in order add up to, as rows: the last protocol, metadata, and transaction of each application. */
export function stateOf(versions: readonly (readonly Action[])[]): Record<string, unknown>[] {
  let protocol: unknown = null;
  let metaData: unknown = null;
  const txns = new Map<string, unknown>();
  for (const action of versions.flat()) {
    if ('protocol' in action) ({ protocol } = action);
    else if ('metaData' in action) {
      const { id, format, schemaString, partitionColumns, configuration, createdTime } = action.metaData;
      metaData = {
        id,
        format: { provider: format.provider },
        schemaString,
        partitionColumns,
        configuration: new Map(Object.entries(configuration)),
        createdTime: BigInt(createdTime ?? 0),
      };
    } else if ('txn' in action) {
      const { appId, version } = action.txn;
      txns.set(appId, { appId, version });
    }
  }
  return [{ protocol }, { metaData }, ...[...txns.values()].map((txn) => ({ txn }))];
}

export async function writeCheckpoint(
  store: ObjectStore,
  version: number,
  versions: readonly (readonly Action[])[],
  parts = 1,
): Promise<void> {
  const rows = stateOf(versions);
  const name = `_delta_log/${String(version).padStart(20, '0')}.checkpoint`;
  const ten = (number: number) => String(number).padStart(10, '0');
  for (let part = 1; part <= parts; part++) {
    const own = rows.filter((_, index) => index % parts === part - 1);
    const path = parts === 1 ? `${name}.parquet` : `${name}.${ten(part)}.${ten(parts)}.parquet`;
    await store.put(path, parquetOf(own));
  }
  const hint = { version, size: rows.length, ...(parts === 1 ? {} : { parts }) };
  await store.put('_delta_log/_last_checkpoint', Buffer.from(JSON.stringify(hint)));
}

function parquetOf(rows: readonly Record<string, unknown>[]): Uint8Array {
  const columns = Object.entries(TYPES).map(
    ([name, type]) =>
      [
        name,
        vectorFromArray(
          rows.map((row) => row[name] ?? null),
          type,
        ),
      ] as const,
  );
  const table = new Table(Object.fromEntries(columns));
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(table, 'stream')));
}
