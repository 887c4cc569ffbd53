import { setFlagsFromString } from 'node:v8';

/**
 * By how much V8 lets a heap grow before it marks all of it again, in percent of what was left the last time: 300 is what V8 takes
 * itself where a heap may have gigabytes. For the workers' smaller ones it takes less than a third of that; but a worker that runs
 * the kernel has few objects, and what makes its heap grow are the bytes of files and snapshots, of which marking frees a few
 * MiB a time. With V8's own choice it marked every 10 MiB: some 8 % of the engine's CPU.
 */
const GROWTH_PERCENT = 300;

/** For all threads of the process, from now on. */
export function letHeapsGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
