import { fileURLToPath } from 'node:url';
import { messageOf } from '#src/errors.js';
import { runPipeline } from './pipeline/command.js';
import { USAGE } from './pipeline/options.js';

/**
 * Run by `npm run bench -- pipeline`, which says in the environment where Kafka's jars lie and where to keep topics.
 * Tables and JSON go to standard output, how it goes to standard error.
 */

const args = process.argv.slice(2);
const { HEADRACE_KAFKA_JARS, HEADRACE_BENCH_CACHE } = process.env;
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else if (HEADRACE_KAFKA_JARS === undefined || HEADRACE_BENCH_CACHE === undefined) {
  process.stderr.write('pipeline: start it by npm run bench -- pipeline\n');
  process.exitCode = 1;
} else {
  const places = {
    engine: fileURLToPath(new URL('../engine.js', import.meta.url)),
    jarsFolder: HEADRACE_KAFKA_JARS,
    cacheFolder: HEADRACE_BENCH_CACHE,
  };
  try {
    await runPipeline(args, places, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`pipeline: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
