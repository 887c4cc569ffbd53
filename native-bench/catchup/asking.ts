import { systemClock } from '#src/clock.js';

/** People who ask the documented queries one after the other at a steady pace, each whether the one before is answered or not. */
export interface AskedFigures {
  queries: number;
  msP50: number;
  msP99: number;
  msMax: number;
}

/** Asks for as long as `work` takes. Throws what a query or `work` throws. */
export async function askedWhile<T>(
  {
    ask,
    queries,
    everyMs,
  }: { ask(sql: string): Promise<unknown>; queries: readonly string[]; everyMs: number },
  work: () => Promise<T>,
): Promise<{ result: T; asked: AskedFigures }> {
  const over = new AbortController();
  const took: number[] = [];
  const one = async (sql: string) => {
    const beganMs = performance.now();
    await ask(sql);
    took.push(performance.now() - beganMs);
  };
  const people = async () => {
    const asked: Promise<void>[] = [];
    const beganMs = performance.now();
    for (let i = 0; !over.signal.aborted; i++) {
      asked.push(one(queries[i % queries.length]!));
      const nextMs = beganMs + (i + 1) * everyMs - performance.now();
      await systemClock.sleep(Math.max(0, nextMs), over.signal);
    }
    await Promise.all(asked);
  };
  const asking = people();
  try {
    const [result] = await Promise.all([work().finally(() => over.abort()), asking]);
    took.sort((a, b) => a - b);
    const at = (share: number) => took[Math.ceil(took.length * share) - 1]!;
    return { result, asked: { queries: took.length, msP50: at(0.5), msP99: at(0.99), msMax: at(1) } };
  } finally {
    over.abort();
    await asking.catch(() => undefined);
  }
}
