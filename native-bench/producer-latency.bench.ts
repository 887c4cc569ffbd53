import { fileURLToPath } from 'node:url';
import { messageOf } from '#src/errors.js';
import { runProducerLatency } from './producer-latency/command.js';
import { USAGE } from './producer-latency/options.js';

/**
 * Run by `npm run bench -- producer-latency`, which says in the environment where Kafka's jars lie.
 * Tables and JSON go to standard output, how it goes to standard error.
 */

const args = process.argv.slice(2);
const { HEADRACE_KAFKA_JARS } = process.env;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else if (HEADRACE_KAFKA_JARS === undefined) {
  process.stderr.write('producer-latency: start it by npm run bench -- producer-latency\n');
  process.exitCode = 1;
} else {
  const places = {
    sender: here('./producer/sender.js'),
    floor: here('./producer/floor.js'),
    engine: here('../engine.js'),
    latencySender: here('./producer-latency/sender.js'),
    probe: here('../../native-bench/producer-latency/latency-probe.java'),
    jarsFolder: HEADRACE_KAFKA_JARS,
  };
  try {
    await runProducerLatency(args, places, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`producer-latency: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
