import { systemClock } from '../../clock.js';
import type { Add } from '../../lake/delta/actions.js';
import { rowsOf } from '../../lake/reading/file-rows.js';
import { formatBytes, formatTable, formatWhole } from '../../telemetry/progress.js';
import { printable } from '../dlq/printable.js';
import type { AtFlags } from './lake-flags.js';
import { laneOf, timeText } from './lane-text.js';
import { type LakeName, openLake, parseAt, tableAt } from './open-lake.js';
import { factsOf, type TableFacts } from './table-facts.js';

export interface LakeShowOptions extends AtFlags {
  lake: LakeName;
  /** List all files, too. */
  files: boolean;
  json: boolean;
  stdout(text: string): void;
}

interface Shown extends TableFacts {
  table: string;
  version: number;
  newest: number;
  oldest: number;
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
