import { changeKeys, contentHashes } from '../../columnar/change-scan.js';
import { messageOf } from '../../errors.js';
import { ChangeRows, cancelledRows } from './change-rows.js';
import { binsOf, dropWritten, rewriteBins } from './rewrite-files.js';
import type { MaintenanceRun } from './run.js';
import type { IndexedFile } from './table-index.js';

/**
 * Folding: a row and the −row that takes it back leave the table together, so that Σ sign·x stays what it was for every session at
 * every version, and what is left is plain: of a session that changed, the row of its highest revision.
 *
 * Only files with such rows are written again, all of a pass in one version: the two rows of a pair may lie in two files. Rows are
 * gone with the files that are removed (dataChange there), and no row comes that was not in one of them (no dataChange in what is
 * added). So whoever follows the table's changes has had all there is: the change rows say the same as the fold.
 */

export interface FoldReport {
  versions: number[];
  /** Rows that left, both of each pair. */
  rows: number;
  before: { files: number; bytes: number };
  after: { files: number; bytes: number };
  givenUp: number;
  /** −rows whose row is not in their partition: they stay. */
  unmatched: number;
  foreign: Map<string, string>;
}

/** −rows of one pass: what is kept of each is some 100 bytes. */
const CHANGES_MAX = 500_000;
/** A pass that others overtook is planned anew this often. */
const ATTEMPTS_MAX = 3;

export async function fold(
  run: MaintenanceRun,
  { partitions: wanted, giveWay = false }: { partitions?: ReadonlySet<string>; giveWay?: boolean } = {},
): Promise<FoldReport> {
  const report: FoldReport = {
    versions: [],
    rows: 0,
    before: { files: 0, bytes: 0 },
    after: { files: 0, bytes: 0 },
    givenUp: 0,
    unmatched: 0,
    foreign: new Map(),
  };
  const partitions = [...run.index.partitions().keys()].filter((each) => wanted?.has(each) !== false);
  for (const [index, partition] of partitions.entries()) {
    run.options.tell(
      () => `fold: partition ${index + 1} of ${partitions.length}, ${report.rows} rows folded so far`,
    );
    await foldPartition(run, partition, report, giveWay ? 1 : ATTEMPTS_MAX);
    if (run.isStopped || (giveWay && report.givenUp > 0)) break;
  }
  return report;
}

/** Passes until its −rows have been looked through. */
async function foldPartition(
  run: MaintenanceRun,
  partition: string,
  report: FoldReport,
  attemptsMax: number,
): Promise<void> {
  // files whose −rows have no row to take back; looked at once
  const settled = new Set<string>();
  for (let attempts = 0; attempts < attemptsMax && !run.isStopped; ) {
    const files = (run.index.partitions().get(partition) ?? []).filter(
      ({ add }) => !report.foreign.has(add.path),
    );
    const outcome = await foldPass(run, partition, files, settled, report);
    if (outcome === 'done') return;
    if (outcome === 'given up') {
      attempts++;
      report.givenUp++;
    }
  }
}

async function foldPass(
  run: MaintenanceRun,
  partition: string,
  files: readonly IndexedFile[],
  settled: Set<string>,
  report: FoldReport,
): Promise<'done' | 'folded' | 'given up'> {
  const changes = new ChangeRows();
  const taken: IndexedFile[] = [];
  for (const file of files) {
    if (!file.mayHoldChanges || settled.has(file.add.path)) continue;
    if (changes.count >= CHANGES_MAX || run.isStopped) break;
    const found = await scanned(run, file, report);
    if (found === 'gone') return 'given up';
    if (found === 'foreign') continue;
    taken.push(file);
    changes.takeMinus(file, found);
  }
  if (taken.length === 0) return 'done';
  for (const file of changes.count === 0 ? [] : files) {
    if (run.isStopped) return 'done';
    if (report.foreign.has(file.add.path) || !changes.mayBeIn(file)) continue;
    const found = await scanned(run, file, report);
    if (found === 'gone') return 'given up';
    if (found !== 'foreign') changes.takePlus(file, found);
  }
  const gone = await cancelled(run, changes, report);
  if (gone === null) return 'given up';
  for (const { add } of taken) settled.add(add.path);
  report.unmatched += changes.count - gone.pairs;
  if (gone.pairs === 0) return 'folded';
  const inputs = files
    .filter((file) => gone.files.has(file))
    .map((file) => ({ file, gone: new Set(gone.files.get(file)) }));
  const bins = binsOf(inputs, run.options.settings);
  const written = await rewriteBins(run, bins, report.foreign);
  const version =
    written === null
      ? null
      : await run.options.commit({
          kind: 'fold',
          removed: inputs.map(({ file }) => file.add),
          added: written,
          removedDataChange: true,
          addedDataChange: false,
          operation: 'OPTIMIZE',
          operationParameters: {
            predicate: JSON.stringify([partition]),
            fold: 'rows and the −rows that take them back',
          },
          detail: { pairs: gone.pairs },
        });
  await run.refresh();
  if (written === null || version === null) {
    await dropWritten(run, written ?? []);
    report.unmatched -= changes.count - gone.pairs;
    for (const { add } of taken) settled.delete(add.path);
    return 'given up';
  }
  for (const { path } of written) settled.add(path);
  report.versions.push(version);
  report.rows += 2 * gone.pairs;
  report.before.files += inputs.length;
  report.before.bytes += inputs.reduce((sum, { file }) => sum + file.add.size, 0);
  report.after.files += written.length;
  report.after.bytes += written.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return 'folded';
}

async function scanned(run: MaintenanceRun, file: IndexedFile, report: FoldReport) {
  const bytes = await run.read(file.add.path, file.add.size);
  if (bytes === null) return 'gone';
  try {
    await run.options.pause?.();
    return changeKeys(run.options.model, bytes);
  } catch (error) {
    report.foreign.set(file.add.path, messageOf(error));
    return 'foreign';
  }
}

/** Null: a file is gone. */
async function cancelled(run: MaintenanceRun, changes: ChangeRows, report: FoldReport) {
  const candidates = [];
  for (const [file, rows] of changes.candidates()) {
    const bytes = await run.read(file.add.path, file.add.size);
    if (bytes === null) return null;
    await run.options.pause?.();
    try {
      const numbers = rows.map(({ row }) => row);
      candidates.push({ file, rows, hashes: contentHashes(run.options.model, bytes, numbers) });
    } catch (error) {
      report.foreign.set(file.add.path, messageOf(error));
      return null;
    }
  }
  return cancelledRows(candidates);
}
