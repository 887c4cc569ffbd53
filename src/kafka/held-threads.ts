import type { Clock } from '../clock.js';
import { answeredWithin } from './answered-within.js';

/**
 * Threads of libuv's pool in calls of the Kafka library that were given up. One that does not come back holds its thread for good, and
 * with it Node's exit, which waits for all of them: who ends the process has to know (commands/end-process.ts).
 */

const given = new Map<Promise<unknown>, string>();

/** As answeredWithin, for a call that holds a thread of the pool until it is answered. `name`: what it is called. */
export function calledWithin<T>(
  clock: Clock,
  ms: number,
  name: string,
  call: Promise<T>,
  late: () => T,
): Promise<T> {
  return answeredWithin(clock, ms, call, () => {
    given.set(call, name);
    const back = () => {
      given.delete(call);
    };
    call.then(back, back);
    return late();
  });
}

/** Names of the calls that were given up and have not come back. */
export function heldCalls(): string[] {
  return [...given.values()];
}

/** Resolves when they are all back, or after so long. */
export async function callsBack(clock: Clock, ms: number): Promise<void> {
  const all = Promise.allSettled(given.keys());
  await answeredWithin<unknown>(clock, ms, all, () => null);
}
