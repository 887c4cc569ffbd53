import { HeadraceError } from '../errors.js';
import type { LaneHistory } from './history.js';
import type { CommitDraft } from './ledger.js';
import type { CutLaneEntry } from './types.js';

/**
 * Lanes that an operator moves (`headrace ledger reset`). Such a lane starts over: its open sessions, snapshots and marks count no
 * more. To an engine that has the lane it is another's version, by which the lane is reset (rule 6). Rows that are in the table
 * stay.
 */
export interface LaneReset {
  partition: number;
  to: bigint;
}

/** The version that moves the lanes, from where they stand now. Throws HeadraceError USAGE for a lane that is not known. */
export function resetDraft(
  lane: (partition: number) => LaneHistory | undefined,
  resets: readonly LaneReset[],
  cut: { id: string; createdAtMs: number },
): CommitDraft {
  const lanes = resets.map(({ partition, to }): CutLaneEntry => {
    const history = lane(partition);
    if (history === undefined) throw unknownLane(partition);
    return {
      partition,
      from: Number(history.committedTo),
      to: Number(to),
      watermarkMs: null,
      marks: {},
      rows: 0,
      deadLetters: 0,
      crc: 0,
      parent: history.version,
      reset: true,
    };
  });
  return {
    files: [],
    lanes: [...resets],
    cuts: [{ ...cut, lanes, deadLetterFiles: [] }],
    moved: resets.map(({ partition }) => partition),
  };
}

export function unknownLane(partition: number): HeadraceError {
  return new HeadraceError('USAGE', 'the ledger does not know this partition of the topic', {
    where: { partition },
    remedy: 'headrace ledger status shows those it knows; others begin where kafka.start says',
  });
}
