import type { Rival } from './rival.js';
import { runRivalChild } from './rival-child.js';
import { readRivalLine } from './rival-lines.js';

/** What one writes in Node without an engine: kafka-javascript, JSON.parse, a Map. */
export const kafkaJavaScript: Rival = {
  name: 'kafka-javascript',
  title: 'kafka-javascript + JSON.parse + Map',
  notes: ['sessions live in a Map and are lost with the process: no snapshots, no offsets, no sink'],
  run(task) {
    const { places, facts, bootstrap, topic, group } = task;
    const orders: KafkaJavaScriptOrders = { bootstrap, topic, group, events: facts.events };
    return runRivalChild(
      process.execPath,
      [places.kafkaJavaScript, JSON.stringify(orders)],
      readRivalLine,
      task,
    );
  },
};

/** The child's only argument, as JSON. */
export interface KafkaJavaScriptOrders {
  bootstrap: string;
  topic: string;
  group: string;
  events: number;
}
