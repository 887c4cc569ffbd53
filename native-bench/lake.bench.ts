import { messageOf } from '#src/errors.js';
import { runLake } from './lake/command.js';
import { USAGE } from './lake/options.js';

/**
 * Run by `npm run bench -- lake`, which says in the environment where MinIO lies.
 * Tables and JSON go to standard output, how it goes to standard error.
 */

const args = process.argv.slice(2);
const { HEADRACE_MINIO } = process.env;
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else if (HEADRACE_MINIO === undefined) {
  process.stderr.write('lake: start it by npm run bench -- lake\n');
  process.exitCode = 1;
} else {
  try {
    await runLake(
      args,
      { minio: HEADRACE_MINIO },
      {
        print: (text) => process.stdout.write(`${text}\n`),
        progress: (text) => process.stderr.write(`${text}\n`),
      },
    );
  } catch (error) {
    process.stderr.write(`lake: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
