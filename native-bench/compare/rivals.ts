import { clickhouse } from './clickhouse.js';
import { flinkRivals } from './flink.js';
import { javaConsumer } from './java-consumer.js';
import { kafkaJavaScript } from './kafka-javascript.js';
import type { Rival } from './rival.js';
import { spark } from './spark.js';
import { streamsRivals } from './streams.js';

/** In the order in which they run and are printed. */
export const RIVALS: readonly Rival[] = [
  javaConsumer,
  kafkaJavaScript,
  clickhouse,
  ...flinkRivals,
  ...streamsRivals,
  spark,
];

/** `a,b`: those, in the order of RIVALS. Throws Error for a name that is none's. */
export function rivalsNamed(names: string): Rival[] {
  const wanted = names.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !RIVALS.some((rival) => rival.name === name));
  if (unknown !== undefined) {
    const known = RIVALS.map(({ name }) => name).join(', ');
    throw new Error(`--rivals: nobody is named ${unknown === '' ? "''" : unknown}; there are: ${known}`);
  }
  return RIVALS.filter(({ name }) => wanted.includes(name));
}
