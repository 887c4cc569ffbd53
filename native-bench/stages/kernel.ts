import assert from 'node:assert/strict';
import type { Row } from '#src/model/types.js';
import { openBatches } from '#src/reference/batch-reader.js';
import { addCrc, rowCrc } from '#src/reference/row-crc.js';
import { BenchEngine, type EngineName, LIMITS } from '../kernel/bench-engine.js';
import { type Contender, contender, type Role, type Stage } from '../stage.js';
import type { Workload } from '../workload.js';
import { countingByUser } from './sessions.js';

/**
 * Fetched bytes → rows as canonical bytes, with their sum: the kernel beside the reference. Few sessions are open here; at
 * a constant number of many it is the benchmark `kernel` that measures.
 */
export function kernelStage(workload: Workload, rows: readonly Row[], jsonParse: Contender): Stage {
  const { events } = workload;
  return {
    name: 'batches to rows',
    unit: 'event',
    units: events.length,
    events: events.length,
    contenders: [
      reading('stage', 'kernel', workload, rows),
      jsonParse,
      reading('rival', 'reference', workload, rows),
      countingByUser(workload),
    ],
  };
}

function reading(role: Role, name: EngineName, workload: Workload, rows: readonly Row[]): Contender {
  const { model, fetched, expected } = workload;
  const bench = new BenchEngine(name, model, 0, expected.sessions);
  const { engine } = bench;
  const placed = bench.place(fetched);
  const run = () => {
    const lane = engine.lane(null);
    openBatches(placed, { fromOffset: 0n, limits: LIMITS }, engine.codecs, (batch) => {
      lane.accept(batch, batch.baseOffset, batch.lastOffset + 1n);
    });
    lane.applyMarks({ idleWatermarkMs: lane.watermarkMs! + model.gapMs + model.allowedDisorderMs + 1 });
    const emitted = lane.take();
    const { rows: count, crc, deadLetters } = emitted;
    emitted.free();
    lane.free();
    return { count, crc, deadLetters: deadLetters.length };
  };
  const crc = rows.reduce((sum, row) => addCrc(sum, rowCrc(model, row)), 0);
  const wanted = { count: expected.sessions, crc, deadLetters: 0 };
  return contender(role, `${name} engine`, run, (found) => assert.deepEqual(found, wanted));
}
