import type { BrokerAccess } from '../../config/types.js';
import { HeadraceError } from '../../errors.js';
import { compareTopic, isFault, type TopicDifference, type TopicState } from './compare-topic.js';
import type { OperatedCluster } from './operated-cluster.js';
import { forDevelopment, loadTopicPlan, type PlannedTopic, type TopicPlan } from './planned-topics.js';

export interface TopicsOptions extends BrokerAccess {
  /** A plan of one's own, or null: the shipped one. */
  file: string | null;
  /** Of the plan; none: all. */
  topics: readonly string[];
  /** The cluster is small on purpose. */
  development: boolean;
  json: boolean;
  stdout(text: string): void;
}

/** Topics beside the plan. */
export interface TopicsReport {
  brokers: number[];
  /** The plan's file, or null: the shipped one. */
  plan: string | null;
  topics: TopicReport[];
}

export interface TopicReport {
  topic: string;
  is: string;
  exists: boolean;
  /** As planned. */
  partitions: number;
  replicationFactor: number;
  settings: Readonly<Record<string, string>>;
  differences: TopicDifference[];
}

export function faultsOf({ topics }: Pick<TopicsReport, 'topics'>): TopicDifference[] {
  return topics.flatMap(({ differences }) => differences.filter(isFault));
}

/** Throws what brokers and plan throw. */
export async function compareAll(
  cluster: OperatedCluster,
  options: Pick<TopicsOptions, 'file' | 'topics' | 'development'>,
): Promise<TopicsReport> {
  const asked = loadTopicPlan(options.file, options.topics);
  const { brokers, topics } = await cluster.topics(asked.topics.map(({ name }) => name));
  const plan = options.development ? forDevelopment(asked, brokers.length) : asked;
  return {
    brokers: brokers.map(({ nodeId }) => nodeId),
    plan: plan.file,
    topics: plan.topics.map((planned) =>
      topicReport(planned, topics.get(planned.name) ?? null, plan, cluster.brokers),
    ),
  };
}

function topicReport(
  planned: PlannedTopic,
  state: TopicState | null,
  { why, file }: TopicPlan,
  brokers: readonly string[],
): TopicReport {
  return {
    topic: planned.name,
    is: planned.is,
    exists: state !== null,
    partitions: planned.partitions,
    replicationFactor: planned.replicationFactor,
    settings: planned.settings,
    differences: compareTopic(planned, state, why, { brokers, file }),
  };
}

/**
 * Refuses more copies than there are brokers. What has its copies already may be looked after while a broker is away. Throws
 * HeadraceError KAFKA_REFUSED.
 */
export function refuseTooSmall(
  topics: readonly Pick<PlannedTopic, 'replicationFactor'>[],
  brokers: number,
): void {
  const large = topics.map(({ replicationFactor }) => replicationFactor).filter((copies) => copies > brokers);
  if (large.length === 0) return;
  const who = large.length === 1 ? 'a topic is' : `${large.length} topics are`;
  const there = brokers === 1 ? 'one broker answers' : `${brokers} brokers answer`;
  throw new HeadraceError('KAFKA_REFUSED', `${who} to have ${Math.max(...large)} copies, and ${there}`, {
    remedy:
      'start the others; or, where the cluster is small on purpose, --development makes as many copies as there are brokers',
  });
}

/** Those that `create` would make. */
export function missingOf({ topics }: TopicsReport): TopicReport[] {
  return topics.filter(({ exists }) => !exists);
}
