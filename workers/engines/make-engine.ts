import { replaySessionBytesMax, workerMemory } from '#src/config/worker-memory.js';
import type { WorkerTask } from '#src/pool/messages.js';
import { systemRandom } from '#src/random.js';
import type { SessionEngine } from './engine.js';
import { KernelEngine } from './kernel-engine.js';
import { ReferenceEngine } from './reference-engine.js';

/** What of a worker’s task an engine is made from. */
export type EngineTask = Pick<WorkerTask, 'engine' | 'model' | 'memory' | 'limits' | 'ringCapacityBytes'>;

/** The one place that knows which engines there are. Both give the same rows: nothing but speed depends on the choice. */
export function makeEngine(task: EngineTask): SessionEngine {
  const { model, memory, limits } = task;
  if (task.engine === 'reference') return new ReferenceEngine(model);
  return new KernelEngine({
    memory,
    ...workerMemory({ ...limits, ringBytes: task.ringCapacityBytes }, task.engine),
    model,
    sessionBytesMax: replaySessionBytesMax(limits),
    recordBytesMax: limits.recordBytesMax,
    seed: systemRandom.id63(),
  });
}
