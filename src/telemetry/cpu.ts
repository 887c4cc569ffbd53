import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * CPU time by thread, and peak memory. Linux counts each thread in /proc; elsewhere the process's total is all there is.
 */

export interface ThreadCpu {
  /** The operating system's id of the thread, or null where only the process as a whole is known. */
  osThreadId: number | null;
  /** As the kernel has it, at most 15 bytes: `node`, `libuv-worker`, `rdk:main`. */
  name: string;
  userSeconds: number;
  systemSeconds: number;
}

/** USER_HZ: the unit of /proc/…/stat, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** CPU of each thread that lives now; threads that have ended are counted in `processCpuSeconds` only. */
export function threadCpu(): ThreadCpu[] {
  let ids: string[];
  try {
    ids = readdirSync('/proc/self/task');
  } catch {
    const { user, system } = process.cpuUsage();
    return [{ osThreadId: null, name: 'process', userSeconds: user / 1e6, systemSeconds: system / 1e6 }];
  }
  return ids.flatMap((id) => {
    try {
      return parseThreadStat(readFileSync(`/proc/self/task/${id}/stat`, 'utf8')) ?? [];
    } catch {
      return []; // it ended since it was listed
    }
  });
}

/** One line of /proc/…/stat, or null when it is none. The name stands in brackets and may hold anything, brackets too. */
export function parseThreadStat(line: string): ThreadCpu | null {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  // behind the name: state is field 3, utime 14, stime 15 (proc_pid_stat(5))
  const fields = line.slice(close + 2).split(' ');
  const [id, user, system] = [line.slice(0, open), fields[11], fields[12]].map(Number);
  if (!Number.isInteger(id) || !Number.isFinite(user) || !Number.isFinite(system)) return null;
  return {
    osThreadId: id!,
    name: line.slice(open + 1, close),
    userSeconds: user! / TICKS_PER_SECOND,
    systemSeconds: system! / TICKS_PER_SECOND,
  };
}

/** The operating system's id of the thread that calls, or null where it cannot be known. */
export function osThreadId(): number | null {
  try {
    const id = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    return Number.isInteger(id) ? id : null;
  } catch {
    return null;
  }
}

/** User and system time of all threads, ended ones included. */
export function processCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The most memory that was resident at once. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1_024;
}
