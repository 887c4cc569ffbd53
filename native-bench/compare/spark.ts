import { join } from 'node:path';
import { jobArguments } from './jvm.js';
import type { Rival } from './rival.js';
import { runRivalChild } from './rival-child.js';
import { readRivalLine } from './rival-lines.js';

/** Spark's session_window over the topic: native-bench/compare/java/spark. */
export const spark: Rival = {
  name: 'spark',
  title: 'Spark, session_window, one batch',
  notes: [
    'one batch: a stream would keep the last sessions until the watermark has passed them, so it could not be checked',
    'reading and making sessions come one after the other: there is no steady state to measure',
    'sessions are added up and written nowhere; nothing of it is exactly once',
  ],
  run(task) {
    const { places, bootstrap, topic, threads, folder, javaFlags } = task;
    const args = [bootstrap, topic, threads, join(folder, 'spark')];
    const command = jobArguments(places.frameworks.spark!, 'SparkRival', args, folder, [
      '-Djdk.reflect.useDirectMethodHandle=false',
      ...javaFlags,
    ]);
    return runRivalChild('java', command, readRivalLine, task);
  },
};
