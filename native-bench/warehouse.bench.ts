import { messageOf } from '#src/errors.js';
import { runWarehouse } from './warehouse/command.js';
import { USAGE } from './warehouse/options.js';

/** Run by `npm run bench -- warehouse`. Tables and JSON go to standard output, how it goes to standard error. */

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else {
  try {
    await runWarehouse(args, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`warehouse: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
