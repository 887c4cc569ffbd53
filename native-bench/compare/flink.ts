import { join } from 'node:path';
import { jobArguments } from './jvm.js';
import type { Rival } from './rival.js';
import { runRivalChild } from './rival-child.js';
import { readRivalLine } from './rival-lines.js';

/** Flink by its DataStream API, its cluster in one JVM: native-bench/compare/java/flink. */

type Way = 'window' | 'tuned';
type State = 'hashmap' | 'rocksdb';

const WAYS: Readonly<Record<Way, string>> = { window: 'session window', tuned: 'process function by hand' };
const STATES: Readonly<Record<State, string>> = { hashmap: 'heap', rocksdb: 'RocksDB' };
const NOTES = [
  'sessions are added up and written nowhere; a checkpoint each 10 s to the local disk',
  'Jackson reads only the fields that a session needs, and events write themselves into the network by hand, for both ways',
  'its end waits for the last checkpoint: the whole run has up to 10 idle seconds in it',
];

function flink(way: Way, state: State): Rival {
  return {
    name: `flink-${way}${state === 'rocksdb' ? '-rocksdb' : ''}`,
    title: `Flink, ${WAYS[way]}, ${STATES[state]}`,
    notes: NOTES,
    run(task) {
      const { places, bootstrap, topic, group, threads, folder, javaFlags } = task;
      const args = [bootstrap, topic, group, way, state, threads, join(folder, 'checkpoints')];
      const command = jobArguments(places.frameworks.flink!, 'FlinkRival', args, folder, javaFlags);
      return runRivalChild('java', command, readRivalLine, task);
    },
  };
}

export const flinkRivals: readonly Rival[] = [
  flink('window', 'hashmap'),
  flink('tuned', 'hashmap'),
  flink('window', 'rocksdb'),
  flink('tuned', 'rocksdb'),
];
