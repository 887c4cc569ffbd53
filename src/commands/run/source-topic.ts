import type { EngineConfig } from '../../config/types.js';
import type { Cluster } from '../../kafka/cluster.js';
import { topicChanged } from '../../kafka/fetcher.js';
import type { Topic } from '../../kafka/topic.js';
import { NO_TOPIC_ID } from '../../kafka/wire/metadata.js';
import type { LedgerHistory } from '../../ledger/history.js';
import type { Ledger } from '../../ledger/ledger.js';

/**
 * A table goes on with the topic that it was made from. One that was deleted and made again is another stream: the operator has
 * to name it. From the first lane of it on the ledger knows it.
 *
 * @throws HeadraceError KAFKA_TOPIC_CHANGED, KAFKA_UNREACHABLE when the cluster was closed
 */
export async function sourceTopic(
  { kafka }: EngineConfig,
  cluster: Pick<Cluster, 'topic'>,
  history: LedgerHistory,
): Promise<Topic> {
  const topic = await cluster.topic(kafka.topic);
  const { name, topicId } = topic;
  const known = history.topicIds().filter((id) => id !== NO_TOPIC_ID);
  const isSame = known.length === 0 || topicId === NO_TOPIC_ID || known.includes(topicId);
  if (isSame || kafka.acceptTopic === topicId) return topic;
  throw topicChanged({ name, topicId: known.at(-1)! }, topicId);
}

/**
 * Where lanes start that the ledger does not know. The first engine of a table starts all of the topic's partitions at once, where
 * the configuration says; so one that is not known later was added since, and starts at its first record (rule 5).
 */
export async function startOffsets(
  { kafka }: EngineConfig,
  { cluster, topic, ledger }: { cluster: Pick<Cluster, 'listOffsets'>; topic: Topic; ledger: Ledger },
  partitions: readonly number[],
): Promise<Map<number, bigint>> {
  if (ledger.isStarted) return await cluster.listOffsets(topic, partitions, 'earliest', kafka.isolation);
  const all = [...new Set([...topic.partitions, ...partitions])].sort((a, b) => a - b);
  return await cluster.listOffsets(topic, all, kafka.start, kafka.isolation);
}
