import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { crc32c } from '@node-rs/crc32';
import { ChunkWriter } from '#src/generator/load/chunk-writer.js';
import { NO_DIRT } from '#src/generator/load/dirt.js';
import { makeLoad } from '#src/generator/load/load.js';

/**
 * A process of its own that does with a load's bytes only what must be done: copies each batch once, takes its CRC-32C, and writes
 * it to a socket, several megabytes on their way, whose other end (a further process) reads and forgets them. The floor of `bulk`.
 */

export interface FloorTask {
  events: number;
  partitions: number;
}

export interface FloorAnswer {
  events: number;
  bytes: number;
  seconds: number;
  cpuSeconds: number;
}

const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const UNDER_WAY_BYTES_MAX = 8 * 1024 * 1024;

if (process.argv[2] === undefined) serve();
else process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2]) as FloorTask))}\n`);

function serve(): void {
  const server = createServer((given) => {
    given.on('data', () => undefined);
    given.on('close', () => server.close());
  });
  server.listen(0, '127.0.0.1', () => {
    process.send!((server.address() as AddressInfo).port);
    process.disconnect();
  });
}

async function run({ events, partitions }: FloorTask): Promise<FloorAnswer> {
  const sink = fork(fileURLToPath(import.meta.url));
  const [port] = (await once(sink, 'message')) as [number];
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const { bytes, batches } = oneChunk(partitions);
  const source = Buffer.from(bytes);
  const places = [source, source].map(({ length }) => Buffer.allocUnsafeSlow(length));
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  let sent = 0;
  let sentBytes = 0;
  for (let turn = 0; sent < events; turn++) {
    const place = places[turn % places.length]!;
    socket.cork();
    for (const { from, to, records } of batches) {
      source.copy(place, from, from, to);
      crc32c(place.subarray(from, to));
      socket.write(place.subarray(from, to));
      sent += records;
      sentBytes += to - from;
    }
    socket.uncork();
    if (socket.writableLength > UNDER_WAY_BYTES_MAX) await once(socket, 'drain');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise<void>((resolve) => socket.end(resolve));
  const { user, system } = process.cpuUsage(startCpu);
  const seconds = (performance.now() - startMs) / 1_000;
  return { events: sent, bytes: sentBytes, seconds, cpuSeconds: (user + system) / 1e6 };
}

function oneChunk(partitions: number) {
  const spec = {
    model: 'clickstream',
    sessions: 'journeys',
    seed: 1,
    users: 10_000,
    partitions,
    eventsPerSessionMean: 8,
    startMs: START_MS,
    awayMsMin: HOUR_MS / 2,
    breakMsMean: HOUR_MS,
    dirt: NO_DIRT,
    records: 1e9,
  } as const;
  const writer = new ChunkWriter(
    makeLoad(spec, () => true),
    { id: 1n, epoch: 0 },
  );
  // the first one is written before the window has filled up with what repeats
  writer.write(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  return writer.write(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
}
