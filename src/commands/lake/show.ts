import { systemClock } from '../../clock.js';
import type { Add } from '../../lake/delta/actions.js';
import { cellTypeText, columnsOf } from '../../lake/reading/cell.js';
import { rowsOf } from '../../lake/reading/file-rows.js';
import { sum } from '../../lake/reading/history.js';
import { partitionKey } from '../../lake/reading/plain-rows.js';
import type { TableAt } from '../../lake/reading/table-at.js';
import { formatBytes, formatTable, formatWhole } from '../../telemetry/progress.js';
import { printable } from '../dlq/printable.js';
import type { AtFlags } from './lake-flags.js';
import { laneOf, timeText } from './lane-text.js';
import { type LakeName, openLake, parseAt, tableAt } from './open-lake.js';

export interface LakeShowOptions extends AtFlags {
  lake: LakeName;
  /** List all files, too. */
  files: boolean;
  json: boolean;
  stdout(text: string): void;
}

interface Shown {
  table: string;
  version: number;
  newest: number;
  oldest: number;
  /** ISO 8601 */
  time: string | null;
  id: string;
  name: string | null;
  protocol: { reader: number; writer: number };
  columns: { name: string; type: string; nullable: boolean; partition: boolean }[];
  properties: Record<string, string>;
  files: number;
  rows: number | null;
  bytes: number;
  partitions: { values: Record<string, string | null>; files: number; rows: number | null; bytes: number }[];
  /** Offsets are texts: they may not fit a JSON reader's numbers. */
  lanes: { appId: string; offset: string }[];
  /** Versions. */
  checkpoints: number[];
  fileList?: { path: string; bytes: number; rows: number | null; modified: string }[];
}

/** `headrace lake show`: the table at a version or time. Resolves to 0. Throws HeadraceError USAGE, and what opening throws. */
export async function lakeShow(options: LakeShowOptions): Promise<number> {
  const at = parseAt(options, systemClock.nowMs());
  const lake = await openLake(options.lake);
  const table = await tableAt(lake, at);
  const { newest, oldest, checkpoints } = lake.log;
  const shown: Shown = {
    table: lake.table,
    version: table.version,
    newest,
    oldest,
    ...factsOf(table),
    checkpoints: checkpoints.map(({ version }) => version),
    ...(options.files ? { fileList: [...table.files.values()].sort(byPath).map(fileFacts) } : {}),
  };
  options.stdout(options.json ? `${JSON.stringify(shown)}\n` : showText(shown));
  return 0;
}

function factsOf({ timeMs, protocol, metaData, files, txns }: TableAt) {
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

function sizesOf(files: readonly Add[]) {
  return {
    files: files.length,
    rows: sum(files.map(rowsOf)),
    bytes: files.reduce((total, { size }) => total + size, 0),
  };
}

function partitionsOf(files: readonly Add[], columns: readonly string[]): Shown['partitions'] {
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

function fileFacts(file: Add) {
  const modified = new Date(file.modificationTime).toISOString();
  return { path: file.path, bytes: file.size, rows: rowsOf(file), modified };
}

function byPath(a: Add, b: Add): number {
  return a.path < b.path ? -1 : 1;
}

const PARTITIONS_SHOWN = 20;

function showText(shown: Shown): string {
  const { table, version, newest, oldest, time, protocol, checkpoints } = shown;
  const written = time === null ? '' : ` of ${timeText(Date.parse(time))}`;
  const head = [
    `Table ${table}, version ${formatWhole(version)}${written}`,
    `versions ${formatWhole(oldest)} to ${formatWhole(newest)} can be read; checkpoints at ${checkpoints.join(', ') || 'none'}`,
    `${formatWhole(shown.files)} files, ${rowsText(shown.rows)} rows, ${formatBytes(shown.bytes)}; Delta protocol ${protocol.reader}/${protocol.writer}`,
  ].join('\n');
  const columns = shown.columns.map(({ name, type, nullable, partition }) => [
    printable(name, 40),
    printable(type, 60),
    nullable ? 'may be null' : 'never null',
    partition ? 'partition' : '',
  ]);
  const parts = [head, `Columns\n${formatTable(['name', 'type', '', ''], columns)}`];
  const properties = Object.entries(shown.properties).map(([name, value]) => [name, printable(value, 60)]);
  if (properties.length > 0) parts.push(`Properties\n${formatTable(['name', 'value'], properties)}`);
  if (shown.partitions.length > 0) parts.push(partitionsText(shown.partitions));
  if (shown.lanes.length > 0) {
    const lanes = shown.lanes.map(({ appId, offset }) => [
      laneOf(appId),
      formatWhole(BigInt(offset)),
      printable(appId, 100),
    ]);
    parts.push(`Lanes\n${formatTable(['partition', 'done up to', 'id'], lanes)}`);
  }
  if (shown.fileList !== undefined) {
    const files = shown.fileList.map(({ path, rows, bytes, modified }) => [
      rowsText(rows),
      formatBytes(bytes),
      timeText(Date.parse(modified)),
      printable(path),
    ]);
    parts.push(`Files\n${formatTable(['rows', 'size', 'written (UTC)', 'path'], files)}`);
  }
  return `${parts.join('\n\n')}\n`;
}

function partitionsText(partitions: Shown['partitions']): string {
  const newest = partitions.slice(-PARTITIONS_SHOWN);
  const rows = newest.map(({ values, files, rows: count, bytes }) => [
    partitionText(values),
    formatWhole(files),
    rowsText(count),
    formatBytes(bytes),
  ]);
  const left = partitions.length - newest.length;
  const more = left === 0 ? '' : `\n… and ${formatWhole(left)} before them; --json has all`;
  return `Partitions\n${formatTable(['partition', 'files', 'rows', 'size'], rows)}${more}`;
}

export function partitionText(values: Readonly<Record<string, string | null>>): string {
  const parts = Object.entries(values).map(([name, value]) => `${name}=${value ?? 'null'}`);
  return parts.length === 0 ? 'the whole table' : printable(parts.join('/'), 60);
}

function rowsText(rows: number | null): string {
  return rows === null ? '–' : formatWhole(rows);
}
