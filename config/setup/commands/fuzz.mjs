import { logPath } from '../cache-folder.mjs';
import { checkout, inCheckout } from '../checkout.mjs';
import { run, runForeground } from '../child-processes.mjs';
import { StepError } from '../step-error.mjs';
import { BUILD, runSteps } from '../steps.mjs';

const SOURCES = ['test', 'fuzz'];
/** Laid out as in the checkout, so that what lies beside them is found: .headrace/fuzz/test/fuzz, …/workers. */
const OUT = ['.headrace', 'fuzz'];

/** The kernel against the reference on random logs; test/fuzz has the command. */
export async function fuzz(args) {
  await runSteps([...BUILD, ['fuzzer', compileFuzzer]]);
  const script = inCheckout(...OUT, ...SOURCES, 'fuzz-command.js');
  return runForeground(process.execPath, [script, ...args], { cwd: checkout });
}

async function compileFuzzer() {
  const log = logPath('tsc');
  const tsc = inCheckout('node_modules', 'typescript', 'bin', 'tsc');
  const answer = await run(process.execPath, [tsc, '-p', SOURCES.join('/')], { cwd: checkout, log });
  if (answer.code !== 0) throw new StepError('test/fuzz does not compile', { log });
  return 'built';
}
