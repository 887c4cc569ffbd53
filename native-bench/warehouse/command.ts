import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planMigration, runMigration } from '#src/clickhouse/migrate.js';
import { analyticsOf, schemaOf } from '#src/clickhouse/schema.js';
import { quoteTable } from '#src/clickhouse/sql.js';
import type { ClickHouseTarget } from '#src/clickhouse/target.js';
import { openClickHouse } from '#src/clickhouse/target.js';
import { auditView } from '#src/clickhouse/views/audit.js';
import { fromRows, queriesOf } from '#src/clickhouse/views/queries.js';
import { sumsSelect } from '#src/clickhouse/views/view-sql.js';
import { type Clock, systemClock } from '#src/clock.js';
import { resolveClickHouseConfig } from '#src/config/load-clickhouse.js';
import { loadModel } from '#src/model/load.js';
import { formatBytes, formatTable, formatWhole } from '#src/telemetry/progress.js';
import { ClickHouseSide } from '../clickhouse-side.js';
import { type Machine, thisMachine } from '../machine.js';
import { writeResult } from '../result-folder.js';
import type { Output } from '../stages-command.js';
import { type ColumnFigures, columnBytes, columnsText } from './column-bytes.js';
import { parseWarehouseOptions } from './options.js';
import { DAYS, insertChunk } from './session-rows.js';

/**
 * The benchmark `warehouse`: how long the documented queries take over so many sessions, how much their views save, and how many bytes
 * a session takes with and without codecs. Ends only when every view says what its rows say.
 */

export interface QueryFigures {
  name: string;
  msP50: number;
  msP99: number;
  /** The same from the rows of changes, median. */
  baseMs: number;
  /** How many times faster the view is, medians. */
  ratio: number;
}

export interface WarehouseResult {
  benchmark: 'warehouse';
  startedAt: string;
  machine: Machine;
  sessions: number;
  days: number;
  loadSeconds: number;
  queries: QueryFigures[];
  /** The slowest of them, and the one that its view helps least. */
  worst: { name: string; msP99: number; leastRatio: { name: string; ratio: number } };
  bytesASession: { withCodecs: number; withoutCodecs: number; sums: number };
  /** Stored bytes a session, the largest first. */
  columns: ColumnFigures[];
}

const CHUNK = 500_000;
const MODEL = 'web_clicks';
const REQUEST_MS = 3_600_000;

/** Throws Error for flags it does not know, and when a view differs from its rows. */
export async function runWarehouse(
  args: readonly string[],
  output: Output,
  clock: Clock = systemClock,
): Promise<WarehouseResult> {
  const options = parseWarehouseOptions(args);
  const startedAt = new Date(clock.nowMs()).toISOString();
  const folder = mkdtempSync(join(tmpdir(), 'headrace-warehouse-'));
  const side = await ClickHouseSide.start(folder);
  const model = loadModel(MODEL);
  const settings = resolveClickHouseConfig(undefined, { model: MODEL, clickhouse: side.url }, '/').clickhouse;
  // users and quantiles are worked out by the clock, beside what is measured: proved by their audit alone
  const warehouse = { ...settings.warehouse, exactEveryMs: null };
  const target: ClickHouseTarget = { ...settings, warehouse, database: MODEL };
  const client = openClickHouse(target, { database: 'system', requestTimeoutMs: REQUEST_MS });
  const command = (query: string) => client.command({ query });
  try {
    await runMigration(client, target, await planMigration(client, target, model), () => {});
    const table = quoteTable(MODEL, target.table);
    const began = performance.now();
    for (let from = 0; from < options.sessions; from += CHUNK) {
      const count = Math.min(CHUNK, options.sessions - from);
      await command(insertChunk(table, from, count, Math.max(1, Math.floor(options.sessions / 5))));
      output.progress(`${formatWhole(from + count)} of ${formatWhole(options.sessions)} sessions`);
    }
    await side.untilSettled();
    const loadSeconds = (performance.now() - began) / 1_000;
    const wanted = analyticsOf(target, model);
    for (const each of wanted) {
      const { name, differences } = await auditView(client, each, clock);
      if (differences.length > 0)
        throw new Error(`${name} differs from its rows: ${JSON.stringify(differences[0])}`);
      output.progress(`${name} says what its rows say`);
    }
    const queries: QueryFigures[] = [];
    for (const [i, query] of queriesOf(wanted).entries()) {
      const each = wanted[i]!;
      const viewMs = await times(side, query.sql(DAYS), options.rounds);
      const base = fromRows(each, DAYS, (where) => sumsSelect(each.view, each.place, table, where));
      const baseMs = at(await times(side, base, options.baseRounds), 0.5);
      const msP50 = at(viewMs, 0.5);
      queries.push({ name: query.name, msP50, msP99: at(viewMs, 0.99), baseMs, ratio: baseMs / msP50 });
      output.progress(`${query.name}: ${msP50.toFixed(1)} ms`);
    }
    const schema = schemaOf(target, model);
    const sample = Math.min(options.sample, options.sessions);
    const { sessions: rows, layout } = schema;
    const columns = await columnBytes({ side, database: MODEL, table: rows, layout, sample, command });
    const total = (of: (column: ColumnFigures) => number) => columns.reduce((sum, each) => sum + of(each), 0);
    const withCodecs = total(({ withCodec }) => withCodec);
    const withoutCodecs = total(({ withoutCodec }) => withoutCodec);
    const sums = (await storedBytes(side, '%_sums')) / options.sessions;
    const result: WarehouseResult = {
      benchmark: 'warehouse',
      startedAt,
      machine: thisMachine(),
      sessions: options.sessions,
      days: DAYS,
      loadSeconds,
      queries,
      worst: worstOf(queries),
      bytesASession: { withCodecs, withoutCodecs, sums },
      columns,
    };
    output.print(reportText(result));
    if (options.out !== undefined) output.print(`\nwritten to ${writeResult(options.out, result)}`);
    if (options.json) output.print(JSON.stringify(result));
    return result;
  } finally {
    await client.close();
    await side.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Milliseconds of each of so many answers, over HTTP and read to their end, ascending; one more before them is not counted. */
async function times(side: ClickHouseSide, sql: string, rounds: number): Promise<number[]> {
  const found: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    await side.query(sql);
    if (round > 0) found.push(performance.now() - began);
  }
  return found.sort((a, b) => a - b);
}

function at(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.ceil(ascending.length * share) - 1)]!;
}

function worstOf(queries: readonly QueryFigures[]): WarehouseResult['worst'] {
  const { name, msP99 } = queries.reduce((a, b) => (b.msP99 > a.msP99 ? b : a));
  const least = queries.reduce((a, b) => (b.ratio < a.ratio ? b : a));
  return { name, msP99, leastRatio: { name: least.name, ratio: least.ratio } };
}

async function storedBytes(side: ClickHouseSide, like: string): Promise<number> {
  const [row] = await side.query<{ bytes: number }>(
    `SELECT toFloat64(sum(bytes_on_disk)) AS bytes FROM system.parts WHERE active AND database = '${MODEL}' AND table LIKE '${like}'`,
  );
  return row!.bytes;
}

function reportText({
  sessions,
  loadSeconds,
  queries,
  worst,
  bytesASession,
  columns,
  machine,
}: WarehouseResult): string {
  const rows = queries.map(({ name, msP50, msP99, baseMs, ratio }) => [
    name,
    msP50.toFixed(1),
    msP99.toFixed(1),
    baseMs.toFixed(0),
    `${ratio.toFixed(1)} ×`,
  ]);
  const { withCodecs, withoutCodecs, sums } = bytesASession;
  return [
    `sessions  ${formatWhole(sessions)} over ${DAYS} days, loaded in ${loadSeconds.toFixed(0)} s through all views`,
    `bytes     ${formatBytes(withCodecs)} a session, ${formatBytes(withoutCodecs)} without codecs; the sums take ${sums.toFixed(2)} more`,
    `machine   ${machine.cores} × ${machine.cpu}, load ${machine.loadAverage.toFixed(1)}`,
    `worst     ${worst.name}: ${worst.msP99.toFixed(1)} ms (p99); least helped by its view: ${worst.leastRatio.name}, ${worst.leastRatio.ratio.toFixed(1)} ×`,
    formatTable(['query', 'p50 ms', 'p99 ms', 'from rows ms', 'faster'], rows),
    '',
    columnsText(columns),
  ].join('\n');
}
