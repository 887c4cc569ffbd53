import { setTimeout as sleep } from 'node:timers/promises';
import type { LedgerEye } from './ledger-eye.js';
import type { OracleRow } from './oracle.js';
import { committedOffsets } from './spine-kafka.js';
import { PARTITIONS, type SpineTopic } from './spine-topic.js';

/**
 * A commit of a transaction is answered before all partitions show it, and one that a killed engine left open holds up what
 * lies behind it, until the broker ends it: its time-out is 15 s, and brokers look every 10 s.
 */
const SETTLE_MS_MAX = 40_000;
const POLL_MS = 250;

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
  const found = committed.flatMap((offset, partition) => {
    if (offset === null) return [];
    const at = ledger.offset(partition);
    const ahead = offset > at ? [`partition ${partition}: Kafka has ${offset}, the ledger ${at}`] : [];
    const missing = ledger
      .filesUpTo(partition, offset)
      .filter(({ path }) => stored !== null && !stored.has(fileIdOf(path)))
      .map(({ path }) => `partition ${partition}: Kafka has ${offset}, ClickHouse lacks ${path}`);
    return [...ahead, ...missing];
  });
  return [...found, ...(await missingInOutput(spine, group, ledger, committed))];
}

async function missingInOutput<Session extends OracleRow>(
  spine: SpineTopic<Session>,
  group: string,
  ledger: LedgerEye,
  committed: readonly (number | null)[],
): Promise<string[]> {
  const output = spine.outputOf(group);
  if (output === null) return [];
  const deadline = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const rowsOf = await output.rowsOf();
    const missing = committed.flatMap((offset, partition) =>
      ledger.filesUpTo(partition, offset ?? 0).flatMap(({ path, rows }) => {
        const sent = rowsOf(fileIdOf(path), partition);
        if (sent === rows) return [];
        return [
          `partition ${partition}: Kafka has ${offset}, the output topic ${sent} of ${rows} rows of ${path}`,
        ];
      }),
    );
    if (missing.length === 0 || performance.now() > deadline) return missing;
    await sleep(POLL_MS);
  }
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
