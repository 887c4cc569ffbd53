import type { ClickHouseClient } from '@clickhouse/client';
import { type Clock, systemClock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import { asClickHouseError } from './errors.js';
import { holdStatement, releaseStatement } from './hold-statement.js';
import { type Layout, storedName } from './layout.js';
import { FILES_TABLE } from './schema.js';
import { quoteTable, quoteText } from './sql.js';

/**
 * Keeps rows out of the table while something is made of those that are in it, although engines go on: they meet the constraint,
 * wait and come again, and the lake has their rows.
 *
 * Held is not yet quiet. An insert that began before still runs, and one whose answer was lost may have brought its rows to some
 * views and not to others. Both have an intent row from before the hold and no done row. A busy engine always has such a file, whose
 * turn comes just after the hold. What tells them apart is whether rows of it are there, as long as merges can't have taken them: so
 * merges are stopped first, and files begun before that must be done before the table is held. A file whose intent was written later
 * than the hold has met the constraint with each try.
 */

export interface HeldTable {
  database: string;
  table: string;
  layout: Layout;
}

export interface HoldTimes {
  /** For inserts that are under way to end. */
  quietMs: number;
  /** For an engine to bring in what was in doubt. */
  settleMs: number;
  attempts: number;
}

const TIMES: HoldTimes = { quietMs: 10_000, settleMs: 120_000, attempts: 10 };
const POLL_MS = 100;

/** Throws HeadraceError CLICKHOUSE_…; the table is not held then. */
export async function holdTable(
  client: ClickHouseClient,
  held: HeldTable,
  { clock = systemClock, times = TIMES }: { clock?: Clock; times?: HoldTimes } = {},
): Promise<void> {
  let open: string | null = null;
  for (let attempt = 0; attempt < times.attempts; attempt++) {
    try {
      await client.command({ query: `SYSTEM STOP MERGES ${storedTable(held)}` });
      open = await untilNoneBefore(client, held, await serverMs(client), times.settleMs, clock);
      if (open !== null) break;
      await client.command({ query: holdStatement(held) });
      const atMs = await serverMs(client);
      open = await untilNoneBefore(client, held, atMs, times.quietMs, clock);
      if (open === null || (await areUntouched(client, held, atMs))) return;
      await releaseTable(client, held);
    } catch (error) {
      await releaseTable(client, held).catch(() => undefined);
      throw asClickHouseError(error, { database: held.database, table: held.table });
    }
  }
  await releaseTable(client, held);
  throw new HeadraceError(
    'CLICKHOUSE_REFUSED',
    'a file was begun and nobody knows whether it is in, so what is made of the table now may lack it',
    {
      where: { table: `${held.database}.${held.table}`, path: open ?? undefined },
      remedy: 'let an engine bring it in (it must run and get on), then call again; nothing was changed',
    },
  );
}

/** Takes rows again, and is merged again. */
export async function releaseTable(client: ClickHouseClient, held: HeldTable): Promise<void> {
  await client.command({ query: releaseStatement(held) });
  await client.command({ query: `SYSTEM START MERGES ${storedTable(held)}` });
}

/** Of the files that were begun and are not done: is no row of any of them there, and no insert under way that may bring some? */
async function areUntouched(client: ClickHouseClient, held: HeldTable, atMs: string): Promise<boolean> {
  const { database, table, layout } = held;
  const [row] = await rows<{ found: number; running: number }>(
    client,
    `SELECT toUInt32(count()) AS found,
       (SELECT toUInt32(count()) FROM system.processes WHERE startsWith(upper(query), 'INSERT') AND position(query, ${quoteText(table)}) > 0) AS running
     FROM ${quoteTable(database, storedName(layout, table))}
     WHERE file_id IN (SELECT file_id FROM ${quoteTable(database, FILES_TABLE)} FINAL
       WHERE state = 'intent' AND at <= fromUnixTimestamp64Milli(${BigInt(atMs)}, 'UTC'))`,
  );
  return row?.found === 0 && row.running === 0;
}

function storedTable({ database, table, layout }: HeldTable): string {
  return quoteTable(database, storedName(layout, table));
}

async function serverMs(client: ClickHouseClient): Promise<string> {
  const [row] = await rows<{ now: string }>(
    client,
    'SELECT toString(toUnixTimestamp64Milli(now64(3))) AS now',
  );
  return row!.now;
}

/** A file that was begun before and is not done, when the time is over; null: there is none. */
async function untilNoneBefore(
  client: ClickHouseClient,
  { database }: HeldTable,
  atMs: string,
  withinMs: number,
  clock: Clock,
): Promise<string | null> {
  const untilMs = clock.monotonicMs() + withinMs;
  for (;;) {
    const [open] = await rows<{ path: string }>(
      client,
      `SELECT path FROM ${quoteTable(database, FILES_TABLE)} FINAL
       WHERE state = 'intent' AND at <= fromUnixTimestamp64Milli(${BigInt(atMs)}, 'UTC') ORDER BY at LIMIT 1`,
    );
    if (open === undefined) return null;
    if (clock.monotonicMs() >= untilMs) return open.path;
    await clock.sleep(POLL_MS);
  }
}

async function rows<T>(client: ClickHouseClient, query: string): Promise<T[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return await result.json<T>();
}
