/** A load in WebAssembly: who does what when, and record batches of it. See ../load-abi for what lies where. */
import { P_WORDS } from '../load-abi';
import { nextWord as next } from './words';

export { reserve } from './arena';
export { writeBatch } from './batch';
export { nowMs, settle } from './crowd';
export { modelAt } from './model';
export { hasNext, isDone, take } from './partition';

/** The partition's next word of chance, for what the host decides. */
export function nextWord(p: usize): i32 {
  return next(p + P_WORDS);
}
