export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  log?: string;
  timeoutMs?: number;
}
export interface RunResult {
  code: number | null;
  stdout: string;
  timedOut: boolean;
  missing: boolean;
}
export function killRunning(): void;
export function run(command: string, args: string[], options?: RunOptions): Promise<RunResult>;
export function runOrFail(
  command: string,
  args: string[],
  failure: string,
  options?: RunOptions,
): Promise<RunResult>;
export function tailOf(path: string, lines?: number): string;
export function runForeground(
  command: string,
  args: string[],
  options?: { cwd?: string; env?: Record<string, string> },
): Promise<number>;
