import { test } from './test.mjs';
import { testCompatibility } from './test-compatibility.mjs';

const KILLS = '200';
const FILES = ['kills', 'engines', 'sinks', 'commit-races'].map((name) => `test/fault/${name}.test.ts`);

/**
 * Engines killed so often that rare moments are hit too, ClickHouse down for a whole minute; HEADRACE_KILLS says how often,
 * HEADRACE_SEED replays. `compatibility`: other releases of brokers and of Node.js instead.
 */
export async function testFault(args) {
  if (args[0] === 'compatibility') return testCompatibility(args.slice(1));
  process.env.HEADRACE_KILLS ??= KILLS;
  return test([...FILES, ...args]);
}
