import type { Clock } from '../clock.js';
import { answeredWithin } from './answered-within.js';

/**
 * Threads of libuv's pool in calls of the Kafka library that were given up. One that does not come back holds its thread for good, and
 * with it Node's exit, which waits for all of them: who ends the process has to know (commands/end-process.ts).
 */

const given = new Set<Promise<unknown>>();

/** As answeredWithin, for a call that holds a thread of the pool until it is answered. */
export function calledWithin<T>(clock: Clock, ms: number, call: Promise<T>, late: () => T): Promise<T> {
  return answeredWithin(clock, ms, call, () => {
    given.add(call);
    const back = () => {
      given.delete(call);
    };
    call.then(back, back);
    return late();
  });
}

/** Calls that were given up and have not come back. */
export function heldThreads(): number {
  return given.size;
}
