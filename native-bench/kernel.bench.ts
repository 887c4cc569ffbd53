import { messageOf } from '#src/errors.js';
import { runKernel } from './kernel/command.js';
import { USAGE } from './kernel/options.js';

/** Run by `npm run bench -- kernel`. Tables and JSON go to standard output, how it goes to standard error. */

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else {
  try {
    runKernel(args, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`kernel: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
