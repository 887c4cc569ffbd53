import { test } from './test.mjs';

const KILLS = '200';
const FILES = ['kills', 'engines', 'sinks', 'commit-races'].map((name) => `test/fault/${name}.test.ts`);

/**
 * Engines killed so often that rare moments are hit too, ClickHouse down for a whole minute; HEADRACE_KILLS says how often,
 * HEADRACE_SEED replays.
 */
export async function testFault(args) {
  process.env.HEADRACE_KILLS ??= KILLS;
  return test([...FILES, ...args]);
}
