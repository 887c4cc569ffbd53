import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { type Cluster, principalOf } from '../../kafka/cluster.js';
import type { Topic } from '../../kafka/topic.js';
import { KafkaErrorCode } from '../../kafka/wire/error-codes.js';
import type { Log } from '../../telemetry/log.js';
import { connectUntil, inReach, noBrokers } from '../connect-brokers.js';

/** Brokers and topic. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_TOPIC_MISSING, KAFKA_AUTH (exit 75), and what connecting throws. */
export async function connectTopic(
  { kafka, fetch }: EngineConfig,
  log: Log,
): Promise<{ cluster: Cluster; topic: Topic }> {
  const { brokers, security, clientId } = kafka;
  const { responseBytesMax } = fetch;
  const where = { brokers: brokers.join(','), topic: kafka.topic };
  let isConnected = false;
  return await inReach(
    async (signal) => {
      const cluster = await connectUntil({ brokers, security, clientId, responseBytesMax, log }, signal);
      isConnected = true;
      try {
        await refuseDenied(cluster, where);
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

/** Who may not see a topic would wait for it for ever. */
async function refuseDenied(cluster: Cluster, where: { brokers: string; topic: string }): Promise<void> {
  const [described] = await cluster.describe([where.topic]);
  if (described?.errorCode !== KafkaErrorCode.TOPIC_AUTHORIZATION_FAILED) return;
  throw new HeadraceError('KAFKA_AUTH', 'the brokers do not let this principal see the topic', {
    where: { ...where, principal: principalOf(cluster.security) },
    remedy: 'grant it Read on the topic, or check the name',
  });
}
