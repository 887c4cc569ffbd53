import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { lakeAt } from '#src/config/lake-place.js';
import type { CutCommand, SealedReport } from '#src/ledger/types.js';
import type { AssignCommand, WorkerMessage } from '#src/pool/messages.js';
import type { WorkerPool } from '#src/pool/pool.js';
import { RecordType } from '#src/ring/layout.js';
import { readCounters } from '#src/telemetry/counters.js';
import { NO_EVICTION } from '../support/fake-main-thread.js';
import { eventually } from '../support/fake-time.js';
import { batchOf, events, model, wanted } from '../support/fake-worker-input.js';
import { withFolder } from '../support/lake-table.js';

/** The built pool: piscina's threads run the built worker. */
const BUILT = new URL('../../dist/pool/pool.js', import.meta.url).href;

interface Started {
  pool: WorkerPool;
  messages: WorkerMessage[][];
  failures: { worker: number; error: unknown }[];
}

async function withPool(
  workers: number,
  work: (started: Started, folder: string) => Promise<void>,
): Promise<void> {
  const { WorkerPool } = (await import(BUILT)) as typeof import('#src/pool/pool.js');
  await withFolder(async (folder) => {
    const messages: WorkerMessage[][] = Array.from({ length: workers }, () => []);
    const failures: Started['failures'] = [];
    const pool = new WorkerPool({
      workers,
      ringCapacityBytes: 64 * 1024,
      table: lakeAt(folder),
      topic: 'clicks',
      model,
      engine: 'reference',
      limits: { sessionMemoryBytes: 2 ** 24, recordBytesMax: 2 ** 16, decompressedBatchBytesMax: 2 ** 20 },
      clickhouse: null,
      quality: null,
      onMessage: (worker, message) => messages[worker]!.push(message),
      onFailure: (worker, error) => failures.push({ worker, error }),
    });
    try {
      await work({ pool, messages, failures }, folder);
    } finally {
      await pool.destroy();
    }
  });
}

function command(
  pool: WorkerPool,
  worker: number,
  type: RecordType,
  partition: number,
  payload: unknown,
): void {
  pool.rings[worker]!.command({ type, partition, incarnation: 1, offset: 0n, aux: 0n }, pack(payload));
}

function assign(pool: WorkerPool, worker: number, partition: number): void {
  const lane: AssignCommand = {
    partition,
    incarnation: 1,
    appId: `headrace/group/clicks/topic-id/${partition}`,
    snapshot: null,
    startOffset: 0n,
    committedTo: 0n,
    replay: [],
    eviction: NO_EVICTION,
  };
  command(pool, worker, RecordType.assign, partition, lane);
}

function data(
  pool: WorkerPool,
  worker: number,
  partition: number,
  offset: bigint,
  bytes: Uint8Array,
  to: bigint,
) {
  const ring = pool.rings[worker]!;
  const claim = ring.tryClaim(bytes.byteLength);
  if (claim === null) throw new Error('the ring is full');
  claim.bytes.set(bytes);
  ring.commit({ type: RecordType.data, partition, incarnation: 1, offset, aux: to }, bytes.byteLength);
}

function have(messages: readonly WorkerMessage[], type: WorkerMessage['type']): boolean {
  return messages.some((message) => message.type === type);
}

function reportsOf(messages: readonly WorkerMessage[]): SealedReport[] {
  return messages.flatMap((message) => (message.type === 'sealed' ? [message.report] : []));
}

describe('the pool', () => {
  it('runs each worker in a thread of its own, from the start', async () => {
    await withPool(2, async ({ messages }) => {
      await eventually('both workers', () => messages.every((each) => have(each, 'started')));
      const threads = messages.map(([first]) => (first?.type === 'started' ? first.osThreadId : null));
      expect(new Set([...threads, process.pid]).size).toBe(3);
    });
  });

  it('passes data and commands through each worker’s ring and answers through its port', async () => {
    await withPool(2, async ({ pool, messages, failures }) => {
      for (const worker of [0, 1]) {
        assign(pool, worker, worker + 10);
        await eventually('a lane', () => have(messages[worker]!, 'lane-ready'));
        const bytes = batchOf([...events('a', 0, 2), ...events('b', 100, 1)], 0);
        data(pool, worker, worker + 10, 0n, bytes, 3n);
        const cut: CutCommand = { cutId: '7', createdAtMs: 0, lanes: [wanted(worker + 10, 1)] };
        command(pool, worker, RecordType.cut, -1, cut);
      }
      await eventually('both reports', () => messages.every((each) => have(each, 'sealed')));
      const reports = messages.map((each) => reportsOf(each)[0]!);
      expect(
        reports.map(({ worker, lanes }) => [worker, lanes[0]!.partition, lanes[0]!.to, lanes[0]!.rows]),
      ).toEqual([
        [0, 10, 3n, 1],
        [1, 11, 3n, 1],
      ]);
      expect(pool.counters.map((buffer) => readCounters(buffer).events)).toEqual([3, 3, 0]);
      expect(await pool.stop()).toEqual([
        { worker: 0, events: 3 },
        { worker: 1, events: 3 },
      ]);
      expect(failures).toEqual([]);
    });
  });

  it('passes what must not wait behind the data around the ring', async () => {
    await withPool(1, async ({ pool, messages }) => {
      assign(pool, 0, 0);
      await eventually('a lane', () => have(messages[0]!, 'lane-ready'));
      pool.post(0, { type: 'freeze', lanes: [{ partition: 0, incarnation: 1 }] });
      // round after round, until the message beside the ring has arrived: a frozen lane stays where it is
      let offset = 0n;
      for (let to = 0n; to === offset; ) {
        data(pool, 0, 0, offset, batchOf(events('a', Number(offset), 1), Number(offset)), offset + 1n);
        offset += 1n;
        const cut: CutCommand = { cutId: `${offset}`, createdAtMs: 0, lanes: [wanted(0, 1)] };
        command(pool, 0, RecordType.cut, -1, cut);
        const before = reportsOf(messages[0]!).length;
        await eventually('a report', () => reportsOf(messages[0]!).length > before);
        to = reportsOf(messages[0]!).at(-1)!.lanes[0]!.to;
      }
      expect(reportsOf(messages[0]!).at(-1)!.lanes[0]!.to).toBe(offset - 1n);
    });
  });

  it('tells which worker died, and of what', async () => {
    await withPool(2, async ({ pool, messages, failures }) => {
      assign(pool, 1, 0);
      await eventually('a lane', () => have(messages[1]!, 'lane-ready'));
      // it does not continue the lane: a defect of ours, which ends the worker
      data(pool, 1, 0, 5n, batchOf(events('a', 0, 1), 5), 6n);
      await eventually('a failure', () => failures.length > 0);
      expect(failures[0]).toMatchObject({ worker: 1 });
      expect(String(failures[0]!.error)).toContain('data does not continue the lane');
    });
  });
});
