import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Results as files, one a run, named so that they sort by time: `stages-2026-01-31T12-00-00-000Z.json`. */

/** What every benchmark's result has. */
interface Filed {
  benchmark: string;
  /** ISO 8601 */
  startedAt: string;
  workload: { sha256: string };
}

/** The last result of this benchmark over the same bytes, or null. */
export function tryReadLast<T extends Filed>(folder: string, benchmark: string, sha256: string): T | null {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(folder)
    .filter((name) => name.startsWith(`${benchmark}-`) && name.endsWith('.json'))
    .sort()
    .reverse();
  for (const name of names) {
    const result = JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;
    if (result.workload.sha256 === sha256) return result;
  }
  return null;
}

/** Returns the file's path. */
export function writeResult(folder: string, result: Omit<Filed, 'workload'>): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.benchmark}-${result.startedAt.replace(/[:.]/g, '-')}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}
