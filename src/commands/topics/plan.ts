import { HeadraceError } from '../../errors.js';
import { jsonOf } from '../ledger/status-text.js';
import { reassignment } from './compare-topic.js';
import { type OperatedCluster, withCluster } from './operated-cluster.js';
import { loadTopicPlan } from './planned-topics.js';
import { compareAll, missingOf, refuseTooSmall, type TopicsOptions } from './report.js';
import { planText } from './text.js';

export interface TopicsPlanOptions extends TopicsOptions {
  /** Instead of the plan what kafka-reassign-partitions.sh is to be told of one topic. */
  reassignment: boolean;
}

/** `headrace topics plan`: what `create` would do. Resolves to 0. Throws what that does. */
export async function topicsPlan(options: TopicsPlanOptions): Promise<number> {
  const { json, stdout } = options;
  return await withCluster(options, async (cluster) => {
    if (options.reassignment) {
      stdout(`${JSON.stringify(await replicasOf(cluster, options))}\n`);
      return 0;
    }
    const report = await compareAll(cluster, options);
    refuseTooSmall(missingOf(report), report.brokers.length);
    stdout(json ? `${jsonOf(report)}\n` : `${planText(report)}\n`);
    return 0;
  });
}

async function replicasOf(cluster: OperatedCluster, options: TopicsOptions): Promise<object> {
  const [name, ...more] = options.topics;
  if (name === undefined || more.length > 0) {
    throw new HeadraceError('USAGE', '--reassignment is for one topic: name it', {
      remedy: 'headrace topics plan --help shows how',
    });
  }
  // Kafka's own topics are in no plan, and are to be as safe as the safest
  const plan = loadTopicPlan(options.file, name.startsWith('__') ? [] : [name]);
  const copies = Math.max(...plan.topics.map(({ replicationFactor }) => replicationFactor));
  const { brokers, topics } = await cluster.look([name]);
  const [state] = topics;
  if (state === undefined) {
    throw new HeadraceError('KAFKA_TOPIC_MISSING', 'there is nothing to move', {
      where: { topic: name },
      remedy: 'headrace topics create makes it with the right number of copies',
    });
  }
  const ids = brokers.map(({ nodeId }) => nodeId);
  refuseTooSmall(plan.topics, ids.length);
  return reassignment(name, state, ids, copies);
}
