import { messageOf } from '#src/errors.js';
import { runTransport, USAGE } from './transport/command.js';

/** Run by `npm run bench -- transport`. Tables and JSON go to standard output, how it goes to standard error. */

const args = process.argv.slice(2);
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else {
  try {
    await runTransport(args, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`transport: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
