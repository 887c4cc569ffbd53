import { logPath } from '../cache-folder.mjs';
import { checkout, inCheckout } from '../checkout.mjs';
import { run, runForeground } from '../child-processes.mjs';
import { StepError } from '../step-error.mjs';
import { BUILD, runSteps } from '../steps.mjs';

const SOURCES = ['test', 'fault', 'simulator'];
/** Laid out as in the checkout: .headrace/simulate/test/fault/simulator, …/test/support. */
const OUT = ['.headrace', 'simulate'];

/** Engines that crash and stand still over a simulated world, seed by seed; test/fault/simulator has the command. */
export async function simulate(args) {
  await runSteps([...BUILD, ['simulator', compileSimulator]]);
  const script = inCheckout(...OUT, ...SOURCES, 'simulate-command.js');
  return runForeground(process.execPath, [script, ...args], { cwd: checkout });
}

async function compileSimulator() {
  const log = logPath('tsc');
  const tsc = inCheckout('node_modules', 'typescript', 'bin', 'tsc');
  const answer = await run(process.execPath, [tsc, '-p', SOURCES.join('/')], { cwd: checkout, log });
  if (answer.code !== 0) throw new StepError('test/fault/simulator does not compile', { log });
  return 'built';
}
