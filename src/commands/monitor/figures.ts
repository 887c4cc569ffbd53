import type { ProducerLook } from './producers.js';

/** What is known of a cluster at one moment, and what two moments make of it. Pure. */

export interface Look {
  atMs: number;
  brokers: BrokerLook[];
  topics: TopicLook[];
  groups: GroupLook[];
  /** As they say themselves. */
  producers: ProducerLook[];
  /** What could not be asked, and why. */
  troubles: string[];
}

export interface BrokerLook {
  id: number;
  address: string;
  /** Of all replicas in its folders; null: it did not tell. */
  logBytes: number | null;
  /** Null: it has no agent, or that did not answer. */
  agent: AgentFigures | null;
}

/** By a broker's own count; rates over about a minute. */
export interface AgentFigures {
  messagesInPerSecond: number | null;
  bytesInPerSecond: number | null;
  bytesOutPerSecond: number | null;
  requestsPerSecond: number | null;
  underReplicatedPartitions: number | null;
}

export interface TopicLook {
  name: string;
  partitions: PartitionLook[];
}

export interface PartitionLook {
  partition: number;
  /** −1: none. */
  leader: number;
  replicas: number[];
  inSync: number[];
  /** Offsets of the first record and behind the last one; null: nobody told. */
  start: bigint | null;
  end: bigint | null;
  /** Of the leader's replica. */
  bytes: number | null;
}

export interface GroupLook {
  id: string;
  state: string;
  committed: { topic: string; partition: number; offset: bigint }[];
}

export interface Figures {
  brokers: BrokerFigures[];
  topics: TopicFigures[];
  groups: GroupFigures[];
  producers: ProducerLook[];
  totals: Totals;
  /** Seconds between the two looks that rates are taken from; null: there was one only. */
  overSeconds: number | null;
  troubles: string[];
}

export interface BrokerFigures {
  id: number;
  address: string;
  leads: number;
  replicas: number;
  /** Of the partitions that it leads. */
  underReplicated: number;
  logBytes: number | null;
  agent: AgentFigures | null;
}

export interface TopicFigures {
  name: string;
  partitions: number;
  replicationFactor: number;
  underReplicated: number;
  /** Partitions without a leader. */
  offline: number;
  records: number | null;
  bytes: number | null;
  recordsPerSecond: number | null;
  bytesPerSecond: number | null;
}

export interface GroupFigures {
  id: string;
  state: string;
  /** Null: an end is not known. */
  lag: number | null;
  partitions: {
    topic: string;
    partition: number;
    committed: number;
    end: number | null;
    lag: number | null;
  }[];
}

export interface Totals {
  brokers: number;
  underReplicated: number;
  offline: number;
  /** Of the group that is furthest behind. */
  lag: number | null;
  messagesInPerSecond: number | null;
  bytesInPerSecond: number | null;
  bytesOutPerSecond: number | null;
  requestsPerSecond: number | null;
  /** Where messagesIn and bytesIn come from: every broker's agent, or the growth of offsets and logs. */
  ratesFrom: 'agent' | 'protocol';
}

export function figuresOf(look: Look, before: Look | null): Figures {
  const seconds = before === null ? 0 : (look.atMs - before.atMs) / 1_000;
  const overSeconds = seconds > 0 ? seconds : null;
  const earlier = new Map(before?.topics.map((topic) => [topic.name, topic]));
  const topics = look.topics.map((topic) => topicFigures(topic, earlier.get(topic.name), overSeconds));
  const groups = look.groups.map((group) => groupFigures(group, look.topics));
  const partitions = look.topics.flatMap((topic) => topic.partitions);
  const brokers = look.brokers.map((broker) => ({
    ...broker,
    leads: partitions.filter(({ leader }) => leader === broker.id).length,
    replicas: partitions.filter(({ replicas }) => replicas.includes(broker.id)).length,
    underReplicated: partitions.filter((each) => each.leader === broker.id && isBehind(each)).length,
  }));
  return {
    brokers,
    topics,
    groups,
    producers: look.producers,
    totals: totalsOf(brokers, topics, groups),
    overSeconds,
    troubles: look.troubles,
  };
}

function isBehind({ replicas, inSync }: PartitionLook): boolean {
  return inSync.length < replicas.length;
}

function topicFigures(topic: TopicLook, before: TopicLook | undefined, seconds: number | null): TopicFigures {
  const { name, partitions } = topic;
  const growth = (of: (partition: PartitionLook) => number | null): number | null => {
    const [now, then] = [sumOf(partitions.map(of)), sumOf(before?.partitions.map(of) ?? [null])];
    // what retention deletes meanwhile is no negative rate
    return seconds === null || now === null || then === null ? null : Math.max(0, now - then) / seconds;
  };
  return {
    name,
    partitions: partitions.length,
    replicationFactor: Math.max(0, ...partitions.map(({ replicas }) => replicas.length)),
    underReplicated: partitions.filter(isBehind).length,
    offline: partitions.filter(({ leader }) => leader < 0).length,
    records: sumOf(
      partitions.map(({ start, end }) => (start === null || end === null ? null : Number(end - start))),
    ),
    bytes: sumOf(partitions.map(({ bytes }) => bytes)),
    recordsPerSecond: growth(({ end }) => (end === null ? null : Number(end))),
    bytesPerSecond: growth(({ bytes }) => bytes),
  };
}

function groupFigures({ id, state, committed }: GroupLook, topics: readonly TopicLook[]): GroupFigures {
  const partitions = committed.map(({ topic, partition, offset }) => {
    const found = topics
      .find(({ name }) => name === topic)
      ?.partitions.find((each) => each.partition === partition);
    const end = found?.end ?? null;
    // a group that reads on while we ask may be past the end that we were told
    const lag = end === null ? null : Math.max(0, Number(end - offset));
    return { topic, partition, committed: Number(offset), end: end === null ? null : Number(end), lag };
  });
  return { id, state, lag: sumOf(partitions.map(({ lag }) => lag)), partitions };
}

function totalsOf(
  brokers: readonly BrokerFigures[],
  topics: readonly TopicFigures[],
  groups: readonly GroupFigures[],
): Totals {
  const all = (of: (agent: AgentFigures) => number | null) =>
    sumOf(brokers.map(({ agent }) => (agent === null ? null : of(agent))));
  const hasAgents = brokers.length > 0 && brokers.every(({ agent }) => agent !== null);
  const lags = groups.map(({ lag }) => lag);
  const told = (agents: number | null, growth: number | null) => (hasAgents ? agents : growth);
  return {
    brokers: brokers.length,
    underReplicated: topics.reduce((sum, { underReplicated }) => sum + underReplicated, 0),
    offline: topics.reduce((sum, { offline }) => sum + offline, 0),
    lag: lags.includes(null) ? null : Math.max(0, ...(lags as number[])),
    messagesInPerSecond: told(
      all(({ messagesInPerSecond }) => messagesInPerSecond),
      sumOf(topics.map(({ recordsPerSecond }) => recordsPerSecond)),
    ),
    bytesInPerSecond: told(
      all(({ bytesInPerSecond }) => bytesInPerSecond),
      sumOf(topics.map(({ bytesPerSecond }) => bytesPerSecond)),
    ),
    bytesOutPerSecond: told(
      all(({ bytesOutPerSecond }) => bytesOutPerSecond),
      null,
    ),
    requestsPerSecond: told(
      all(({ requestsPerSecond }) => requestsPerSecond),
      null,
    ),
    ratesFrom: hasAgents ? 'agent' : 'protocol',
  };
}

/** Null where one is not known. */
function sumOf(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}
