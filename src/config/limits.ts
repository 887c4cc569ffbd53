import { heartbeatIntervalMs } from './heartbeat.js';
import type { Problem } from './problems.js';
import type { ClickHouseConfig, EngineConfig, Machine } from './types.js';
import { formatDuration, formatSize } from './units.js';
import {
  reserveBytes,
  type SessionEngineName,
  sessionMemoryBytesMax,
  WASM_PAGE_BYTES,
  WORKER_MEMORY_PAGES_MAX,
  workerMemory,
} from './worker-memory.js';

/**
 * What settings must satisfy together, asserted at boot. Every queue of the engine has a size, and the sum of all of
 * them is what the machine must have: load is shed at a limit that somebody chose, never by the kernel's OOM killer.
 */

const MiB = 2 ** 20;

/** Node, librdkafka and their code: what the process takes before the first event. */
export const BASE_BYTES = 192 * MiB;
/** A worker's JavaScript heap beside its sessions: rows under way, Arrow, Parquet. */
export const WORKER_HEAP_BASE_BYTES = 768 * MiB;
/** The reference's sessions are objects, which take about twice what is counted for them. The kernel counts what it takes. */
export const SESSION_HEAP_FACTOR = 2;
/** The least that is of use. */
const SESSION_MEMORY_BYTES_LEAST = 64 * MiB;
/** Of an answer's cap, what is left to its headers: topics, partitions, error codes. */
export const RESPONSE_OVERHEAD_BYTES = 64 * 1024;
/** Header, read-ahead and alignment of a ring's record (src/ring/layout.ts; a test holds them equal). */
export const RING_RECORD_OVERHEAD_BYTES = 160;
/** librdkafka's default. */
const MAX_POLL_INTERVAL_MS = 300_000;

/** The largest payload of one ring record: half the ring, less its overhead. */
export function ringPayloadBytesMax(ringBytes: number): number {
  return ringBytes / 2 - RING_RECORD_OVERHEAD_BYTES;
}

export interface MemoryTerm {
  /** In the file's words, with its factor. */
  name: string;
  bytes: number;
}

/** The sizes that `memoryTerms` adds up. Sessions are the kernel's unless `engine` says otherwise. */
type Sized = Pick<EngineConfig, 'workers' | 'fetch' | 'limits'> & {
  engine?: SessionEngineName;
  clickhouse?: Pick<ClickHouseConfig, 'keptBytes'> | null;
};

/** Everything that can be full at the same time. */
export function memoryTerms({ workers, fetch, limits, engine = 'kernel', clickhouse }: Sized): MemoryTerm[] {
  const perWorker = workers === 1 ? '' : ` × ${workers} workers`;
  return [
    ...sessionTerms(limits, engine, workers),
    { name: `limits.ring_bytes${perWorker}`, bytes: limits.ringBytes * workers },
    // a worker decompresses one batch at a time
    {
      name: `limits.decompressed_batch_bytes_max${perWorker}`,
      bytes: limits.decompressedBatchBytesMax * workers,
    },
    { name: `heap beside the sessions${perWorker}`, bytes: WORKER_HEAP_BASE_BYTES * workers },
    // files that wait for ClickHouse
    ...(clickhouse
      ? [{ name: `clickhouse.kept_bytes${perWorker}`, bytes: clickhouse.keptBytes * workers }]
      : []),
    { name: 'fetch.in_flight_bytes', bytes: fetch.inFlightBytes },
    // the one response that is being received
    { name: 'fetch.response_bytes_max', bytes: fetch.responseBytesMax },
    { name: 'the process itself', bytes: BASE_BYTES },
  ];
}

function sessionTerms(
  limits: EngineConfig['limits'],
  engine: SessionEngineName,
  workers: number,
): MemoryTerm[] {
  const { sessionMemoryBytes } = limits;
  const perWorker = workers === 1 ? '' : ` × ${workers} workers`;
  const name = 'limits.session_memory_bytes';
  if (engine === 'reference') {
    const bytes = sessionMemoryBytes * SESSION_HEAP_FACTOR * workers;
    return [{ name: `${name} × ${SESSION_HEAP_FACTOR} as objects${perWorker}`, bytes }];
  }
  return [
    { name: `${name}${perWorker}`, bytes: sessionMemoryBytes * workers },
    { name: `reserve beside the sessions${perWorker}`, bytes: reserveBytes(limits) * workers },
  ];
}

/**
 * limits.session_memory_bytes for `auto`: 1GiB a worker, less where the machine has less. A quarter of its memory stays
 * free for the files being written, the page cache and others.
 */
export function autoSessionMemoryBytes(sized: Sized, machine: Machine): number {
  const needed = (sessionMemoryBytes: number) =>
    sum(memoryTerms({ ...sized, limits: { ...sized.limits, sessionMemoryBytes } }));
  const others = needed(0);
  const perMiB = needed(MiB) - others;
  const wholeMiB = Math.floor((machine.memoryBytes * 0.75 - others) / perMiB) * MiB;
  const addressable =
    sized.engine === 'reference' ? Number.POSITIVE_INFINITY : sessionMemoryBytesMax(sized.limits);
  return Math.min(1024 * MiB, Math.max(SESSION_MEMORY_BYTES_LEAST, Math.min(wholeMiB, addressable)));
}

/** Every relation that is violated, with both settings and both values. */
export function violatedLimits(config: EngineConfig, machine: Machine): Problem[] {
  return [
    ...sizeRelations(config),
    ...workerMemoryRelation(config),
    ...timeRelations(config),
    ...memoryRelation(config, machine),
  ];
}

function sizeRelations({ fetch, limits }: EngineConfig): Problem[] {
  const partition = size('fetch.partition_bytes', fetch.partitionBytes);
  const inFlight = size('fetch.in_flight_bytes', fetch.inFlightBytes);
  const response = {
    path: 'what an answer of fetch.response_bytes_max holds',
    value: fetch.responseBytesMax - RESPONSE_OVERHEAD_BYTES,
    shown: `${formatSize(fetch.responseBytesMax)} less ${formatSize(RESPONSE_OVERHEAD_BYTES)} of headers`,
  };
  const ring = size('limits.ring_bytes', limits.ringBytes);
  const record = size('limits.record_bytes_max', limits.recordBytesMax);
  const batch = size('limits.decompressed_batch_bytes_max', limits.decompressedBatchBytesMax);
  const payload = {
    ...ring,
    path: 'what a record of limits.ring_bytes takes',
    value: ringPayloadBytesMax(limits.ringBytes),
    shown: `half of ${ring.shown} less ${RING_RECORD_OVERHEAD_BYTES}B`,
  };
  return [
    ...powerOfTwo(ring),
    ...atMost(partition, payload, 'a partition’s answer is handed over in one piece'),
    ...atMost(partition, inFlight, 'or nothing could ever be fetched'),
    ...atMost(partition, response, 'an answer brings at least one partition'),
    ...atMost(partition, batch, 'a batch that is not compressed is as large as it was fetched'),
    ...atMost(record, batch, 'a record lies in a batch'),
  ];
}

/** A worker's ring, its batch and its sessions lie in one WebAssembly memory, whose addresses have 32 bits. */
function workerMemoryRelation({ limits, engine = 'kernel' }: Sized): Problem[] {
  const { totalPages } = workerMemory(limits, engine);
  if (totalPages <= WORKER_MEMORY_PAGES_MAX) return [];
  const least = sessionMemoryBytesMax(limits);
  const { ringBytes, decompressedBatchBytesMax, recordBytesMax } = limits;
  const others = `ring (${formatSize(ringBytes)}), batch (${formatSize(decompressedBatchBytesMax)}), records (8 × ${formatSize(recordBytesMax)})`;
  const needs = `${approximately(totalPages * WASM_PAGE_BYTES)} with ${others} and a reserve of a quarter`;
  const room = least < SESSION_MEMORY_BYTES_LEAST ? 'lower these' : `at most ${formatSize(least)} here`;
  const message =
    `a worker's memory ends at 4GiB and this takes ${needs}: ${room}; ` +
    'for more sessions run more workers, each has this much of its own';
  return [{ path: 'limits.session_memory_bytes', message }];
}

function timeRelations({ kafka, fetch, ...config }: EngineConfig): Problem[] {
  const cut = time('cut_interval', config.cutIntervalMs);
  const session = time('kafka.session_timeout', kafka.sessionTimeoutMs);
  const poll = property(kafka.librdkafka, 'max.poll.interval.ms', MAX_POLL_INTERVAL_MS);
  const drain = time('drain_timeout', config.drainTimeoutMs);
  const common = [
    ...atMost(cut, time('snapshot_interval', config.snapshotIntervalMs), 'a snapshot is taken at a cut'),
    ...atMost(cut, drain, 'an orderly stop ends with a cut'),
    ...atMost(drain, poll, 'the group gives up on a member that drains longer'),
    ...atMost(
      time('fetch.max_wait', fetch.maxWaitMs),
      drain,
      'a fetch that is under way must come back while the engine stops',
    ),
  ];
  // with the consumer protocol the broker decides both
  if (kafka.groupProtocol === 'consumer') return common;
  const heartbeat = property(kafka.librdkafka, 'heartbeat.interval.ms', heartbeatIntervalMs(session.value));
  const three = { ...heartbeat, value: heartbeat.value * 3, shown: `3 × ${heartbeat.shown}` };
  return [
    ...common,
    ...atMost(three, session, 'two lost heartbeats must not end a membership'),
    ...atMost(session, poll, 'librdkafka refuses it otherwise'),
  ];
}

function memoryRelation(config: EngineConfig, machine: Machine): Problem[] {
  const terms = memoryTerms(config);
  const needed = sum(terms);
  if (needed <= machine.memoryBytes) return [];
  const list = [...terms]
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ name, bytes }) => `${name} ${approximately(bytes)}`)
    .join(' + ');
  const message =
    `the engine may need ${approximately(needed)} and the machine has ${approximately(machine.memoryBytes)}: ` +
    `${list}; lower the largest, or workers`;
  return [{ path: 'limits', message }];
}

/** One side of a relation. */
interface Side {
  path: string;
  value: number;
  shown: string;
}

function size(path: string, value: number): Side {
  return { path, value, shown: formatSize(value) };
}

function time(path: string, value: number): Side {
  return { path, value, shown: formatDuration(value) };
}

/** A librdkafka property in ms, or its default. Something else than a number is librdkafka's to refuse. */
function property(map: EngineConfig['kafka']['librdkafka'], name: string, defaultMs: number): Side {
  const own = Object.hasOwn(map, name) ? Number(map[name]) : Number.NaN;
  const value = Number.isFinite(own) ? own : defaultMs;
  return { path: `kafka.librdkafka.${name}`, value, shown: formatDuration(value) };
}

function atMost(lesser: Side, greater: Side, why: string): Problem[] {
  if (lesser.value <= greater.value) return [];
  const message = `${lesser.shown} must be at most ${greater.path} (${greater.shown}): ${why}`;
  return [{ path: lesser.path, message }];
}

function powerOfTwo({ path, value, shown }: Side): Problem[] {
  if (Number.isInteger(Math.log2(value))) return [];
  const below = 2 ** Math.floor(Math.log2(value));
  const message = `${shown} must be a power of two: ${formatSize(below)} or ${formatSize(below * 2)}`;
  return [{ path, message }];
}

function sum(terms: readonly MemoryTerm[]): number {
  return terms.reduce((total, { bytes }) => total + bytes, 0);
}

function approximately(bytes: number): string {
  return bytes < 10 * 1024 * MiB ? `${Math.round(bytes / MiB)}MiB` : `${(bytes / 1024 / MiB).toFixed(1)}GiB`;
}
