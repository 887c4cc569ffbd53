import { BUILD, runSteps } from '../steps.mjs';

/** Everything up to dist/. */
export async function build() {
  await runSteps(BUILD);
  return 0;
}
