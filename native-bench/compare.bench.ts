import { fileURLToPath } from 'node:url';
import { messageOf } from '#src/errors.js';
import { runCompare } from './compare/command.js';
import { USAGE } from './compare/options.js';
import type { RivalPlaces } from './compare/rival.js';

/**
 * Run by `npm run bench -- compare`, which builds the rivals and says in the environment where they lie.
 * Tables and JSON go to standard output, how it goes to standard error.
 */

const args = process.argv.slice(2);
const { HEADRACE_KAFKA_JARS, HEADRACE_BENCH_CACHE, HEADRACE_RIVALS } = process.env;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
if (args.includes('--help')) {
  process.stdout.write(`${USAGE}\n`);
} else if (
  HEADRACE_KAFKA_JARS === undefined ||
  HEADRACE_BENCH_CACHE === undefined ||
  HEADRACE_RIVALS === undefined
) {
  process.stderr.write('compare: start it by npm run bench -- compare\n');
  process.exitCode = 1;
} else {
  const places = {
    engine: here('../engine.js'),
    kafkaJars: HEADRACE_KAFKA_JARS,
    frameworks: JSON.parse(HEADRACE_RIVALS) as RivalPlaces['frameworks'],
    kafkaJavaScript: here('./compare/kafka-javascript-child.js'),
    cacheFolder: HEADRACE_BENCH_CACHE,
  };
  try {
    await runCompare(args, places, {
      print: (text) => process.stdout.write(`${text}\n`),
      progress: (text) => process.stderr.write(`${text}\n`),
    });
  } catch (error) {
    process.stderr.write(`compare: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
