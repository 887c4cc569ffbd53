import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bench } from 'tinybench';
import type { Contender, Stage } from './stage.js';

/**
 * CPU time of each contender, round by round. In a round each has its turn, so that what the machine does meanwhile meets
 * all of them, and ratios are taken within a round.
 *
 * CPU is the whole process's (user + system): garbage collection and compilation on helper threads are paid for by the one
 * who causes them. A full collection before each turn, outside the timing, keeps one's garbage out of the next one's bill.
 */

export interface MeasureOptions {
  /** Rounds that count; one more before them warms up. */
  rounds: number;
  /** CPU that a contender works for in a round at least, ms; it always runs once. */
  turnCpuMsMin: number;
  /** False where figures do not matter: a collection takes longer than the work. */
  collectsGarbage: boolean;
  /** CPU used so far, ms. */
  cpuMs?: () => number;
  onRound?: (round: number) => void;
}

/** ns of CPU per run, one figure a round. */
export type Samples = ReadonlyMap<Contender, readonly number[]>;

export function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

export function measure(stages: readonly Stage[], options: MeasureOptions): Samples {
  const { rounds, turnCpuMsMin, cpuMs = processCpuMs, onRound } = options;
  const contenders = [...new Set(stages.flatMap((stage) => stage.contenders))];
  const samples = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  const bench = new Bench({
    now: cpuMs,
    iterations: 1,
    time: turnCpuMsMin,
    warmup: false,
    throws: true,
    setup: options.collectsGarbage ? garbageCollector() : () => {},
  });
  // names may repeat between stages; tinybench's tasks must not
  contenders.forEach((contender, index) => {
    bench.add(`${index}`, () => void contender.run(), { async: false });
  });
  for (let round = 0; round <= rounds; round++) {
    onRound?.(round);
    // tasks that have a result are not run again
    bench.reset();
    bench.runSync().forEach((task, index) => {
      const { result } = task;
      if (result.state !== 'completed') throw new Error(`a turn ended as ${result.state}`);
      // the mean of a turn, not its median: collections are part of the cost
      if (round > 0) samples.get(contenders[index]!)!.push(result.latency.mean * 1e6);
    });
  }
  return samples;
}

/** Node offers it only under a flag, which may be set while it runs. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return () => collect();
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
