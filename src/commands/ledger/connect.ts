import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import type { Cluster } from '../../kafka/cluster.js';
import type { Topic } from '../../kafka/topic.js';
import type { Log } from '../../telemetry/log.js';
import { connectUntil, inReach, noBrokers } from '../connect-brokers.js';

/** Brokers and topic. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_TOPIC_MISSING (exit 75), and what connecting throws. */
export async function connectTopic(
  { kafka, fetch }: EngineConfig,
  log: Log,
): Promise<{ cluster: Cluster; topic: Topic }> {
  const { brokers, clientId } = kafka;
  const { responseBytesMax } = fetch;
  const where = { brokers: brokers.join(','), topic: kafka.topic };
  let isConnected = false;
  return await inReach(
    async (signal) => {
      const cluster = await connectUntil({ brokers, clientId, responseBytesMax, log }, signal);
      isConnected = true;
      try {
        return { cluster, topic: await cluster.topic(kafka.topic) };
      } catch (error) {
        await cluster.close();
        throw error;
      }
    },
    (what) =>
      isConnected
        ? new HeadraceError('KAFKA_TOPIC_MISSING', what, { where, remedy: 'does the topic exist?' })
        : noBrokers(what, where),
  );
}
