import { messageOf } from '#src/errors.js';
import { runCatchup } from './catchup/command.js';
import { USAGE } from './catchup/options.js';

/** Run by `npm run bench -- catchup`. Tables and JSON go to standard output, how it goes to standard error. */

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else {
  try {
    await runCatchup(args, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`catchup: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
