import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS_MAX = 120_000;
const WAIT_MS = 250;

/** For what only reads: once more when librdkafka says no, as it does for a while after a broker went. */
export async function retried<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + RETRY_MS_MAX;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isKafkas = typeof (error as { code?: unknown }).code === 'number';
      if (!isKafkas || performance.now() > deadline) throw error;
      await sleep(WAIT_MS);
    }
  }
}
