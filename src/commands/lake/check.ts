import { HeadraceError } from '../../errors.js';
import type { Add } from '../../lake/delta/actions.js';
import { type CellColumn, columnsOf } from '../../lake/reading/cell.js';
import { isOfChanges } from '../../lake/reading/changes.js';
import { rowsOf } from '../../lake/reading/file-rows.js';
import { byPartition } from '../../lake/reading/plain-rows.js';
import { wrongSums } from '../../lake/reading/sign-sums.js';
import { falseStats } from '../../lake/reading/stats-truth.js';
import { readTableAt, type TableAt } from '../../lake/reading/table-at.js';
import { wantedFiles } from '../../lake/reading/table-rows.js';
import { type Random, systemRandom } from '../../random.js';
import { formatWhole } from '../../telemetry/progress.js';
import { printable } from '../dlq/printable.js';
import { checkLog } from './check-log.js';
import { type Lake, type LakeName, openLake } from './open-lake.js';
import { partitionText } from './show.js';

export interface LakeCheckOptions {
  lake: LakeName;
  /** All files are read; else some. */
  full: boolean;
  json: boolean;
  stdout(text: string): void;
  random?: Random;
}

/** What is not as it should be: where, and what, as a sentence. */
export interface Finding {
  where: string;
  what: string;
}

export interface CheckReport {
  table: string;
  version: number;
  full: boolean;
  files: number;
  filesRead: number;
  rowsRead: number;
  partitionsSummed: number;
  versions: number;
  checkpoints: number;
  lanes: number;
  findings: Finding[];
}

/** Files whose statistics are looked at, and rows of whole partitions that are added up, when not all are. */
const SAMPLED_FILES = 20;
const SAMPLED_ROWS = 1_000_000;

/**
 * `headrace lake check`: is the table sound? Resolves to 0, or to 1 when something is not as it should be, each on one line. Throws
 * HeadraceError for a log that can't be read.
 */
export async function lakeCheck(options: LakeCheckOptions): Promise<number> {
  const { full, json, stdout, random = systemRandom } = options;
  const lake = await openLake(options.lake);
  const table = await readTableAt(lake.store, lake.log, lake.log.newest);
  const log = await checkLog(lake);
  const report: CheckReport = {
    table: lake.table,
    version: table.version,
    full,
    files: table.files.size,
    filesRead: 0,
    rowsRead: 0,
    partitionsSummed: 0,
    versions: log.versions,
    checkpoints: log.checkpoints,
    lanes: log.lanes,
    findings: [...log.findings, ...(await checkFiles(lake, table))],
  };
  const broken = new Set(report.findings.map(({ where }) => where));
  await checkStats(lake, table, broken, report, random);
  await checkSigns(lake, table, broken, report);
  stdout(json ? `${JSON.stringify(report)}\n` : checkText(report));
  return report.findings.length === 0 ? 0 : 1;
}

/** Is every file there, with the size that the log says? */
async function checkFiles({ store }: Lake, { files }: TableAt): Promise<Finding[]> {
  const sizes = new Map((await store.list('')).map(({ path, sizeBytes }) => [path, sizeBytes]));
  return [...files.values()].flatMap(({ path, size }) => {
    const is = sizes.get(path);
    if (is === size) return [];
    return {
      where: path,
      what: is === undefined ? 'it is not there' : `it has ${is} bytes, the log says ${size}`,
    };
  });
}

async function checkStats(
  { store }: Lake,
  { files, metaData }: TableAt,
  broken: ReadonlySet<string>,
  report: CheckReport,
  random: Random,
): Promise<void> {
  const columns = columnsOf(metaData);
  const sound = wantedFiles(files.values(), []).filter(({ path }) => !broken.has(path));
  for (const file of report.full ? sound : sample(sound, SAMPLED_FILES, random)) {
    try {
      const { rows, differences } = await falseStats(store, file, columns);
      report.filesRead++;
      report.rowsRead += rows;
      for (const what of differences) report.findings.push({ where: file.path, what });
    } catch (error) {
      report.findings.push({ where: file.path, what: whyUnread(error) });
    }
  }
}

function whyUnread(error: unknown): string {
  if (error instanceof HeadraceError && error.code === 'LAKE_FILE_BROKEN') return error.message;
  throw error;
}

/** Whole partitions, the newest first. */
async function checkSigns(
  { store }: Lake,
  { files, metaData }: TableAt,
  broken: ReadonlySet<string>,
  report: CheckReport,
): Promise<void> {
  if (!isOfChanges(metaData)) return;
  const columns: CellColumn[] = columnsOf(metaData);
  let room = SAMPLED_ROWS;
  for (const own of byPartition(wantedFiles(files.values(), [])).reverse()) {
    if (!report.full && room <= 0) return;
    room -= own.reduce((rows, file) => rows + (rowsOf(file) ?? 0), 0);
    if (own.some(({ path }) => broken.has(path))) continue;
    try {
      const wrong = await wrongSums(store, own, columns);
      report.partitionsSummed++;
      for (const { sessionId, sessionStart, revision, sum } of wrong) {
        const of = revision === null ? '' : `, revision ${revision}`;
        const session = `session ${JSON.stringify(sessionId)} of ${sessionStart}${of}`;
        report.findings.push({ where: partitionOf(own[0]!), what: `${session}: its signs add up to ${sum}` });
      }
    } catch (error) {
      // the file itself is named above where it was read, or is now
      const path = error instanceof HeadraceError ? String(error.where.path) : '';
      if (!report.findings.some(({ where }) => where === path)) {
        report.findings.push({ where: path, what: whyUnread(error) });
      }
    }
  }
}

function partitionOf({ partitionValues }: Add): string {
  return partitionText(partitionValues);
}

/** Some, in their order. */
function sample<T>(all: readonly T[], count: number, random: Random): T[] {
  if (all.length <= count) return [...all];
  const left = all.map((_, at) => at);
  const picked = Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0]!);
  return picked.sort((a, b) => a - b).map((at) => all[at]!);
}

function checkText(report: CheckReport): string {
  const { table, version, findings, full, files, filesRead } = report;
  const lines: string[] = [];
  for (const { where, what } of findings) lines.push(`${printable(where)}: ${printable(what)}`);
  const looked = [
    `${formatWhole(files)} files, ${full || filesRead === files ? 'all' : `${formatWhole(filesRead)} of them`} read (${formatWhole(report.rowsRead)} rows)`,
    `${formatWhole(report.partitionsSummed)} partitions added up`,
    `${formatWhole(report.versions)} versions, ${formatWhole(report.checkpoints)} checkpoints, ${formatWhole(report.lanes)} lanes`,
  ].join('; ');
  const head = `Table ${table}, version ${formatWhole(version)}`;
  const more = full ? '' : ' --full reads all files.';
  const end =
    findings.length === 0
      ? 'Sound as far as it was looked at.'
      : `${formatWhole(findings.length)} differences.`;
  return `${[head, ...lines, `Looked at: ${looked}.`, `${end}${more}`].join('\n')}\n`;
}
