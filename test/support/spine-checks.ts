import { expect } from 'vitest';
import type { RunResult } from './engine-process.js';
import type { OracleRow } from './oracle.js';
import { committedOffsets } from './spine-kafka.js';
import { rowDifferences } from './spine-rows.js';
import { differences, readSpineTable, type SpineTable } from './spine-table.js';
import { PARTITIONS, type SpineTopic } from './spine-topic.js';

/** What must hold of a group's table, ledger, files, ClickHouse and output topic after each scenario of the spine. */

export function report(name: string, result: RunResult): void {
  const { events, rows, eventsPerSecond, cpuUsPerEvent, cpuSeconds, peakRssBytes } = result;
  const shares = `main ${cpuSeconds.main} s, workers ${cpuSeconds.workers.join(' + ')} s, of ${cpuSeconds.total} s`;
  console.log(
    `${name}: ${events} events, ${rows} rows, ${eventsPerSecond} events/s, ${cpuUsPerEvent} µs CPU an event ` +
      `(${shares}), ${Math.round(peakRssBytes / 2 ** 20)} MiB at most`,
  );
}

/** The table, after it was found to be the oracle's sessions, with a sound ledger behind it, and each sink to have its rows. */
export async function expectEqual<Session extends OracleRow>(
  spine: SpineTopic<Session>,
  group: string,
  expected: Session[],
  ends: number[],
  { undisturbed = true } = {},
): Promise<SpineTable> {
  const table = await readSpineTable(spine.lakeOf(group));
  expect(differences(table.standing, expected)).toEqual([]);
  const events = expected.reduce((sum, { total_events }) => sum + total_events, 0);
  expect(table.rows.reduce((sum, row) => sum + Number(row.sign) * Number(row.total_events), 0)).toBe(events);
  await expectSoundLedger(spine, table, group, ends);
  expectSoundFiles(table, undisturbed);
  await expectFollowed(spine, table, group);
  return table;
}

/**
 * ClickHouse has the table's rows: every change, and the same sessions stand where they cancel each other. The output topic
 * has them too, where there is one.
 */
async function expectFollowed<Session extends OracleRow>(
  spine: SpineTopic<Session>,
  table: SpineTable,
  group: string,
): Promise<void> {
  const { place, model } = spine;
  const database = spine.databaseOf(group);
  const changes = await place.clickhouse.rows(model.name, database);
  expect(rowDifferences(table.rows, changes)).toEqual([]);
  if (table.standing.length < table.rows.length) {
    const standing = await place.clickhouse.rows(model.name, database, { final: true });
    expect(rowDifferences(table.standing, standing)).toEqual([]);
  }
  const [view] = await place.clickhouse.query<{ rows: string }>(
    `SELECT toString(count()) AS rows FROM ${database}.sessions`,
  );
  expect(Number(view!.rows)).toBe(table.standing.length);
  expect((await spine.outputOf(group)?.differences(table.rows)) ?? []).toEqual([]);
}

/** The ledger says, lane by lane without a gap, that everything up to `ends` is done, and nothing lies beside it. */
async function expectSoundLedger<Session extends OracleRow>(
  { model, place }: SpineTopic<Session>,
  table: SpineTable,
  group: string,
  ends: number[],
): Promise<void> {
  const ids = table.appIds.map((id) => /^headrace\/(.+)\/(.+)\/([^/]+)\/(\d+)$/.exec(id)!);
  expect(new Set(ids.map(([, g, t]) => `${g} ${t}`))).toEqual(new Set([`${group} ${model.topic}`]));
  expect(new Set(ids.map(([, , , topicId]) => topicId)).size).toBe(1);
  const done = ids.map(([appId, , , , partition]) => [Number(partition), table.delta.txns[appId]]);
  expect(new Map(done as [number, number][])).toEqual(new Map(ends.map((end, p) => [p, end])));

  const lanes = ends.map((_, p) => table.lanes.filter(({ partition }) => partition === p));
  for (const [partition, entries] of lanes.entries()) {
    let at = { to: 0, version: -1 };
    for (const entry of entries) {
      const { from, parent } = entry;
      expect({ partition, from }).toEqual({ partition, from: at.to });
      // cuts of one version follow one another; across versions each names the one before
      if (entry.version !== at.version)
        expect({ partition, parent }).toEqual({ partition, parent: at.version });
      at = entry;
    }
    expect({ partition, to: at.to }).toEqual({ partition, to: ends[partition] });
  }
  const total = (count: 'rows' | 'deadLetters') => table.lanes.reduce((sum, lane) => sum + lane[count], 0);
  expect(total('rows')).toBe(table.rows.length);
  expect(total('deadLetters')).toBe(0);
  expect(table.deadLetterFiles).toEqual([]);
  expect(await committedOffsets(place.cluster.bootstrap, group, model.topic, PARTITIONS)).toEqual(ends);
}

/** `undisturbed`: no lane was taken away with files written and not committed, which are left behind. */
function expectSoundFiles(table: SpineTable, undisturbed: boolean): void {
  const left = table.parquetFiles.length - table.delta.files.length;
  expect(left).toBeGreaterThanOrEqual(0);
  if (undisturbed) expect(left).toBe(0);
  expect(table.delta.partitionColumns).toEqual(['session_date']);
  const cuts = new Set(table.lanes.map(({ cutId }) => cutId)).size;
  const workersMax = 2;
  const dates = new Set(table.rows.map(({ session_date }) => session_date)).size;
  expect(table.delta.files.length).toBeLessThanOrEqual(cuts * workersMax * dates);
  const fileIds = new Set(table.rows.map(({ file_id }) => file_id));
  expect(fileIds.size).toBe(table.delta.files.length);
}

/** Every session was written once and for all. */
export function expectNoRevisions(table: SpineTable): void {
  expect(new Set(table.rows.map(({ revision, sign }) => `${revision} ${sign}`))).toEqual(new Set(['0 1']));
}

export const closings = (table: SpineTable) => new Set(table.rows.map(({ closed_by }) => closed_by));
