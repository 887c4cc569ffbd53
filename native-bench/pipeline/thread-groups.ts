import type { ThreadCpu } from '#src/telemetry/cpu.js';

/** CPU of the engine's threads, by what they are for. */
export interface ThreadGroup {
  name: string;
  threads: number;
  /** From start to exit. */
  seconds: number;
  /** Of these within the window. */
  windowSeconds: number;
}

/** What was seen of a process's threads; the main thread is the first. */
export interface SeenThreads {
  /** When the window began. */
  begin: readonly ThreadCpu[];
  /** When it ended. */
  end: readonly ThreadCpu[];
  /** Each as late as it was seen, ended ones too. */
  last: readonly ThreadCpu[];
}

/**
 * Main thread, each worker in its order, and the helpers by whose they are. The last group is what threads did
 * before or after they were looked at: all groups add up to `processSeconds`.
 */
export function threadGroups(
  { begin, end, last }: SeenThreads,
  workerThreadIds: readonly (number | null)[],
  processSeconds: number,
): ThreadGroup[] {
  const groups = new Map<string, ThreadGroup>(
    [
      'main',
      ...workerThreadIds.map((_, worker) => `worker ${worker}`),
      'librdkafka',
      'libuv',
      'V8 and Node',
    ].map((name) => [name, { name, threads: 0, seconds: 0, windowSeconds: 0 }]),
  );
  const mainId = last[0]?.osThreadId;
  for (const thread of last) {
    const worker = workerThreadIds.indexOf(thread.osThreadId);
    const name = thread.osThreadId === mainId ? 'main' : worker >= 0 ? `worker ${worker}` : helperOf(thread);
    const group = groups.get(name)!;
    group.threads++;
    group.seconds += secondsOf(last, thread.osThreadId);
    group.windowSeconds += secondsOf(end, thread.osThreadId) - secondsOf(begin, thread.osThreadId);
  }
  const seen = [...groups.values()];
  const rest = processSeconds - seen.reduce((sum, { seconds }) => sum + seconds, 0);
  return [...seen, { name: 'not seen', threads: 0, seconds: Math.max(0, rest), windowSeconds: 0 }];
}

function helperOf({ name }: ThreadCpu): string {
  if (name.startsWith('rdk:')) return 'librdkafka';
  return name.startsWith('libuv') || name.startsWith('iou-') ? 'libuv' : 'V8 and Node';
}

function secondsOf(threads: readonly ThreadCpu[], id: number | null): number {
  const thread = threads.find(({ osThreadId }) => osThreadId === id);
  return thread === undefined ? 0 : thread.userSeconds + thread.systemSeconds;
}
