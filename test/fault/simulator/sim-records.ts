import { HeadraceError } from '#src/errors.js';
import type { ReadRecords } from '#src/followers/topics/sink.js';
import type { LaneHistory } from '#src/ledger/history.js';
import { RecordPacker, type RecordRequest } from '#src/ledger/record-pack.js';
import type { SimLake } from './sim-store.js';
import { lineOf, type ToyLetter, type ToyRow } from './toy-sessions.js';

/** A worker's answer holds so many records. */
const ANSWER_RECORDS = 6;

/** A part of a file, as workers/record-reader.ts reads it. */
export function readRecords(lake: SimLake, { path, laneRows, skip }: RecordRequest): ReadRecords {
  const records = laneRows === null ? lettersOf(lake, path) : rowsOf(lake, path, laneRows);
  const left = new Map(skip.map(({ partition, records: passed }) => [partition, passed]));
  const skipped = new Map<number, number>();
  const packer = new RecordPacker();
  for (const { partition, text } of records) {
    const toSkip = left.get(partition);
    if (toSkip === undefined) continue;
    if (toSkip > 0) {
      left.set(partition, toSkip - 1);
      skipped.set(partition, (skipped.get(partition) ?? 0) + 1);
      continue;
    }
    if (packer.records >= ANSWER_RECORDS) return { bytes: packer.take(), skipped: [...skipped], more: true };
    packer.add({ partition, key: null, value: Buffer.from(text), headers: null });
  }
  return { bytes: packer.take(), skipped: [...skipped], more: false };
}

function rowsOf(lake: SimLake, path: string, laneRows: readonly { partition: number; rows: number }[]) {
  const partitions = laneRows.flatMap(({ partition, rows }) => Array<number>(rows).fill(partition));
  return dataFile(lake, path).map((row, index) => ({ partition: partitions[index]!, text: lineOf(row) }));
}

/** @throws HeadraceError LAKE_IO: it is not there */
export function dataFile(lake: SimLake, path: string): readonly ToyRow[] {
  const rows = lake.files.get(path);
  if (rows === undefined) throw new HeadraceError('LAKE_IO', 'the file is not there', { where: { path } });
  return rows;
}

function lettersOf(lake: SimLake, path: string) {
  return lake.letters.get(path)!.map((letter) => ({
    partition: letter.partition,
    text: letterOf(letter.partition, letter),
  }));
}

export function letterOf(partition: number, { offset, reason }: ToyLetter): string {
  return `${partition}@${offset} ${reason}`;
}

/** The version of a lane's start while the ledger has nothing else of it, as src/commands/run/output.ts says it. */
export function startVersionOf(lane: LaneHistory | undefined): number | null {
  if (lane === undefined || lane.cuts.length + lane.snapshots.length > 0) return null;
  return lane.committedTo === lane.startOffset ? lane.version : null;
}
