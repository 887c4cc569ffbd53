import { binsOf, dropWritten, type RewriteInput, rewriteBins } from './rewrite-files.js';
import type { MaintenanceRun } from './run.js';
import type { RewriteSettings } from './settings.js';
import type { IndexedFile } from './table-index.js';

/**
 * Compaction: small files of a partition become large ones, in the order of the chosen columns. The same rows are there before and
 * after, so dataChange is false on both sides and nobody who follows the table's changes sees any. One version a large file: what
 * is lost to another's version is little, and others see what was done before they begin with the next.
 */

export interface CompactOptions {
  /** Large files too, for another order of their rows. */
  all: boolean;
  /** Partitions (values as JSON) that are meant; undefined: all. */
  partitions?: ReadonlySet<string>;
  /** Ends with the first rewrite that is given up: another is at it. */
  giveWay?: boolean;
}

export interface CompactReport {
  versions: number[];
  /** Files and bytes that went, and that came. */
  before: { files: number; bytes: number };
  after: { files: number; bytes: number };
  rows: number;
  /** Rewrites that were given up: another had taken one of their files away. */
  givenUp: number;
  /** Files of others that can't be written again here, and why. */
  foreign: Map<string, string>;
}

const NOTHING_GONE: ReadonlySet<number> = new Set();

/** The bins of a partition that are worth a rewrite, in the order of its files. Pure. */
export function planCompaction(
  files: readonly IndexedFile[],
  settings: RewriteSettings,
  all = false,
): RewriteInput[][] {
  const meant = all ? files : files.filter(({ add }) => add.size < settings.smallFileBytes);
  const inputs = meant.map((file) => ({ file, gone: NOTHING_GONE }));
  return binsOf(inputs, settings).filter((bin) => {
    const sizeBytes = bin.reduce((sum, { file }) => sum + file.add.size, 0);
    if (all) return settings.clusterBy.length > 0 || bin.length > 1;
    const isWorth = bin.length >= settings.filesMin || sizeBytes >= settings.smallFileBytes;
    return bin.length > 1 && isWorth;
  });
}

/** Until nothing is left to compact. Throws HeadraceError LAKE_IO, LAKE_LOG_CORRUPT. */
export async function compact(run: MaintenanceRun, options: CompactOptions): Promise<CompactReport> {
  const report: CompactReport = {
    versions: [],
    before: { files: 0, bytes: 0 },
    after: { files: 0, bytes: 0 },
    rows: 0,
    givenUp: 0,
    foreign: new Map(),
  };
  const partitions = [...run.index.partitions()].filter(
    ([partition]) => options.partitions?.has(partition) !== false,
  );
  for (const [index, [partition, files]] of partitions.entries()) {
    const known = files.filter(({ add }) => !report.foreign.has(add.path));
    for (const bin of planCompaction(known, run.options.settings, options.all)) {
      if (run.isStopped || (options.giveWay === true && report.givenUp > 0)) return report;
      run.options.tell(
        () =>
          `compaction: partition ${index + 1} of ${partitions.length}, ${report.before.files} files so far`,
      );
      if (bin.some(({ file }) => !run.index.files.has(file.add.path))) report.givenUp++;
      else await compactBin(run, bin, partition, report);
    }
  }
  return report;
}

async function compactBin(
  run: MaintenanceRun,
  bin: RewriteInput[],
  partition: string,
  report: CompactReport,
): Promise<void> {
  const written = await rewriteBins(run, [bin], report.foreign);
  if (written === null) {
    report.givenUp++;
    return;
  }
  const { clusterBy, targetFileBytes } = run.options.settings;
  const removed = bin.map(({ file }) => file.add);
  const version = await run.options.commit({
    kind: 'compact',
    removed,
    added: written,
    removedDataChange: false,
    addedDataChange: false,
    operation: 'OPTIMIZE',
    operationParameters: {
      predicate: JSON.stringify([partition]),
      targetSize: String(targetFileBytes),
      clusterBy: JSON.stringify(clusterBy),
    },
  });
  await run.refresh();
  if (version === null) {
    await dropWritten(run, written);
    report.givenUp++;
    return;
  }
  report.versions.push(version);
  report.before.files += removed.length;
  report.before.bytes += removed.reduce((sum, { size }) => sum + size, 0);
  report.after.files += written.length;
  report.after.bytes += written.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  report.rows += written.reduce((sum, { rows }) => sum + rows, 0);
}
