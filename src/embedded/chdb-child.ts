/**
 * The process in which chDB runs: chDB takes one data folder and one query at a time, and may only read files below its
 * working folder, so it gets a process of its own. Started by chdb-query.ts, argument: folder for chDB's own files.
 *
 * It ends when the channel to its parent closes, for whatever reason, and takes its files along.
 */
import { rmSync } from 'node:fs';
import type { ChdbReply, ChdbRequest } from './chdb-query.js';

const dataFolder = process.argv[2]!;
let running = false;

function reply(message: ChdbReply): void {
  if (process.connected) process.send!(message);
}

/** Settings that hold for all queries of the session: no digit of a 64-bit number is lost in JSON. */
const SETTINGS = 'SET output_format_json_quote_64bit_integers = 1';

async function start(): Promise<void> {
  // Ctrl-C reaches the whole process group; the parent decides when this process ends
  process.on('SIGINT', () => {});
  const { Session } = await import('chdb');
  const session = new Session(dataFolder);
  session.query(SETTINGS);
  process.on('disconnect', () => {
    if (!running) session.close();
    rmSync(dataFolder, { recursive: true, force: true });
    // a query under way can't be interrupted, and exit() would wait for it
    if (running) process.kill(process.pid, 'SIGKILL');
    process.exit(0);
  });
  process.on('message', async ({ sql, format }: ChdbRequest) => {
    running = true;
    try {
      const result = await session.queryAsync(sql, { format });
      reply({ kind: 'result', text: result.text() });
    } catch (error) {
      reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
    running = false;
  });
  reply({ kind: 'ready' });
}

start().catch((error: unknown) => {
  reply({ kind: 'unavailable', message: error instanceof Error ? error.message : String(error) });
  process.disconnect();
});
