import type { BrokerAccess } from '../../config/types.js';
import { isWiring, type Profile, parseProfile, profileText } from '../../kafka/profiles.js';
import { jsonOf } from '../ledger/status-text.js';
import { compareOther, type TopicDifference } from '../topics/compare-topic.js';
import { type OperatedCluster, withCluster } from '../topics/operated-cluster.js';
import { compareAll, faultsOf } from '../topics/report.js';
import { type BrokerDifference, compareBrokers, smallProfile } from './compare-brokers.js';
import { kafkaCheckText } from './text.js';

export interface KafkaCheckOptions extends BrokerAccess {
  profile: Profile;
  /** A plan of topics of one's own, or null: the shipped one. */
  file: string | null;
  /** The cluster is small on purpose. */
  development: boolean;
  json: boolean;
  stdout(text: string): void;
}

export interface KafkaCheckReport {
  profile: Profile;
  /** The plan's file, or null: the shipped one. */
  plan: string | null;
  brokers: { id: number; address: string }[];
  /** How many settings of each broker were compared, and how many topics of the plan. */
  settings: number;
  topics: number;
  differences: (BrokerDifference | TopicDifference)[];
}

/**
 * `headrace kafka check`: brokers beside a profile, topics beside the plan, replicas of all topics. Resolves to 0 when all is as
 * recommended, to 1 when something differs. Throws what brokers and plan throw.
 */
export async function kafkaCheck(options: KafkaCheckOptions): Promise<number> {
  const { json, stdout } = options;
  return await withCluster(options, async (cluster) => {
    const report = await compareCluster(cluster, options);
    stdout(json ? `${jsonOf(report)}\n` : `${kafkaCheckText(report)}\n`);
    return report.differences.length === 0 ? 0 : 1;
  });
}

async function compareCluster(
  cluster: OperatedCluster,
  { brokers: asked, profile, file, development }: KafkaCheckOptions,
): Promise<KafkaCheckReport> {
  const { brokers, topics } = await cluster.look(null);
  const shipped = parseProfile(profileText(profile)).filter((setting) => !isWiring(setting));
  const settings = development ? smallProfile(shipped, brokers.length) : shipped;
  const copies = Number(settings.find(({ name }) => name === 'default.replication.factor')?.value);
  const compared = {
    brokers: await cluster.admin.brokerSettings(brokers.map(({ nodeId }) => nodeId)),
    bootstrap: asked[0]!,
    file: `config/kafka/${profile}.properties`,
  };
  const planned = await compareAll(cluster, { file, topics: [], development });
  const known = new Set(planned.topics.map(({ topic }) => topic));
  const others = topics.filter(({ name }) => !known.has(name));
  return {
    profile,
    plan: planned.plan,
    brokers: brokers.map(({ nodeId, host, port }) => ({ id: nodeId, address: `${host}:${port}` })),
    settings: settings.length,
    topics: planned.topics.length,
    differences: [
      ...tooFewBrokers(brokers.length, copies),
      ...compareBrokers(settings, compared),
      ...faultsOf(planned),
      ...others.flatMap((topic) => compareOther(topic, copies, { brokers: asked, file: null })),
    ],
  };
}

function tooFewBrokers(found: number, wanted: number): BrokerDifference[] {
  if (found >= wanted) return [];
  return [
    {
      brokers: [],
      setting: 'brokers',
      found: String(found),
      wanted: `${wanted} or more`,
      why: `with fewer than ${wanted} a topic can't have ${wanted} copies`,
      mend: 'start the others; config/compose.yaml has three. A cluster that is small on purpose: --development',
    },
  ];
}
