import type { Clock } from '../clock.js';
import type { Random } from '../random.js';

/** An id of a cut, below 2⁶³: 42 bits of milliseconds, 21 random. */
export function newCutId(clock: Pick<Clock, 'nowMs'>, random: Pick<Random, 'below'>): bigint {
  return (BigInt(clock.nowMs()) << 21n) | BigInt(random.below(2 ** 21));
}
