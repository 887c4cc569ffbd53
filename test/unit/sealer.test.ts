import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LocalStore } from '#src/lake/store/local.js';
import type { SealedReport } from '#src/ledger/types.js';
import type { WorkerMessage } from '#src/pool/messages.js';
import { decodeSnapshot } from '#src/reference/snapshot.js';
import { countersBytes, WorkerCounters } from '#src/telemetry/counters.js';
import { LaneSlot } from '../../workers/lane-slot.js';
import { Sealer } from '../../workers/sealer.js';
import { NO_EVICTION } from '../support/fake-main-thread.js';
import { batchOf, events, model, rowsOf, wanted } from '../support/fake-worker-input.js';
import { withFolder } from '../support/lake-table.js';
import { WatchedEngine } from '../support/watched-engine.js';

const LIMITS = { sessionMemoryBytes: 2 ** 24, recordBytesMax: 2 ** 20, decompressedBatchBytesMax: 2 ** 20 };
const CUT = { cutId: '77', createdAtMs: 0 };

function slotOf(engine: WatchedEngine, partition: number): LaneSlot {
  const slot = new LaneSlot({
    assign: {
      partition,
      incarnation: 1,
      appId: `headrace/group/clicks/topic-id/${partition}`,
      snapshot: null,
      startOffset: 0n,
      committedTo: 0n,
      replay: [],
      eviction: NO_EVICTION,
    },
    topic: 'clicks',
    engine,
    limits: LIMITS,
    onLive: () => undefined,
    makeRoom: () => false,
  });
  slot.start(engine.lane(null));
  return slot;
}

async function sealing(
  folder: string,
  work: (sealer: Sealer, engine: WatchedEngine, reports: SealedReport[]) => Promise<void>,
): Promise<void> {
  const engine = new WatchedEngine(model);
  const messages: WorkerMessage[] = [];
  const reports: SealedReport[] = [];
  const sealer = new Sealer({
    worker: 0,
    topic: 'clicks',
    model,
    engine,
    store: new LocalStore(folder),
    counters: new WorkerCounters(new SharedArrayBuffer(countersBytes())),
    post: (message) => {
      messages.push(message);
      if (message.type !== 'sealed') return;
      expect(engine.emitted).toBe(0);
      reports.push(message.report);
    },
    fail: (error) => {
      throw error;
    },
  });
  await work(sealer, engine, reports);
  expect(messages.map(({ type }) => type)).not.toContain('seal-retry');
}

it('a cut writes the rows of lanes that are gone since, and gives all back before it is reported', async () => {
  await withFolder(async (folder) => {
    await sealing(folder, async (sealer, engine, reports) => {
      const slots = new Map([0, 1].map((partition) => [partition, slotOf(engine, partition)]));
      for (const slot of slots.values()) {
        const bytes = batchOf(
          [...events('a', 0, 2), ...events('b', 90_000, 1), ...events('c', 180_000, 1)],
          0,
        );
        slot.accept({ bytes, from: 0n, until: 4n, aborted: [] }, { events: 0, batches: 0 });
      }
      sealer.cut({ ...CUT, lanes: [wanted(1, 1), wanted(0, 1)] }, slots);
      for (const slot of slots.values()) slot.free();
      expect([engine.lanes, engine.emitted]).toEqual([0, 2]);
      await sealer.settled();
      expect(engine.emitted).toBe(0);
      const [report] = reports;
      expect(await rowsOf(folder, report!)).toEqual(['a 2 gap 1', 'a 2 gap 1', 'b 1 gap 1', 'b 1 gap 1']);
      expect(report!.files.map(({ partitionValues, rows, lanes }) => [partitionValues, rows, lanes])).toEqual(
        [
          [{ session_date: '2026-01-01' }, 2, [0, 1]],
          [{ session_date: '2026-01-02' }, 2, [0, 1]],
        ],
      );
    });
  });
});

it('a snapshot holds the sessions as they were at the cut, whatever the lane took since', async () => {
  await withFolder(async (folder) => {
    await sealing(folder, async (sealer, engine, reports) => {
      const slot = slotOf(engine, 0);
      const take = (from: number) =>
        slot.accept(
          {
            bytes: batchOf(events('a', from, 2), from),
            from: BigInt(from),
            until: BigInt(from + 2),
            aborted: [],
          },
          { events: 0, batches: 0 },
        );
      take(0);
      const before = contentOf(slot);
      sealer.cut({ ...CUT, lanes: [wanted(0, 1, true)] }, new Map([[0, slot]]));
      take(2);
      await sealer.settled();
      const { snapshot } = reports[0]!.lanes[0]!;
      const file = await readFile(join(folder, snapshot!.path));
      expect(file.byteLength).toBe(snapshot!.sizeBytes);
      const meta = { modelHash: model.hash, appId: slot.appId, partition: 0, offset: 2n, cutId: '77' };
      expect(Buffer.from(decodeSnapshot(file, meta))).toEqual(before);
      expect(contentOf(slot)).not.toEqual(before);
    });
  });
});

/** The lane's state, as a snapshot would have it. */
function contentOf(slot: LaneSlot): Buffer {
  const state = slot.beginSnapshot();
  const parts: Uint8Array[] = [];
  for (let some = state.next(); some !== null; some = state.next()) parts.push(...some);
  return Buffer.concat(parts);
}
