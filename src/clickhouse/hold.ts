import type { ClickHouseClient } from '@clickhouse/client';
import { type Clock, systemClock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import { asClickHouseError } from './errors.js';
import { holdStatement, releaseStatement } from './hold-statement.js';
import type { Layout } from './layout.js';
import { FILES_TABLE } from './schema.js';
import { quoteTable } from './sql.js';

/**
 * Keeps rows out of the table while something is made of those that are in it, although engines go on: they meet the constraint,
 * wait and come again, and the lake has their rows.
 *
 * Held is not yet quiet. An insert that began before still runs, and one whose answer was lost may have brought its rows to some
 * views and not to others. Both have an intent row from before the hold and no done row. So the hold counts only when there is no such
 * file any more; where one stays, it may be waiting for its turn: the table is let go until the engine has brought it in, and held
 * again. A file whose intent was written later has met the constraint with each try.
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
      await client.command({ query: holdStatement(held) });
      const atMs = await serverMs(client);
      open = await untilNoneBefore(client, held, atMs, times.quietMs, clock);
      if (open === null) return;
      await releaseTable(client, held);
      open = await untilNoneBefore(client, held, atMs, times.settleMs, clock);
      if (open !== null) break;
    } catch (error) {
      await releaseTable(client, held).catch(() => undefined);
      throw asClickHouseError(error, { database: held.database, table: held.table });
    }
  }
  throw new HeadraceError(
    'CLICKHOUSE_REFUSED',
    'a file was begun and nobody knows whether it is in, so what is made of the table now may lack it',
    {
      where: { table: `${held.database}.${held.table}`, path: open ?? undefined },
      remedy: 'let an engine bring it in (it must run and get on), then call again; nothing was changed',
    },
  );
}

export async function releaseTable(client: ClickHouseClient, held: HeldTable): Promise<void> {
  await client.command({ query: releaseStatement(held) });
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
