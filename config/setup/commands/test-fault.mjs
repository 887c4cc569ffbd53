import { test } from './test.mjs';

const KILLS = '200';

/** Engines killed so often that rare moments are hit too; HEADRACE_KILLS says otherwise, HEADRACE_SEED replays. */
export async function testFault(args) {
  process.env.HEADRACE_KILLS ??= KILLS;
  return test(['test/fault/kills.test.ts', ...args]);
}
