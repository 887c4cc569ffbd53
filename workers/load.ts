import { once } from 'node:events';
import { ChunkWriter } from '#src/generator/load/chunk-writer.js';
import { makeLoad } from '#src/generator/load/load.js';
import type { LoadAnswer, LoadOrder, LoadTask } from '#src/generator/load/load-messages.js';
import { sumOf } from '#src/generator/load/partition-load.js';

/**
 * The piscina entry of a load: makes record batches of its partitions, one chunk an order, as long as the load lasts. It knows
 * no Kafka client: the main thread sends.
 */
export default async function runLoad({ spec, worker, workers, producer, port }: LoadTask): Promise<void> {
  const load = makeLoad(spec, (partition) => partition % workers === worker);
  const writer = new ChunkWriter(load, producer);
  const make = ({ untilMs, recordsMax, used }: LoadOrder & { type: 'make' }) => {
    const { bytes, batches } = writer.write(untilMs, recordsMax, used);
    const answer: LoadAnswer = {
      type: 'made',
      bytes,
      batches,
      counts: sumOf(load.partitions.map(({ counts }) => counts)),
      nowMs: Math.max(...load.partitions.map(({ nowMs }) => nowMs)),
      isDone: load.partitions.every(({ isDone }) => isDone),
    };
    port.postMessage(answer, [bytes]);
  };
  port.on('message', (order: LoadOrder) => {
    if (order.type === 'make') make(order);
    else port.close();
  });
  port.postMessage({ type: 'ready' } satisfies LoadAnswer);
  await once(port, 'close');
}
