import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { Cluster } from '../../kafka/cluster.js';
import type { Topic } from '../../kafka/topic.js';
import { systemRandom } from '../../random.js';
import type { Log } from '../../telemetry/log.js';

/** How long a command waits for the brokers: an engine would for ever. */
export const REACH_MS = 10_000;

/** Brokers and topic. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_TOPIC_MISSING (exit 75), and what connecting throws. */
export async function connectTopic(
  { kafka, fetch }: EngineConfig,
  log: Log,
): Promise<{ cluster: Cluster; topic: Topic }> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), REACH_MS);
  let cluster: Cluster | null = null;
  try {
    cluster = await Cluster.connect({
      bootstrap: kafka.brokers,
      clientId: kafka.clientId,
      responseBytesMax: fetch.responseBytesMax,
      signal: giveUp.signal,
      clock: systemClock,
      random: systemRandom,
      log,
    });
    return { cluster, topic: await cluster.topic(kafka.topic) };
  } catch (error) {
    await cluster?.close();
    if (!giveUp.signal.aborted) throw error;
    const where = { brokers: kafka.brokers.join(','), topic: kafka.topic };
    const what = `no answer within ${REACH_MS / 1_000} s`;
    throw cluster === null
      ? new HeadraceError('KAFKA_UNREACHABLE', what, {
          where,
          remedy: 'are these the brokers, and do they run?',
        })
      : new HeadraceError('KAFKA_TOPIC_MISSING', what, { where, remedy: 'does the topic exist?' });
  } finally {
    clearTimeout(timer);
  }
}
