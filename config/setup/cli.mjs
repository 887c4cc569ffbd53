#!/usr/bin/env node
import { killRunning, tailOf } from './child-processes.mjs';
import { bench } from './commands/bench.mjs';
import { build } from './commands/build.mjs';
import { check } from './commands/check.mjs';
import { demo } from './commands/demo.mjs';
import { fuzz } from './commands/fuzz.mjs';
import { setup } from './commands/setup.mjs';
import { simulate } from './commands/simulate.mjs';
import { test } from './commands/test.mjs';
import { testFault } from './commands/test-fault.mjs';
import { releaseLocks } from './lock.mjs';
/**
 * What `npm run setup | build | check | test | demo | bench | fuzz | simulate | test:fault` call. Each does first whatever a fresh machine lacks.
 *
 * Runs before `npm ci`, so nothing below config/setup imports a package. Progress goes to stderr; stdout is the
 * command's own.
 */
import { StepError } from './step-error.mjs';

const COMMANDS = { setup, build, check, test, demo, bench, fuzz, simulate, 'test:fault': testFault };

const HELP = `Usage: npm run <command> [-- arguments]

  setup  [--tests]     packages and native parts; with --tests also Kafka and delta-rs for the tests
  build                setup, then TypeScript into dist/
  check                types, lint and formatting, house rules; with --supply-chain what npm knows of the packages
  test   [vitest args] everything above but the checks, then all tests; the last line counts them
  demo   [demo args]   both models on an embedded Kafka and ClickHouse, e.g. -- --seconds 30 --json; -- --help says more
  bench  [name]        a benchmark; without a name, the list of them
  fuzz   [fuzz args]   kernel against reference on random logs, e.g. -- --minutes 10; -- --help says more
  simulate [arguments] engines that crash and stand still in a simulated world, e.g. -- --seeds 500; -- --help says more
  test:fault [vitest args] engines killed 200 times on a real Kafka; HEADRACE_KILLS=n, HEADRACE_SEED=s replays
  test:fault compatibility [brokers|nodes] brokers from 2.8 to the newest, Node.js 20, 22 and 24

Downloads and native builds are kept in $HEADRACE_CACHE, by default ~/.cache/headrace; deleting it costs only time.
`;

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  // while the product's own process runs, it is asked to end, and we end after it
  process.on(signal, () => {
    if (process.listenerCount(signal) > 1) return;
    process.exit(code);
  });
}
process.on('exit', () => {
  killRunning();
  releaseLocks();
});

const [name, ...args] = process.argv.slice(2);
if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
  process.stdout.write(HELP);
  process.exitCode = name === undefined ? 64 : 0;
} else if (!Object.hasOwn(COMMANDS, name)) {
  process.stderr.write(`there is no command ${name}\n\n${HELP}`);
  process.exitCode = 64;
} else {
  process.exitCode = await COMMANDS[name](args).catch(report);
}

/** Anything but a StepError is a mistake of ours and shows its stack. */
function report(error) {
  if (!(error instanceof StepError)) {
    process.stderr.write(`${error.stack}\n`);
    return 1;
  }
  const lines = [`\n${name}: ${error.message}`];
  if (error.log !== undefined) lines.push('', tailOf(error.log), '', `  the whole log: ${error.log}`);
  if (error.remedy !== undefined) lines.push(`  → ${error.remedy}`);
  process.stderr.write(`${lines.join('\n')}\n`);
  return 1;
}
