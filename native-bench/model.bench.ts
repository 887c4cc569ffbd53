import { messageOf } from '#src/errors.js';
import { runModel } from './model/command.js';
import { USAGE } from './model/options.js';

/** Run by `npm run bench -- model`. Tables and JSON go to standard output, how it goes to standard error. */

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else {
  try {
    runModel(args, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`model: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
