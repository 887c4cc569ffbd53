import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from './result.js';

/** Results as files, one a run, named so that they sort by time: `stages-2026-01-31T12-00-00-000Z.json`. */

/** The last result of this benchmark over the same bytes, or null. */
export function tryReadLast(folder: string, benchmark: string, sha256: string): BenchResult | null {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder)
    .filter((name) => name.startsWith(`${benchmark}-`) && name.endsWith('.json'))
    .sort()
    .reverse();
  for (const name of names) {
    const result = JSON.parse(readFileSync(join(folder, name), 'utf8')) as BenchResult;
    if (result.workload.sha256 === sha256) return result;
  }
  return null;
}

/** Returns the file's path. */
export function writeResult(folder: string, result: BenchResult): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.benchmark}-${result.startedAt.replace(/[:.]/g, '-')}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}
