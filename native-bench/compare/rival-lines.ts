import type { SessionSums } from './session-sums.js';

/** What a rival of ours says on standard output, line by line. */
export type RivalLine =
  | { kind: 'progress'; events: number }
  | { kind: 'result'; events: number; sums: SessionSums | null };

/** Null: a line that says nothing to us. */
export type LineReader = (line: string) => RivalLine | null;

/** `PROGRESS 12345` and `RESULT {…}`, as our own jobs and children write them. */
export function readRivalLine(line: string): RivalLine | null {
  const progress = /^PROGRESS (\d+)$/.exec(line);
  if (progress !== null) return { kind: 'progress', events: Number(progress[1]) };
  if (!line.startsWith('RESULT {')) return null;
  const sums = JSON.parse(line.slice('RESULT '.length)) as SessionSums;
  return { kind: 'result', events: sums.events, sums };
}
