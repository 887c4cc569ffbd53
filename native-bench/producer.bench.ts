import { fileURLToPath } from 'node:url';
import { messageOf } from '#src/errors.js';
import { runProducer } from './producer/command.js';
import { USAGE } from './producer/options.js';

/**
 * Run by `npm run bench -- producer`, which says in the environment where Kafka's jars lie.
 * Tables and JSON go to standard output, how it goes to standard error.
 */

const args = process.argv.slice(2);
const { HEADRACE_KAFKA_JARS } = process.env;
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else if (HEADRACE_KAFKA_JARS === undefined) {
  process.stderr.write('producer: start it by npm run bench -- producer\n');
  process.exitCode = 1;
} else {
  const places = {
    sender: fileURLToPath(new URL('./producer/sender.js', import.meta.url)),
    floor: fileURLToPath(new URL('./producer/floor.js', import.meta.url)),
    engine: fileURLToPath(new URL('../engine.js', import.meta.url)),
    jarsFolder: HEADRACE_KAFKA_JARS,
  };
  try {
    await runProducer(args, places, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`producer: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
