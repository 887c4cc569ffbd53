import { join } from 'node:path';
import { jobArguments } from './jvm.js';
import type { Rival } from './rival.js';
import { runRivalChild } from './rival-child.js';
import { readRivalLine } from './rival-lines.js';

/** Kafka Streams by its Processor API: native-bench/compare/java/streams. */

type Store = 'heap' | 'rocksdb';

const STORES: Readonly<Record<Store, string>> = { heap: 'heap', rocksdb: 'RocksDB' };

function streams(store: Store): Rival {
  return {
    name: `streams${store === 'rocksdb' ? '-rocksdb' : ''}`,
    title: `Kafka Streams, Processor API, ${STORES[store]}`,
    notes: [
      'exactly once: the store has a changelog in Kafka and a cache of 256 MB, a transaction is committed each 10 s',
      "sessions are added up and written nowhere; the broker's part of the changelog is the broker's CPU",
    ],
    run(task) {
      const { places, facts, bootstrap, topic, group, threads, folder, javaFlags } = task;
      const { partitions, events } = facts;
      const args = [bootstrap, topic, group, store, threads, partitions, events, join(folder, 'state')];
      const command = jobArguments(places.frameworks.streams!, 'StreamsRival', args, folder, javaFlags);
      return runRivalChild('java', command, readRivalLine, task);
    },
  };
}

export const streamsRivals: readonly Rival[] = [streams('heap'), streams('rocksdb')];
