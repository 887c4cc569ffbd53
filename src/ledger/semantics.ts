import { createHash } from 'node:crypto';
import type { Isolation } from '../config/types.js';
import type { CompiledModel } from '../model/types.js';

/** Raised when the same log would give other rows than before, although the model did not change. */
const ENGINE_SEMANTICS = 1;

/**
 * Hash of all that decides a row and is neither in the log nor a mark (rule 1): the model, the limits that make dead
 * letters, the isolation level, the engine's own semantics. Lanes are never continued under another one (rule 16).
 */
export function semanticsHash(
  model: CompiledModel,
  isolation: Isolation,
  limits: { recordBytesMax: number },
): string {
  const facts = {
    engine: ENGINE_SEMANTICS,
    model: model.hash,
    isolation,
    recordBytesMax: limits.recordBytesMax,
  };
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}
