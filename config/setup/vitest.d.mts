export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
export function runVitest(args: string[]): Promise<Counts>;
export function countResults(report: unknown, exitCode: number): Counts;
export function summaryLine(counts: Counts): string;
