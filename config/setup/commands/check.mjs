import { checkout, inCheckout } from '../checkout.mjs';
import { runForeground } from '../child-processes.mjs';
import { StepError } from '../step-error.mjs';
import { PACKAGES, runSteps } from '../steps.mjs';
import { checkSupplyChain } from './supply-chain.mjs';

/** Exit codes above this are 128 + signal. */
const KILLED = 128;

/** Types, lint and house rules: all of them, even when the first finds something. Needs no native part. `--supply-chain`: packages instead. */
export async function check(args) {
  const unknown = args.find((arg) => arg !== '--supply-chain');
  if (unknown !== undefined) throw new StepError(`check knows no argument ${unknown}, only --supply-chain`);
  await runSteps(PACKAGES);
  if (args.length > 0) return checkSupplyChain();
  const checks = [
    ['types', 'typescript/bin/tsc', ['-p', '.']],
    ['types of the page', 'typescript/bin/tsc', ['-p', 'src/page/client', '--noEmit']],
    ['lint and formatting', '@biomejs/biome/bin/biome', ['check', '--error-on-warnings']],
    ['house rules', 'vitest/vitest.mjs', ['run', 'test/tidy.test.ts']],
  ];
  const failed = [];
  for (const [title, script, args] of checks) {
    process.stderr.write(`\n${title}\n`);
    const path = inCheckout('node_modules', script);
    const code = await runForeground(process.execPath, [path, ...args], { cwd: checkout });
    if (code > KILLED) return code;
    if (code !== 0) failed.push(title);
  }
  process.stderr.write(
    failed.length === 0 ? '\nall checks passed\n' : `\nnot passed: ${failed.join(', ')}\n`,
  );
  return failed.length === 0 ? 0 : 1;
}
