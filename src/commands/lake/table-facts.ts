import type { Add } from '../../lake/delta/actions.js';
import { cellTypeText, columnsOf } from '../../lake/reading/cell.js';
import { rowsOf } from '../../lake/reading/file-rows.js';
import { sum } from '../../lake/reading/history.js';
import { partitionKey } from '../../lake/reading/plain-rows.js';
import type { TableAt } from '../../lake/reading/table-at.js';

/** A table at a version, without its rows. */
export interface TableFacts extends TableSizes {
  /** ISO 8601 */
  time: string | null;
  id: string;
  name: string | null;
  protocol: { reader: number; writer: number };
  columns: { name: string; type: string; nullable: boolean; partition: boolean }[];
  properties: Record<string, string>;
  partitions: ({ values: Record<string, string | null> } & TableSizes)[];
  /** Offsets are texts: they may not fit a JSON reader's numbers. */
  lanes: { appId: string; offset: string }[];
}

export interface TableSizes {
  files: number;
  /** Null: statistics don't say. */
  rows: number | null;
  bytes: number;
}

export function factsOf({ timeMs, protocol, metaData, files, txns }: TableAt): TableFacts {
  const all = [...files.values()];
  return {
    time: timeMs === null ? null : new Date(timeMs).toISOString(),
    id: metaData.id,
    name: metaData.name ?? null,
    protocol: { reader: protocol.minReaderVersion, writer: protocol.minWriterVersion },
    columns: columnsOf(metaData).map(({ name, type, nullable, isPartition }) => ({
      name,
      type: cellTypeText(type),
      nullable,
      partition: isPartition,
    })),
    properties: metaData.configuration,
    ...sizesOf(all),
    partitions: partitionsOf(all, metaData.partitionColumns),
    lanes: [...txns]
      .map(([appId, { version }]) => ({ appId, offset: version.toString() }))
      .sort((a, b) => a.appId.localeCompare(b.appId, 'en', { numeric: true })),
  };
}

export function sizesOf(files: readonly Add[]): TableSizes {
  return {
    files: files.length,
    rows: sum(files.map(rowsOf)),
    bytes: files.reduce((total, { size }) => total + size, 0),
  };
}

function partitionsOf(files: readonly Add[], columns: readonly string[]): TableFacts['partitions'] {
  const groups = new Map<string, Add[]>();
  for (const file of files) {
    const key = partitionKey(file);
    groups.set(key, [...(groups.get(key) ?? []), file]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, own]) => ({ values: inOrder(own[0]!, columns), ...sizesOf(own) }));
}

/** Of the table's partition columns; the log may have any. */
function inOrder({ partitionValues }: Add, columns: readonly string[]): Add['partitionValues'] {
  return Object.fromEntries(columns.map((name) => [name, partitionValues[name] ?? null]));
}
