/**
 * What is measured: the stages of the data path, each with the ways to do its work. A stage stands beside its floor (the
 * least work that could do) and its rivals (what one would take instead).
 *
 * Invariant: nothing is timed whose result was not proved right in the same process.
 */

export type Role = 'stage' | 'floor' | 'rival';

/** One way to do a stage's work. */
export interface Contender {
  role: Role;
  name: string;
  /** Does the work once, over the whole workload. */
  run(): unknown;
  /** Runs once and throws when the result is not right. */
  check(): void;
}

export interface Stage {
  name: string;
  /** What one unit is: event, row, … */
  unit: string;
  /** Units that one run works through. */
  units: number;
  /** Events that one run's cost is shared by; null where it does not grow with events. */
  events: number | null;
  contenders: readonly Contender[];
}

export function contender<T>(role: Role, name: string, run: () => T, prove: (result: T) => void): Contender {
  return { role, name, run, check: () => prove(run()) };
}

/** Proves every contender of every stage. Throws Error, which names stage and contender. */
export function checkStages(stages: readonly Stage[]): void {
  for (const stage of stages) {
    for (const { name, check } of stage.contenders) {
      try {
        check();
      } catch (cause) {
        throw new Error(`${stage.name}: ${name} gives a wrong result`, { cause });
      }
    }
  }
}
