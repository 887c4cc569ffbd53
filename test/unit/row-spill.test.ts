import { expect, it } from 'vitest';
import { workerMemory } from '#src/config/worker-memory.js';
import { LocalStore } from '#src/lake/store/local.js';
import type { SealedReport } from '#src/ledger/types.js';
import { countersBytes, WorkerCounters } from '#src/telemetry/counters.js';
import { KernelEngine } from '../../workers/engines/kernel-engine.js';
import { LaneSlot } from '../../workers/lane-slot.js';
import { Sealer } from '../../workers/sealer.js';
import { NO_EVICTION } from '../support/fake-main-thread.js';
import { batchOf, events, model, recorded, rowsOf, wanted } from '../support/fake-worker-input.js';
import { withFolder } from '../support/lake-table.js';
import { BASE_MS } from '../support/reference-lane.js';

/** What a worker does when rows fill the kernel's memory: how full it is, is what the test says. */
const LIMITS = { sessionMemoryBytes: 2 ** 20, recordBytesMax: 2 ** 20, decompressedBatchBytesMax: 2 ** 20 };

class PressedKernel extends KernelEngine {
  pressure = 0;

  get truePressure(): number {
    return super.rowPressure;
  }

  override get rowPressure(): number {
    return this.pressure;
  }
}

function kernel(): PressedKernel {
  const place = workerMemory({ ...LIMITS, ringBytes: 2 ** 16 }, 'kernel');
  const pages = place.totalPages;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const sessionBytesMax = LIMITS.sessionMemoryBytes;
  return new PressedKernel({ ...place, memory, model, sessionBytesMax, recordBytesMax: 2 ** 20, seed: 1n });
}

function slotOf(
  engine: KernelEngine,
  { partition = 0, replay: cut }: { partition?: number; replay?: { report: SealedReport; to: bigint } } = {},
): LaneSlot {
  const slot = new LaneSlot({
    assign: {
      partition,
      incarnation: 1,
      appId: `headrace/group/clicks/topic-id/${partition}`,
      snapshot: null,
      startOffset: 0n,
      committedTo: cut?.to ?? 0n,
      replay: cut?.report.lanes.map((lane) => recorded(lane, cut.report.cutId)) ?? [],
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

/** One session after the other, each closed by the next. */
function feed(slot: LaneSlot, from: number): void {
  const bytes = batchOf(events(`user-${from}`, from * 100, 2), from);
  const data = { bytes, from: BigInt(from), until: BigInt(from + 2), aborted: [] };
  slot.accept(data, { events: 0, batches: 0 });
}

async function sealing(
  work: (parts: {
    engine: PressedKernel;
    sealer: Sealer;
    reports: SealedReport[];
    folder: string;
  }) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const engine = kernel();
    const reports: SealedReport[] = [];
    const sealer = new Sealer({
      worker: 0,
      topic: 'clicks',
      model,
      engine,
      store: new LocalStore(folder),
      counters: new WorkerCounters(new SharedArrayBuffer(countersBytes())),
      post: (message) => {
        if (message.type === 'sealed') reports.push(message.report);
      },
      fail: (error) => {
        throw error;
      },
    });
    await work({ engine, sealer, reports, folder });
  });
}

it('rows without a cut in sight leave the kernel as parts of the next one, written like any others', async () => {
  await sealing(async ({ engine, sealer, reports, folder }) => {
    const slot = slotOf(engine);
    const slots = new Map([[0, slot]]);
    engine.pressure = 0.6;
    for (const from of [0, 2]) feed(slot, from);
    sealer.spillRows(slots.values());
    feed(slot, 4);
    sealer.cut({ cutId: '77', createdAtMs: 0, lanes: [wanted(0, 1)] }, slots);
    await sealer.settled();
    const [report] = reports;
    expect(report!.lanes.map(({ to, rows, marks }) => [to, rows, marks])).toEqual([
      [4n, 1, {}],
      [6n, 1, {}],
    ]);
    expect(await rowsOf(folder, report!)).toEqual(['user-0 2 gap 1', 'user-2 2 gap 1']);

    const again = slotOf(engine, { replay: { report: report!, to: 6n } });
    for (const from of [0, 2, 4]) feed(again, from);
    expect(again.mode).toBe('live');
  });
});

it.each([
  ['stay where they are while they take little', 0.5, 1],
  ['leave the kernel when they take much', 0.6, -1],
])('rows that a cut itself lets out %s', async (_, pressure, stay) => {
  await sealing(async ({ engine, sealer, reports, folder }) => {
    const slot = slotOf(engine);
    for (const from of [0, 2]) feed(slot, from);
    engine.pressure = pressure;
    const before = engine.truePressure;
    const lane = { ...wanted(0, 1), marks: { endOfInput: true } };
    sealer.cut({ cutId: '77', createdAtMs: 0, lanes: [lane] }, new Map([[0, slot]]));
    expect(Math.sign(engine.truePressure - before)).toBe(stay);
    await sealer.settled();
    const rows = ['user-0 2 gap 1', 'user-2 2 end_of_input 1'];
    expect(await rowsOf(folder, reports[0]!)).toEqual(rows);
  });
});

it('of lanes that fall silent together, the rows of one can leave the kernel before the next lets out its own', async () => {
  await sealing(async ({ engine, sealer, reports, folder }) => {
    const slots = new Map([0, 1].map((partition) => [partition, slotOf(engine, { partition })]));
    for (const slot of slots.values()) feed(slot, 0);
    engine.pressure = 0.6;
    const marks = { idleWatermarkMs: BASE_MS + 3_600_000 };
    const lanes = [0, 1].map((partition) => ({ ...wanted(partition, 1), marks }));
    sealer.cut({ cutId: '77', createdAtMs: 0, lanes }, slots);
    await sealer.settled();
    const [report] = reports;
    expect(report!.lanes.map(({ partition, to, rows }) => [partition, to, rows])).toEqual([
      [0, 2n, 1],
      [0, 2n, 0],
      [1, 2n, 1],
    ]);
    expect(report!.lanes.map((lane) => lane.marks)).toEqual([marks, marks, marks]);
    expect(await rowsOf(folder, report!)).toEqual(['user-0 2 gap 1', 'user-0 2 gap 1']);

    const own = { ...report!, lanes: report!.lanes.filter(({ partition }) => partition === 0) };
    const again = slotOf(engine, { replay: { report: own, to: 2n } });
    feed(again, 0);
    expect(again.mode).toBe('live');
  });
});

it('what stays full for another reason than rows does not cut the lanes into crumbs', async () => {
  await sealing(async ({ engine, sealer }) => {
    const slot = slotOf(engine);
    const spilled = (from: number, pressure: number) => {
      engine.pressure = pressure;
      feed(slot, from);
      sealer.spillRows([slot]);
      return slot.takeParts().length;
    };
    expect([spilled(0, 0.5), spilled(2, 0.6), spilled(4, 0.65), spilled(6, 0.71)]).toEqual([0, 1, 0, 1]);
  });
});

it('a worker waits for cuts that are being written when rows take much, and only then', async () => {
  await sealing(async ({ engine, sealer }) => {
    const slot = slotOf(engine);
    feed(slot, 0);
    engine.pressure = 0.9;
    expect(sealer.mustCatchUp).toBe(false);
    sealer.cut({ cutId: '77', createdAtMs: 0, lanes: [wanted(0, 1)] }, new Map([[0, slot]]));
    expect(sealer.mustCatchUp).toBe(true);
    engine.pressure = 0.2;
    expect(sealer.mustCatchUp).toBe(false);
    engine.pressure = 0.9;
    await sealer.settled();
    expect(sealer.mustCatchUp).toBe(false);
  });
});
