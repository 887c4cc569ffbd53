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
