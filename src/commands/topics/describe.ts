import type { Settings } from '../../kafka/admin.js';
import type { PartitionReplicas } from '../../kafka/wire/replicas.js';
import { formatTable, formatWhole } from '../../telemetry/progress.js';
import { jsonOf } from '../ledger/status-text.js';
import { withCluster } from './operated-cluster.js';
import { loadTopicPlan } from './planned-topics.js';
import type { TopicsOptions } from './report.js';

export interface TopicsDescribeOptions extends Omit<TopicsOptions, 'development'> {
  /** A line a partition. */
  partitions: boolean;
}

interface Described {
  topic: string;
  is: string;
  /** Null: it does not exist. */
  partitions: readonly PartitionReplicas[] | null;
  /** What was set for the topic itself. */
  settings: Record<string, string>;
}

/** `headrace topics describe`: the plan's topics as they are. Resolves to 0. Throws what brokers and plan throw. */
export async function topicsDescribe(options: TopicsDescribeOptions): Promise<number> {
  const { json, stdout } = options;
  const plan = loadTopicPlan(options.file, options.topics);
  return await withCluster(options, async (cluster) => {
    const { brokers, topics } = await cluster.topics(plan.topics.map(({ name }) => name));
    const described = plan.topics.map(({ name, is }): Described => {
      const state = topics.get(name);
      if (state === undefined) return { topic: name, is, partitions: null, settings: {} };
      return { topic: name, is, partitions: state.partitions, settings: ownSettings(state.settings) };
    });
    const ids = brokers.map(({ nodeId }) => nodeId);
    if (json) stdout(`${jsonOf({ brokers: ids, topics: described })}\n`);
    else stdout(`${describeText(ids, described, options.partitions)}\n`);
    return 0;
  });
}

function ownSettings(settings: Settings): Record<string, string> {
  const own = [...settings].filter(([, { from, value }]) => from === 'topic' && value !== null);
  return Object.fromEntries(own.map(([name, { value }]) => [name, value!]));
}

function describeText(brokers: readonly number[], topics: readonly Described[], whole: boolean): string {
  const rows = topics.map(({ topic, partitions, settings }) => {
    if (partitions === null) return [topic, '–', '–', '–', '–', 'does not exist'];
    const pairs = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    return [topic, formatWhole(partitions.length), ...replicaCells(partitions, brokers), pairs.join(' ')];
  });
  const head = ['topic', 'partitions', 'copies', 'behind', 'leaders by broker', 'settings of its own'];
  const parts = [`Brokers ${brokers.join(', ')}`, formatTable(head, rows)];
  if (whole) parts.push(...topics.flatMap(partitionsText));
  return parts.join('\n\n');
}

function replicaCells(partitions: readonly PartitionReplicas[], brokers: readonly number[]): string[] {
  const copies = new Set(partitions.map(({ replicas }) => replicas.length));
  const behind = partitions.filter(({ replicas, inSync }) => inSync.length < replicas.length).length;
  const leads = (id: number) => partitions.filter(({ leader }) => leader === id).length;
  return [
    [...copies].sort((a, b) => a - b).join('–'),
    formatWhole(behind),
    brokers.map((id) => `${id}: ${leads(id)}`).join(', '),
  ];
}

function partitionsText({ topic, partitions }: Described): string[] {
  if (partitions === null) return [];
  const rows = partitions.map(({ partition, leader, replicas, inSync }) => [
    partition,
    leader < 0 ? 'none' : leader,
    replicas.join(', '),
    inSync.join(', '),
  ]);
  return [`${topic}\n${formatTable(['partition', 'leader', 'replicas', 'in sync'], rows)}`];
}
