/**
 * The process of the embedded ClickHouse. Started by clickhouse-front.ts, which sends one `start` message and, for an
 * orderly end, closes the channel; when the parent dies the channel closes too.
 */
import { rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.js';
import { systemRandom } from '../random.js';
import type { FrontReply, FrontStart } from './clickhouse-front.js';
import { Connections } from './clickhouse-front-connections.js';
import { FrontServer } from './clickhouse-front-server.js';

/** A query under way can't be interrupted: at the end it may take this long, then the process ends without it. */
const LAST_QUERY_TIMEOUT_MS = 10_000;

function reply(message: FrontReply): void {
  if (process.connected) process.send!(message);
}

async function start({ folder, isTemporary, port, user, password, settings }: FrontStart): Promise<void> {
  const { Session } = await import('chdb');
  const dataFolder = join(folder, 'data');
  const bodyFolder = join(folder, 'bodies');
  // the first connection keeps the engine and its background work up
  const first = new Session(dataFolder);
  // only now is it certain that nobody else uses the folder
  await rm(bodyFolder, { recursive: true, force: true });
  await mkdir(bodyFolder, { recursive: true });
  const version = first.query('SELECT version()', 'TabSeparatedRaw').trim();
  const connections = new Connections(() => new Session(dataFolder), new Map(Object.entries(settings)));
  const server = new FrontServer({
    connections,
    credentials: { user, password },
    bodyFolder,
    version,
    random: systemRandom,
  });
  const listening = await server.listen(port);
  process.once('disconnect', () => {
    const removeFolder = () => {
      if (isTemporary) rmSync(folder, { recursive: true, force: true });
    };
    const giveUp = () => {
      removeFolder();
      process.kill(process.pid, 'SIGKILL');
    };
    setTimeout(giveUp, LAST_QUERY_TIMEOUT_MS).unref();
    void server.close().then(() => {
      connections.close();
      first.close();
      removeFolder();
      process.exit(0);
    });
  });
  reply({ kind: 'ready', port: listening });
  if (!process.connected) process.emit('disconnect');
}

// Ctrl-C reaches the whole process group; the parent decides when this process ends
process.on('SIGINT', () => {});
process.once('message', (message) => {
  start(message as FrontStart).catch((error: unknown) => {
    reply({ kind: 'unavailable', message: messageOf(error) });
    process.disconnect();
    process.exitCode = 1;
  });
});
