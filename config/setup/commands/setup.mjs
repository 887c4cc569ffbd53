import { StepError } from '../step-error.mjs';
import { runSteps, SETUP, TEST_SERVICES } from '../steps.mjs';

/** Packages and native parts; with `--tests` also what the tests run against. */
export async function setup(args) {
  const unknown = args.find((arg) => arg !== '--tests');
  if (unknown !== undefined) throw new StepError(`setup knows no argument ${unknown}, only --tests`);
  await runSteps(args.includes('--tests') ? [...SETUP, ...TEST_SERVICES] : SETUP);
  return 0;
}
