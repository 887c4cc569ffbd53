import type { WorkerTask } from '#src/pool/messages.js';
import type { SessionEngine } from './engine.js';
import { ReferenceEngine } from './reference-engine.js';

/** The one place that knows which engines there are. Both give the same rows: nothing but speed depends on the choice. */
export function makeEngine({ model }: WorkerTask): SessionEngine {
  return new ReferenceEngine(model);
}
