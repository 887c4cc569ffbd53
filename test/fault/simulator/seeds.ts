import { simulate } from './simulate.js';

/** Seeds of npm test, in two files that run side by side. */
export const SEEDS = 2_000;
export const FIRST_SEED = Number(process.env.HEADRACE_SEED ?? 1);

/** How to see again what went wrong, for the first few of so many seeds. */
export async function failuresOf(first: number, count: number): Promise<string[]> {
  const failures: string[] = [];
  for (let seed = first; seed < first + count && failures.length < 5; seed++) {
    const { failure } = await simulate({ seed });
    if (failure !== null) failures.push(`npm run simulate -- --seed ${seed}: ${failure}`);
  }
  return failures;
}
