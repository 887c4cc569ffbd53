import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { cachePath } from '../cache-folder.mjs';
import { checkout, inCheckout } from '../checkout.mjs';
import { runForeground } from '../child-processes.mjs';
import { deltaRsPython } from '../delta-rs.mjs';
import { kafkaJarsFolder } from '../kafka-jars.mjs';
import { minioBinary } from '../minio.mjs';
import { frameworkPlaces, frameworkSteps } from '../rival-jars.mjs';
import { filesBelow } from '../stamp.mjs';
import { StepError } from '../step-error.mjs';
import { BUILD, KAFKA, MINIO, runSteps } from '../steps.mjs';

const SUFFIX = '.bench.js';
/** Those that run a real broker. */
const WITH_KAFKA = ['compare', 'latency', 'pipeline', 'producer', 'producer-latency', 'recovery'];
/** Those that run an object store. */
const WITH_MINIO = ['lake'];

/** Runs one benchmark by its name; without a name, lists them. */
export async function bench([name, ...args]) {
  const services = [
    ...(WITH_KAFKA.includes(name) ? [KAFKA] : []),
    ...(WITH_MINIO.includes(name) ? [MINIO] : []),
    ...(name === 'compare' ? frameworkSteps(args) : []),
  ];
  await runSteps([...BUILD, ...services]);
  const folder = inCheckout('dist', 'native-bench');
  const names = filesBelow(folder, (file) => file.endsWith(SUFFIX)).map((path) => basename(path, SUFFIX));
  const list = names.length === 0 ? 'none' : names.join(', ');
  if (name === undefined) {
    process.stdout.write(`benchmarks: ${list}\n`);
    return 0;
  }
  const script = inCheckout('dist', 'native-bench', `${name}${SUFFIX}`);
  if (!existsSync(script)) throw new StepError(`no benchmark is named ${name}; there are: ${list}`);
  const env = {
    HEADRACE_KAFKA_JARS: kafkaJarsFolder(),
    HEADRACE_MINIO: minioBinary(),
    HEADRACE_DELTA_RS: deltaRsPython(),
    HEADRACE_BENCH_CACHE: cachePath('bench'),
    HEADRACE_RIVALS: JSON.stringify(frameworkPlaces()),
  };
  return runForeground(process.execPath, [script, ...args], { cwd: checkout, env });
}
