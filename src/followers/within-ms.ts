import type { Clock } from '../clock.js';

/** Resolves when the work is done or the time is over. */
export async function withinMs(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  await Promise.race([work.catch(() => undefined), clock.sleep(ms, done.signal)]);
  done.abort();
}
