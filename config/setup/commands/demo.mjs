import { checkout, inCheckout } from '../checkout.mjs';
import { runForeground } from '../child-processes.mjs';
import { BUILD, runSteps } from '../steps.mjs';

/** The engine's own `demo` command. */
export async function demo(args) {
  await runSteps(BUILD);
  return runForeground(process.execPath, [inCheckout('dist', 'engine.js'), 'demo', ...args], {
    cwd: checkout,
  });
}
