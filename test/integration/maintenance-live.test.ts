import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DeltaLog } from '#src/lake/delta/log.js';
import { LocalStore } from '#src/lake/store/local.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import { readDeltaRs } from '../support/delta-rs.js';
import type { EngineProcess } from '../support/engine-process.js';
import type { OracleSession } from '../support/oracle.js';
import { runCommandLine } from '../support/run-command.js';
import { CLICKSTREAM } from '../support/spine-model.js';
import { SpinePlace } from '../support/spine-place.js';
import { rowDifferences } from '../support/spine-rows.js';
import {
  differences,
  plainRow,
  readSpineTable,
  standingRows,
  type TableRow,
  tablePath,
} from '../support/spine-table.js';
import { SpineTopic } from '../support/spine-topic.js';
import { expectReadAlike, localTable } from '../support/table-readers.js';

/**
 * A table that is folded, compacted and vacuumed all the time, and whose log is cleaned up, by two engines that write it meanwhile,
 * with a ClickHouse that falls behind: in the end the table is what the oracle's SQL says of the records in Kafka, and so is
 * ClickHouse. HEADRACE_SEED replays a run's events.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
const EVENTS = 60_000;
const HOUR_MS = 3_600_000;
const WAIT_MS_MAX = 400_000;
const GROUP = 'kept';
vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 400_000 });

// a minute is the least that a reader of an older version has
const SETTINGS = `
cut_interval: 200ms
snapshot_interval: 1s
workers: 1
fetch: { partition_bytes: 128KiB, in_flight_bytes: 4MiB }
limits: { ring_bytes: 1MiB }
lake:
  maintenance:
    fold_interval: 2s
    compact_interval: 2s
    vacuum_interval: 2s
    vacuum_retention: 1m
    files_min: 2
`;

const LOG_CARE = `
import sys
from deltalake import DeltaTable
DeltaTable(sys.argv[1]).alter.set_table_properties({
  'delta.checkpointInterval': '10', 'delta.logRetentionDuration': 'interval 10 seconds'})
`;

/** A version that takes rows out, and one that brings some. */
const FOREIGN = `
import sys
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
import pyarrow.compute as pc
rows = DeltaTable(sys.argv[1]).to_pyarrow_table()
row = rows.filter(pc.equal(rows["sign"], 1)).slice(0, 1)
DeltaTable(sys.argv[1]).delete("session_id = '" + row["session_id"][0].as_py() + "'")
at = row.column_names.index("session_id")
row = row.set_column(at, row.schema.field(at), pa.array(["theirs"], row.schema.field(at).type))
write_deltalake(sys.argv[1], row, mode="append")
`;

let place: SpinePlace;
let spine: SpineTopic<OracleSession>;

beforeAll(async () => {
  console.log(`HEADRACE_SEED=${SEED}`);
  place = await SpinePlace.open();
  const profile = { seed: SEED, users: 8_000, events: EVENTS, spanMs: 9 * HOUR_MS };
  spine = await SpineTopic.create(place, CLICKSTREAM, profile, [GROUP]);
});

afterAll(async () => {
  await spine?.close();
  await place?.close();
});

async function committed(): Promise<number> {
  const path = await tablePath(spine.lakeOf(GROUP)).catch(() => null);
  const log = path === null ? null : await DeltaLog.open(new LocalStore(path));
  return [...(log?.txns.values() ?? [])].reduce((sum, { version }) => sum + Number(version), 0);
}

/** The sums of what the engines' rounds say. */
function done(engines: readonly EngineProcess[], field: string): number {
  const said = engines.map(({ output }) => output).join('\n');
  return [...said.matchAll(new RegExp(`\\b${field}\\b["=: ]+(\\d+)`, 'g'))].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

function cleanUps(engines: readonly EngineProcess[]): number {
  const said = engines.map(({ output }) => output).join('\n');
  return [...said.matchAll(/old versions were taken out of the table's log/g)].length;
}

/** Table and ClickHouse have the same sessions. */
async function expectFollowed(standing: readonly TableRow[]): Promise<void> {
  const rows = await place.clickhouse.rows(CLICKSTREAM.name, spine.databaseOf(GROUP), { final: true });
  expect(rowDifferences(standing, rows)).toEqual([]);
}

it('loses nothing while it is kept all the time, and no follower misses a file', async ({ onTestFailed }) => {
  onTestFailed(() => console.log(spine.tails(0)));
  const flags = await spine.patientFlags(GROUP, SETTINGS);
  // sessions that are open at its end are rows, which the second half takes back
  await spine.engine(GROUP, { flags, untilEnd: true }).result(WAIT_MS_MAX);
  const engines = [spine.engine(GROUP, { flags })];
  const [first] = engines as [EngineProcess];
  const folder = await tablePath(spine.lakeOf(GROUP));
  execFileSync(deltaRsPython(), ['-c', LOG_CARE, folder]);

  let tenths = 0;
  let sent = 0;
  await spine.produceSecondHalf(async (share) => {
    // each tenth waits for the one before, so that there are commits, and rounds between them, from the beginning to the end
    if (share * 10 < tenths + 1) return;
    tenths++;
    await first.until('what was sent is committed', async () => (await committed()) >= sent, WAIT_MS_MAX);
    sent = spine.produced;
    if (tenths === 2) {
      engines.push(spine.engine(GROUP, { flags }));
      // by whichever of them comes to it first
      const before = cleanUps(engines);
      await engines[1]!.until('the log is cleaned up', () => cleanUps(engines) > before, WAIT_MS_MAX);
    }
    if (tenths === 4) {
      await first.until('files are deleted', () => done(engines, 'deleted_files') > 0, WAIT_MS_MAX);
      await place.clickhouse.kill();
    }
    if (tenths === 8) {
      const isHeld = () =>
        engines.some(({ output }) => /wait for followers that have yet to read/.test(output));
      await first.until('files are held for ClickHouse', isHeld, WAIT_MS_MAX);
      await place.clickhouse.restart();
    }
  });
  await first.until('all is committed', async () => (await committed()) === EVENTS, WAIT_MS_MAX);
  for (const engine of engines) await engine.stop(WAIT_MS_MAX);
  expect(done(engines, 'folded_rows')).toBeGreaterThan(0);
  expect(done(engines, 'compacted_files')).toBeGreaterThan(0);
  await spine.engine(GROUP, { flags, untilEnd: true }).result(WAIT_MS_MAX);

  const table = await readSpineTable(spine.lakeOf(GROUP));
  expect(differences(table.standing, await spine.sessionsAfterHalf())).toEqual([]);
  await expectFollowed(table.standing);
  await expectReadAlike(localTable(folder));
  const check = await runCommandLine(['lake', 'check', '--full', '--lake', folder]);
  expect(check.code, check.stdout + check.stderr).toBe(0);
  for (const { output } of engines) {
    expect(output).not.toMatch(/could not be maintained|could not clean up/);
    // but for ClickHouse, which was away
    expect(output).not.toMatch(/"level":"(error|fatal)"(?!.*CLICKHOUSE_UNREACHABLE)/);
  }

  // what others do to the rows is the table's alone, until somebody rebuilds
  execFileSync(deltaRsPython(), ['-c', FOREIGN, folder]);
  const next = spine.engine(GROUP, { flags });
  const told = /delta-rs\S* changed rows \(\w+\): ClickHouse keeps what it has.*headrace clickhouse rebuild/g;
  await next.untilSays(told, WAIT_MS_MAX);
  const versions = (await DeltaLog.open(new LocalStore(folder)))!.version;
  const position = async () => {
    const query = `SELECT toUInt32(min(version)) AS version FROM ${spine.databaseOf(GROUP)}.headrace_positions FINAL`;
    return (await place.clickhouse.query<{ version: number }>(query))[0]!.version;
  };
  await next.until('ClickHouse has passed both', async () => (await position()) >= versions, WAIT_MS_MAX);
  await next.stop(WAIT_MS_MAX);
  expect(next.output.match(told)).toHaveLength(1);
  const changed = standingRows((await readDeltaRs(folder)).rows.map(plainRow));
  await expect(expectFollowed(changed)).rejects.toThrow();
});
