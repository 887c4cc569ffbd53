import type { LedgerEye } from './ledger-eye.js';
import type { OracleRow } from './oracle.js';
import { committedOffsets } from './spine-kafka.js';
import { PARTITIONS, type SpineTopic } from './spine-topic.js';

/**
 * What a group's committed offsets promise and a sink lacks, as sentences. While engines run it can be asked too: what is
 * asked later is what must be ahead.
 */
export async function promisedTooMuch<Session extends OracleRow>(
  spine: SpineTopic<Session>,
  group: string,
  ledger: LedgerEye,
): Promise<string[]> {
  const { place, model } = spine;
  const committed = await committedOffsets(place.cluster.bootstrap, group, model.topic, PARTITIONS);
  const stored = place.clickhouse.isUp
    ? await storedFileIds(place.clickhouse, spine.databaseOf(group))
    : null;
  await ledger.refresh();
  return committed.flatMap((offset, partition) => {
    if (offset === null) return [];
    const at = ledger.offset(partition);
    const ahead = offset > at ? [`partition ${partition}: Kafka has ${offset}, the ledger ${at}`] : [];
    const missing = ledger
      .filesUpTo(partition, offset)
      .filter((path) => stored !== null && !stored.has(fileIdOf(path)))
      .map((path) => `partition ${partition}: Kafka has ${offset}, ClickHouse lacks ${path}`);
    return [...ahead, ...missing];
  });
}

async function storedFileIds(
  clickhouse: SpineTopic<OracleRow>['place']['clickhouse'],
  database: string,
): Promise<Set<string>> {
  const rows = await clickhouse.query<{ id: string }>(
    `SELECT DISTINCT toString(file_id) AS id FROM ${database}.session_metrics`,
  );
  return new Set(rows.map(({ id }) => id));
}

function fileIdOf(path: string): string {
  return /(\d+)\.parquet$/.exec(path)![1]!;
}
