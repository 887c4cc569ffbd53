import { HeadraceError } from '../../errors.js';

/** ClickHouse wants a version that the table's log has no more. */
export function logTooShort(version: number): HeadraceError {
  return new HeadraceError(
    'CLICKHOUSE_RESTORED',
    "ClickHouse stands before the oldest version that the table's log still has",
    {
      where: { version },
      remedy:
        'bring the older log files back, or restore a newer backup of ClickHouse, and start the engine again',
    },
  );
}

/** ClickHouse stands at a version that the table never had: files of the versions up to there would be taken for in. */
export function logBehind(partition: number, version: number, newest: number): HeadraceError {
  return new HeadraceError(
    'CLICKHOUSE_RESTORED',
    'ClickHouse stands at a version that the table does not have: the table was put back from an older copy, or made anew',
    {
      where: { partition, version, newest_version: newest },
      remedy:
        'run `headrace clickhouse rebuild --yes`, which fills ClickHouse from the table as it is, or bring the newer table back; then start the engine again',
    },
  );
}
