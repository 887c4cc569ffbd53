import type { Clock } from '../clock.js';

/**
 * What the work answers, or `late` thrown when it takes longer than that. The work itself goes on: what becomes of it then is told to
 * nobody.
 */
export async function answeredWithin<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  late: () => Error,
): Promise<T> {
  const settled = new AbortController();
  const overdue = clock.sleep(ms, settled.signal).then(() => 'overdue' as const);
  // rejects for nobody once it is late
  work.catch(() => undefined);
  try {
    const outcome = await Promise.race([work.then((value) => ({ value })), overdue]);
    if (outcome === 'overdue') throw late();
    return outcome.value;
  } finally {
    settled.abort();
  }
}
