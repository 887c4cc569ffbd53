import { availableParallelism, cpus, loadavg } from 'node:os';

/** What a result was measured on. */
export interface Machine {
  node: string;
  cpu: string;
  cores: number;
  loadAverage: number;
}

/** The machine as it is now. */
export function thisMachine(): Machine {
  const cpu = cpus()[0]?.model ?? '?';
  return { node: process.version, cpu, cores: availableParallelism(), loadAverage: loadavg()[0]! };
}
