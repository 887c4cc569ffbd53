/**
 * Named points of the protocol at which an engine kills itself when it is told to, so that tests see what a crash there leaves
 * behind: `HEADRACE_CRASH_AT=<name>`, or `<name>:<n>` for the n-th time that one thread passes it.
 *
 * All of them lie on the way of a file, a cut, a commit or a transaction, none on an event's. A point that nobody asked for is
 * one comparison.
 */
export const CRASH_POINTS = [
  'file.before-upload',
  'file.half-written',
  'file.after-upload',
  'snapshot.before-upload',
  'snapshot.half-written',
  'snapshot.after-upload',
  'commit.before-put',
  'commit.half-written',
  'commit.after-put',
  'clickhouse.after-intent',
  'clickhouse.after-insert',
  'clickhouse.after-done',
  'topics.after-records',
  'topics.before-commit',
  'topics.after-commit',
  'offsets.before-commit',
  'offsets.after-commit',
  'snapshot.before-delete',
  'snapshot.after-delete',
] as const;

/** Of commands, which an engine never passes. */
export const COMMAND_CRASH_POINTS = ['replay.before-commit', 'replay.after-commit'] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number] | (typeof COMMAND_CRASH_POINTS)[number];

export interface CrashOrder {
  point: CrashPoint;
  /** The passage that kills, from 1. */
  passage: number;
}

/** Null: it names no point. */
export function parseCrashOrder(text: string): CrashOrder | null {
  const match = /^([a-z.-]+)(?::([1-9]\d{0,5}))?$/.exec(text);
  const point = [...CRASH_POINTS, ...COMMAND_CRASH_POINTS].find((name) => name === match?.[1]);
  return point === undefined ? null : { point, passage: Number(match?.[2] ?? 1) };
}

/** What the environment asks for, as it is written; undefined: nothing. */
export const crashWanted: string | undefined = process.env.HEADRACE_CRASH_AT || undefined;

const order = crashWanted === undefined ? null : parseCrashOrder(crashWanted);
let passages = 0;

/** Does the crash that is asked for lie at this point? */
export function crashesAt(point: CrashPoint): boolean {
  return order?.point === point;
}

/** Ends the process as `kill -9` does, if this is where it is to end. */
export function crashPoint(point: CrashPoint): void {
  if (order?.point !== point) return;
  passages++;
  if (passages === order.passage) process.kill(process.pid, 'SIGKILL');
}
