import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { SECONDS, SECONDS_BY_FOLDER } from './test/durations.js';

const checkout = fileURLToPath(new URL('.', import.meta.url));

/** Longest first, so that no process works alone at the end: a fresh checkout remembers no durations. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => secondsOf(b) - secondsOf(a) || a.moduleId.localeCompare(b.moduleId));
  }
}

function secondsOf({ moduleId }: TestSpecification): number {
  const path = relative(checkout, moduleId);
  return SECONDS[path] ?? SECONDS_BY_FOLDER.find(([folder]) => path.startsWith(folder))?.[1] ?? 1;
}

/** kafka-javascript loads in one thread of a process only, hence `forks`. */
const shared = {
  pool: 'forks',
  // one more than the cores of the smallest machine: brokers start, sessions time out, and a process waits
  maxWorkers: 3,
  // some property tests take half a minute, and a busy machine three times as long
  testTimeout: 240_000,
  hookTimeout: 240_000,
} as const;
/** What they load costs more than most of them do, so these share processes. They leave nothing behind that others would see. */
const TOGETHER = ['test/property/**/*.test.ts', 'test/unit/**/*.test.ts'];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^#src\/(.*)\.js$/, replacement: `${fileURLToPath(new URL('./src/', import.meta.url))}$1.ts` },
    ],
  },
  test: {
    ...shared,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: TOGETHER },
      },
      {
        extends: true,
        test: { name: 'together', include: TOGETHER, isolate: false },
      },
    ],
  },
});
