import type { Clock } from '../clock.js';

/**
 * What the work answers, or when it takes longer than that, what `late` says or throws. The work itself goes on: what becomes of it then
 * is told to nobody.
 */
export async function answeredWithin<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  late: () => T,
): Promise<T> {
  const settled = new AbortController();
  const overdue = clock.sleep(ms, settled.signal).then(() => null);
  // rejects for nobody once it is late
  work.catch(() => undefined);
  try {
    const outcome = await Promise.race([work.then((value) => ({ value })), overdue]);
    return outcome === null ? late() : outcome.value;
  } finally {
    settled.abort();
  }
}
