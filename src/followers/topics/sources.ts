import { HeadraceError } from '../../errors.js';
import type { Action } from '../../lake/delta/actions.js';
import type { LaneRows, LedgerEntry } from '../../ledger/types.js';
import { filesOfVersion } from '../ledger-files.js';

/** A file of a version that some lanes' records come from. */
export interface RecordSource {
  kind: 'rows' | 'letters';
  path: string;
  sizeBytes: number;
  /** Rows only: whose they are, in the file's order. */
  laneRows: LaneRows[] | null;
}

/**
 * The files of a version that hold records of these lanes, in the order in which the records go out: the data files in the
 * ledger's order, then the dead letters.
 *
 * An entry of early 0.1 does not say how many rows of a file are of which lane. Where all of the file's lanes are sent
 * together, its rows go as those of the first one; a file that is shared with a lane that is not can't be divided. (The
 * key's hash would not tell: who writes the topic may place keys as he likes.)
 *
 * @throws HeadraceError OUTPUT_HALTED for a file that can't be divided; LAKE_LOG_CORRUPT
 */
export function sourcesOf(
  version: number,
  actions: readonly Action[],
  lanes: ReadonlySet<number>,
): RecordSource[] {
  const sources: RecordSource[] = [];
  for (const { path, sizeBytes, rows, lanes: own, laneRows } of filesOfVersion(version, actions).files) {
    if (rows === 0 || !own.some((lane) => lanes.has(lane))) continue;
    if (laneRows === undefined && !own.every((lane) => lanes.has(lane))) throw undivided(version, path, own);
    const divided = laneRows ?? [{ partition: own[0]!, rows }];
    sources.push({ kind: 'rows', path, sizeBytes, laneRows: [...divided] });
  }
  for (const { lanes: own, deadLetterFiles } of entryOf(actions)?.cuts ?? []) {
    if (!own.some(({ partition, deadLetters }) => deadLetters > 0 && lanes.has(partition))) continue;
    for (const { path, sizeBytes } of deadLetterFiles) {
      sources.push({ kind: 'letters', path, sizeBytes, laneRows: null });
    }
  }
  return sources;
}

/** What a version says of our cuts, or null. */
export function entryOf(actions: readonly Action[]): LedgerEntry | null {
  for (const action of actions) {
    if (!('commitInfo' in action)) continue;
    const entry = action.commitInfo.headrace as LedgerEntry | undefined;
    if (entry?.format === 1) return entry;
  }
  return null;
}

function undivided(version: number, path: string, lanes: readonly number[]): HeadraceError {
  return new HeadraceError(
    'OUTPUT_HALTED',
    'a file was written by an early 0.1 and the ledger does not say which rows are of which lane, and not all of its lanes are ours',
    {
      where: { version, path, partitions: lanes.join(',') },
      remedy:
        'let one engine alone run until the topics have caught up, or begin behind it: once --missing-position latest, with a positions topic of another name (output.positions)',
    },
  );
}
