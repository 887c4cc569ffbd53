import { fileURLToPath } from 'node:url';
import { messageOf } from '#src/errors.js';
import { runRecoveryBench } from './recovery/command.js';
import { USAGE } from './recovery/options.js';

/**
 * Run by `npm run bench -- recovery`, which says in the environment where Kafka's jars lie.
 * Tables and JSON go to standard output, how it goes to standard error.
 */

const args = process.argv.slice(2);
const { HEADRACE_KAFKA_JARS } = process.env;
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else if (HEADRACE_KAFKA_JARS === undefined) {
  process.stderr.write('recovery: start it by npm run bench -- recovery\n');
  process.exitCode = 1;
} else {
  const places = {
    engine: fileURLToPath(new URL('../engine.js', import.meta.url)),
    jarsFolder: HEADRACE_KAFKA_JARS,
  };
  try {
    await runRecoveryBench(args, places, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`recovery: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
