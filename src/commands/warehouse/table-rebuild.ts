import type { ClickHouseClient } from '@clickhouse/client';
import { asClickHouseError } from '../../clickhouse/errors.js';
import { holdTable, releaseTable } from '../../clickhouse/hold.js';
import { HOLD, holdStatement, REBUILDING, releaseStatement } from '../../clickhouse/hold-statement.js';
import { FileInsert } from '../../clickhouse/insert.js';
import { analyticsOf } from '../../clickhouse/schema.js';
import { quoteTable, quoteText } from '../../clickhouse/sql.js';
import { readState } from '../../clickhouse/state.js';
import type { ClickHouseTarget } from '../../clickhouse/target.js';
import { refillAll } from '../../clickhouse/views/compare-views.js';
import { systemClock } from '../../clock.js';
import type { LakeConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { READY_MS_MAX } from '../../followers/clickhouse/schedule.js';
import { ClickHouseTables } from '../../followers/clickhouse/tables.js';
import type { CompiledModel } from '../../model/types.js';
import { type LakeFile, type LakeRows, readLakeRows } from './lake-rows.js';

/**
 * The table of change rows from the lake's present state, while engines go on.
 *
 *   1  the lake's files go into a table beside it, as engines insert them; rows are counted
 *   2  the table is held, and nothing that was begun is in doubt (clickhouse/hold.ts)
 *   3  what the lake got meanwhile goes in too: from here on version V is what both are to be
 *   4  each partition is replaced by that of the table beside it, and the sums behind the views are filled anew
 *   5  every file up to V has a done row, and every lane's position is V
 *   6  an engine's knowledge of a file is older than its done row no more (READY_MS_MAX), and the table is let go
 *
 * So an engine that knew of a file up to V finds it done, and its lanes go on behind V. Killed between 4 and 6, the table stays held
 * and says so until this is run again; killed before, it is what it was.
 */
export interface TableRebuildOptions {
  client: ClickHouseClient;
  target: ClickHouseTarget;
  model: CompiledModel;
  /** Of the lake. */
  lake: LakeConfig;
  progress(text: string): void;
}

export interface TableRebuildResult {
  version: number;
  files: number;
  rows: number;
  views: number;
}

const ROWS_AT_ONCE = 1_000;
const TOLD_MS = 5_000;

export class TableRebuild {
  readonly #options: TableRebuildOptions;
  readonly #beside: ClickHouseTarget;
  /** Files that are in the table beside. */
  readonly #filled = new Set<string>();

  constructor(options: TableRebuildOptions) {
    this.#options = options;
    this.#beside = { ...options.target, table: `${options.target.table}_rebuild` };
  }

  /** Throws HeadraceError CLICKHOUSE_…, LAKE_…. */
  async run(): Promise<TableRebuildResult> {
    const { client, target, lake: place, progress } = this.#options;
    const held = { database: target.database, table: target.table, layout: target.warehouse };
    await this.#makeBeside();
    await this.#fill(await readLakeRows(place));
    progress('holding the table');
    await holdTable(client, held);
    let lake: LakeRows;
    try {
      lake = await this.#newest(place);
      await client.command({ query: holdStatement(held, REBUILDING) });
    } catch (error) {
      await releaseTable(client, held).catch(() => undefined);
      throw error;
    }
    await this.#replacePartitions();
    progress('filling the views');
    const views = await this.#refillViews();
    await this.#writePositions(lake);
    await systemClock.sleep(READY_MS_MAX + 1_000);
    await client.command({ query: releaseStatement(held, REBUILDING) });
    await releaseTable(client, held);
    const rows = await this.#count(target.table);
    await this.#drop();
    return { version: lake.version, files: lake.files.length, rows, views };
  }

  /** As the table is, with whatever somebody has added to it. */
  async #makeBeside(): Promise<void> {
    const { client, target } = this.#options;
    await this.#drop();
    const beside = quoteTable(target.database, this.#beside.table);
    await client.command({ query: `CREATE TABLE ${beside} AS ${quoteTable(target.database, target.table)}` });
    // a table that was left held gives its constraints along
    const ours = { database: target.database, table: this.#beside.table, layout: target.warehouse };
    for (const name of [HOLD, REBUILDING]) await client.command({ query: releaseStatement(ours, name) });
  }

  /** The lake may be folded or compacted meanwhile: what was filled of files that are gone is no more right. */
  async #newest(place: LakeConfig): Promise<LakeRows> {
    const lake = await readLakeRows(place);
    const active = new Set(lake.files.map((file) => file.path));
    if ([...this.#filled].some((file) => !active.has(file))) {
      this.#options.progress('the lake’s files have changed: once more');
      this.#filled.clear();
      await this.#makeBeside();
    }
    await this.#fill(lake);
    return lake;
  }

  async #fill({ files, opened }: LakeRows): Promise<void> {
    const { model, progress } = this.#options;
    const open = files.filter((file) => !this.#filled.has(file.path));
    const insert = new FileInsert(this.#beside, model);
    const never = new AbortController().signal;
    let toldMs = systemClock.monotonicMs();
    try {
      for (const [index, file] of open.entries()) {
        const bytes = await opened.store.get(file.path);
        if (bytes === null || bytes.byteLength !== file.sizeBytes) throw notWhole(opened.table, file, bytes);
        await insert.insert({ path: file.path }, bytes, never);
        this.#filled.add(file.path);
        if (systemClock.monotonicMs() - toldMs < TOLD_MS) continue;
        toldMs = systemClock.monotonicMs();
        progress(`${index + 1} of ${open.length} files`);
      }
    } finally {
      await insert.close();
    }
  }

  async #replacePartitions(): Promise<void> {
    const { client, target } = this.#options;
    const table = quoteTable(target.database, target.table);
    const beside = quoteTable(target.database, this.#beside.table);
    const wanted = await this.#partitions(this.#beside.table);
    for (const id of wanted) {
      await client.command({
        query: `ALTER TABLE ${table} REPLACE PARTITION ID ${quoteText(id)} FROM ${beside}`,
      });
    }
    for (const id of await this.#partitions(target.table)) {
      if (!wanted.includes(id)) {
        await client.command({ query: `ALTER TABLE ${table} DROP PARTITION ID ${quoteText(id)}` });
      }
    }
  }

  async #refillViews(): Promise<number> {
    const { client, target, model } = this.#options;
    const wanted = analyticsOf(target, model);
    const steps = refillAll(wanted, await readState(client, target));
    for (const { action, statement } of steps) {
      // it is held already, and longer than these are
      if (action !== 'hold' && action !== 'release') await client.command({ query: statement });
    }
    return wanted.length;
  }

  async #writePositions({ version, ledgerFiles, appIds }: LakeRows): Promise<void> {
    const { client, target } = this.#options;
    const { url, user, database } = target;
    const asError = (error: unknown) => asClickHouseError(error, { url, user, database });
    const tables = new ClickHouseTables({ client: () => client, target, engineId: 'rebuild', asError });
    const atMs = await tables.serverNowMs();
    const positions = await tables.positions(appIds);
    const oldest = Math.min(...appIds.map((appId) => positions.get(appId)?.version ?? -1));
    // older ones are known to be in by the position of each of their lanes
    const files = ledgerFiles.filter((file) => file.version > oldest);
    for (let i = 0; i < files.length; i += ROWS_AT_ONCE) {
      await tables.writeStates('done', files.slice(i, i + ROWS_AT_ONCE), atMs);
    }
    const rows = appIds.map((appId) => ({ appId, version, seq: (positions.get(appId)?.seq ?? 0n) + 1n }));
    await tables.writePositions(rows, atMs);
  }

  async #partitions(table: string): Promise<string[]> {
    const rows = await this.#rows<{ id: string }>(
      `SELECT DISTINCT partition_id AS id FROM system.parts
       WHERE active AND database = ${quoteText(this.#options.target.database)} AND table = ${quoteText(table)} ORDER BY id`,
    );
    return rows.map(({ id }) => id);
  }

  async #count(table: string): Promise<number> {
    const name = quoteTable(this.#options.target.database, table);
    const [row] = await this.#rows<{ n: string }>(`SELECT toString(count()) AS n FROM ${name}`);
    return Number(row!.n);
  }

  async #rows<T>(query: string): Promise<T[]> {
    const result = await this.#options.client.query({ query, format: 'JSONEachRow' });
    return await result.json<T>();
  }

  async #drop(): Promise<void> {
    const beside = quoteTable(this.#options.target.database, this.#beside.table);
    await this.#options.client.command({ query: `DROP TABLE IF EXISTS ${beside} SYNC` });
  }
}

function notWhole(table: string, { path, sizeBytes }: LakeFile, bytes: Uint8Array | null): HeadraceError {
  const what = bytes === null ? 'is not there' : `has ${bytes.byteLength} bytes`;
  return new HeadraceError('LAKE_IO', `a file of the table ${what}`, {
    where: { table, path, ledger_bytes: sizeBytes },
    remedy: 'bring it back from a copy of the table, then call again; ClickHouse is as it was',
  });
}
