import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { endedChildrenSeconds, processSeconds, trySampleProcess } from '../pipeline/proc.js';
import type { Mark } from './marks.js';
import type { RivalRun, RivalTask } from './rival.js';
import type { LineReader, RivalLine } from './rival-lines.js';

const POLL_MS = 200;
const SILENT_MS_MAX = 600_000;

/**
 * Runs a rival as a process and watches it from outside: each line of progress is a mark with the CPU of that moment. Throws Error
 * when it ends otherwise than well, says no result, or nothing for minutes.
 */
export async function runRivalChild(
  command: string,
  args: readonly string[],
  readLine: LineReader,
  { folder, reaper, onEvents }: Pick<RivalTask, 'folder' | 'reaper' | 'onEvents'>,
): Promise<RivalRun> {
  const errPath = join(folder, 'rival.err');
  const err = openSync(errPath, 'w');
  const childrenBefore = endedChildrenSeconds();
  const began = performance.now();
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', err] });
  closeSync(err);
  const pid = child.pid ?? null;
  if (pid !== null) reaper.started(pid);
  const marks: Mark[] = [];
  const said: string[] = [];
  let result: Extract<RivalLine, { kind: 'result' }> | null = null;
  let heardMs = began;
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => {
    // also one that says nothing to us shows that it goes on
    heardMs = performance.now();
    const read = readLine(line);
    if (read === null) {
      said.push(line);
      return;
    }
    const cpuSeconds = pid === null ? null : tryProcessSeconds(pid);
    if (cpuSeconds !== null) {
      marks.push({ events: read.events, cpuSeconds, seconds: (heardMs - began) / 1_000 });
      onEvents(read.events);
    }
    if (read.kind === 'result') result = read;
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    // behind it, all that was written is read
    child.once('close', (code, signal) => resolve(String(code ?? signal)));
  });
  ended.catch(() => undefined);
  const tail = () =>
    [...said, readFileSync(errPath, 'utf8').trimEnd()].join('\n').split('\n').slice(-30).join('\n');
  let peakRssBytes = 0;
  let code: string | null = null;
  while (code === null) {
    code = await Promise.race([ended, sleep(POLL_MS, null, { ref: false })]);
    if (pid !== null) peakRssBytes = Math.max(peakRssBytes, trySampleProcess(pid)?.peakRssBytes ?? 0);
    if (code === null && performance.now() - heardMs > SILENT_MS_MAX) {
      child.kill('SIGKILL');
      await ended;
      throw new Error(`it said nothing for ${SILENT_MS_MAX / 1_000} s:\n${tail()}`);
    }
  }
  if (pid !== null) reaper.ended(pid);
  const seconds = (performance.now() - began) / 1_000;
  if (code !== '0') throw new Error(`it ended with ${code}:\n${tail()}`);
  if (result === null) throw new Error(`it ended without a result:\n${tail()}`);
  const { events, sums } = result as Extract<RivalLine, { kind: 'result' }>;
  const cpuSeconds = endedChildrenSeconds() - childrenBefore;
  return { seconds, cpuSeconds, peakRssBytes, marks, events, sums };
}

function tryProcessSeconds(pid: number): number | null {
  try {
    return processSeconds(pid);
  } catch {
    return null; // it ended since it wrote the line
  }
}
