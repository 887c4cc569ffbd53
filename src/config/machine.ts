import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Machine } from './types.js';

/** Cores and memory of this machine or, where less, of the container: a host's 64 cores are not ours. */
export function thisMachine(): Machine {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return {
    cores: Math.min(availableParallelism(), cgroupCores() ?? Number.POSITIVE_INFINITY),
    memoryBytes: constrained > 0 ? Math.min(total, constrained) : total,
  };
}

/** Node 20 knows the affinity mask but not the CPU quota of cgroup v2. */
function cgroupCores(): number | undefined {
  try {
    return coresOfQuota(readFileSync('/sys/fs/cgroup/cpu.max', 'utf8'));
  } catch {
    return undefined;
  }
}

/** `max 100000` → undefined (no quota); `250000 100000` → 3: part of a core is a core. */
export function coresOfQuota(cpuMax: string): number | undefined {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0)) return undefined;
  return Math.max(1, Math.ceil(quota / period));
}
