import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Longest first, so that no process works alone at the end: a fresh checkout remembers no durations. */
const LONGEST_FIRST = ['test/fault/', 'test/integration/', 'test/property/', 'test/unit/'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      LONGEST_FIRST.findIndex((folder) => moduleId.includes(`/${folder}`));
    return [...files].sort((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** kafka-javascript loads in one thread of a process only, hence `forks`. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^#src\/(.*)\.js$/, replacement: `${fileURLToPath(new URL('./src/', import.meta.url))}$1.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // one more than the cores of the smallest machine: brokers start, sessions time out, and a process waits
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 240_000,
  },
});
