import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { librdkafkaOf } from '../../kafka/security/access.js';
import { tailTopic } from '../../kafka/topic-tail.js';
import { loadModel } from '../../model/load.js';
import { systemRandom } from '../../random.js';
import { createLog } from '../../telemetry/log.js';
import { watchSignals } from '../demo-signals.js';
import { connectTopic } from '../ledger/connect.js';
import { eventLine } from './event-line.js';
import { lookOf } from './event-look.js';
import { matches, parseFilter } from './filter.js';
import { Masking } from './masking.js';
import { type TapOptions, TapOutput } from './tap-options.js';

export interface TapEventsOptions extends TapOptions {
  config: EngineConfig;
}

/**
 * `headrace tap events`: the source topic's events as they come, with what the model would say of each. Resolves to 0 when there are
 * enough, at a signal, or when nobody reads any more. Throws HeadraceError USAGE, and what connecting and reading throw.
 */
export async function tapEvents(options: TapEventsOptions): Promise<number> {
  const { config, from } = options;
  const { kafka, limits } = config;
  const filters = options.filters.map(parseFilter);
  const model = loadModel(config.model);
  const masking = new Masking(model);
  const output = new TapOutput(options, systemClock, systemRandom);
  const wanted = { model, masking, recordBytesMax: limits.recordBytesMax, json: options.json };
  const interrupt = watchSignals();
  try {
    const log = createLog({ level: 'warn', format: config.log.format });
    const { cluster, topic } = await connectTopic(config, log);
    await cluster.close();
    const { name, partitions } = topic;
    const where = { brokers: kafka.brokers, clientId: `${kafka.clientId}-tap`, topic: name, partitions };
    const how = { isolation: kafka.isolation, from, extra: librdkafkaOf(kafka), clock: systemClock };
    await tailTopic(
      { ...where, ...how, signal: interrupt.signal },
      {
        onStart: () => output.begin(`events of ${name}, ${partitions.length} partitions`),
        onRecords: async (records) => {
          for (const record of records) {
            if (interrupt.signal.aborted) return false;
            if (!output.isChosen()) continue;
            // what nobody asks about is looked at only where it is shown
            const look = filters.length === 0 ? null : lookOf(record.value, masking);
            const words = { partition: record.partition, offset: record.offset };
            if (look !== null && !matches(filters, look.event, words, model)) continue;
            const line = () => eventLine(record, look ?? lookOf(record.value, masking), wanted);
            if (!(await output.show(line))) return false;
          }
          return true;
        },
      },
    );
    output.end();
    return 0;
  } finally {
    interrupt.end();
  }
}
