import { inspect } from 'node:util';
import { messageOf } from '#src/errors.js';
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
    const isWrongResult = error instanceof Error && error.cause !== undefined;
    process.stderr.write(`stages: ${isWrongResult ? inspect(error) : `${messageOf(error)}\n\n${USAGE}`}\n`);
    process.exitCode = 1;
  }
}
