import { HeadraceError } from '../../errors.js';

/** The topics want a version that the table's log has no more. */
export function logTooShort(version: number): HeadraceError {
  return new HeadraceError(
    'OUTPUT_HALTED',
    "the topics stand before the oldest version that the table's log still has",
    {
      where: { version },
      remedy: 'bring the older log files back, and start the engine again',
    },
  );
}

/** Rows of the versions up to there would be taken for sent. */
export function logBehind(partition: number, version: number, newest: number): HeadraceError {
  return new HeadraceError(
    'OUTPUT_HALTED',
    'the topics stand at a version that the table does not have: the table was put back from an older copy, or made anew',
    {
      where: { partition, version, newest_version: newest },
      remedy:
        'name new topics under `output`, which are filled from the table as it is, or bring the newer table back; then start the engine again',
    },
  );
}
