import { inspect } from 'node:util';
import { runStages, USAGE } from './stages-command.js';

/** Run by `npm run bench -- stages`. Tables and JSON go to standard output, how it goes to standard error. */

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else {
  try {
    runStages(args, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text} …\n`),
    });
  } catch (error) {
    process.stderr.write(`stages: ${inspect(error)}\n\n${USAGE}\n`);
    process.exitCode = 1;
  }
}
