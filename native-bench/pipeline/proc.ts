import { readdirSync, readFileSync } from 'node:fs';
import { parseThreadStat, type ThreadCpu } from '#src/telemetry/cpu.js';

/** What Linux counts of other processes, and of the machine: CPU by thread, peak memory, stolen time. */

/** USER_HZ. */
const TICKS_PER_SECOND = 100;

export interface ProcessSample {
  /** Threads that live now. */
  threads: ThreadCpu[];
  peakRssBytes: number;
}

/** Null: the process is gone. Throws Error where there is no /proc. */
export function trySampleProcess(pid: number): ProcessSample | null {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).flatMap((id) => tryReadThread(pid, id) ?? []);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // a zombie has no memory any more
    const peakKib = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    return peakKib === undefined ? null : { threads, peakRssBytes: Number(peakKib) * 1024 };
  } catch {
    readdirSync('/proc/self');
    return null;
  }
}

function tryReadThread(pid: number, id: string): ThreadCpu | null {
  try {
    return parseThreadStat(readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8'));
  } catch {
    return null; // it ended since it was listed
  }
}

/** User and system seconds of a process that lives, ended threads included. */
export function processSeconds(pid: number): number {
  const [user, system] = statTimes(pid);
  return (user! + system!) / TICKS_PER_SECOND;
}

/** User and system seconds of all children of ours that have ended, to the last of their threads. */
export function endedChildrenSeconds(): number {
  const [, , user, system] = statTimes('self');
  return (user! + system!) / TICKS_PER_SECOND;
}

/** utime, stime, cutime, cstime: fields 14 to 17 of proc_pid_stat(5), in ticks. */
function statTimes(pid: number | 'self'): number[] {
  const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return line
    .slice(line.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
}

export interface MachineTicks {
  total: number;
  stolen: number;
}

/** Of all cores since the boot. */
export function machineTicks(): MachineTicks {
  const [line] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  // user nice system idle iowait irq softirq steal; guest time is in user already
  const ticks = line!.trim().split(/\s+/).slice(1, 9).map(Number);
  return { total: ticks.reduce((sum, each) => sum + each, 0), stolen: ticks[7] ?? 0 };
}

/** Share of the machine's time that its host gave to others meanwhile. */
export function stealShare(from: MachineTicks, to: MachineTicks): number {
  return to.total > from.total ? (to.stolen - from.stolen) / (to.total - from.total) : 0;
}
