import type { Settings } from '../../kafka/admin.js';
import type { PartitionReplicas, TopicReplicas } from '../../kafka/wire/replicas.js';
import type { PlannedTopic, TopicPlan } from './planned-topics.js';

/** A topic as it is beside what it is to be: what differs, what becoming equal would mean, and by which command. */

export interface TopicState {
  partitions: readonly PartitionReplicas[];
  settings: Settings;
}

/**
 * - make: there is no such topic
 * - raise: more of the setting keeps or guards more, so it can be done at any time
 * - lower: something would be lost or guarded less
 * - change: of the setting's values none is more than another
 * - add: partitions, which can't be taken away again, and keys move to others
 * - copies: replicas are to be made on other brokers first
 * - sync: brokers are missing, or replicas behind
 * - more: more than planned, and as good
 */
export type Effect = 'make' | 'raise' | 'lower' | 'change' | 'add' | 'copies' | 'sync' | 'more';

export interface TopicDifference {
  topic: string;
  /** partitions, replication_factor, in-sync replicas, leaders, or a setting of Kafka's. */
  what: string;
  found: string;
  wanted: string;
  effect: Effect;
  why: string;
  /** A command line. */
  mend: string;
}

export interface Commands {
  /** The first is named to Kafka's own tools. */
  brokers: readonly string[];
  /** Of the plan, or null: the shipped one. */
  file: string | null;
}

/** Of these more keeps more, or guards more. */
const MORE_IS_SAFER = ['min.insync.replicas', 'retention.ms', 'retention.bytes', 'max.message.bytes'];

/** Null: the topic does not exist. */
export function compareTopic(
  planned: PlannedTopic,
  state: TopicState | null,
  why: TopicPlan['why'],
  commands: Commands,
): TopicDifference[] {
  const topic = planned.name;
  if (state === null) {
    const found = 'does not exist';
    const wanted = plannedText(planned);
    const mend = `${own('create', commands)} ${topic}`;
    return [{ topic, what: 'topic', found, wanted, effect: 'make', why: planned.is, mend }];
  }
  return [
    ...comparePartitions(planned, state, commands),
    ...compareCopies(planned, state, commands),
    ...compareSettings(planned, state, commands),
  ]
    .map((each): TopicDifference => ({ topic, ...each, why: why[each.what] ?? '' }))
    .concat(compareHealth(topic, state, commands));
}

/** Are all replicas where they should be? */
export function compareHealth(
  topic: string,
  state: Pick<TopicState, 'partitions'>,
  commands: Commands,
): TopicDifference[] {
  return compareReplicas(topic, state, commands).map((each) => ({
    topic,
    ...each,
    why: WHY[each.what] ?? '',
  }));
}

/** Of a topic that nobody planned only its replicas are looked at, and of Kafka's own how many there are. */
export function compareOther(topic: TopicReplicas, copies: number, commands: Commands): TopicDifference[] {
  const health = compareHealth(topic.name, topic, commands);
  const found = copiesOf(topic);
  if (!topic.isInternal || found >= copies) return health;
  const own: TopicDifference = {
    topic: topic.name,
    what: 'replication_factor',
    found: String(found),
    wanted: String(copies),
    effect: 'copies',
    why: 'it was made when there were fewer brokers, or with other settings: groups or transactions go with the brokers that have it',
    mend: copiesText(topic.name, commands),
  };
  return [own, ...health];
}

/** The commands that give a topic as many copies as the plan has. */
export function copiesText(topic: string, commands: Commands): string {
  const file = `${topic}-replicas.json`;
  return (
    `${own('plan', commands)} ${topic} --reassignment > ${file} && ` +
    `kafka-reassign-partitions.sh --bootstrap-server ${commands.brokers[0]} --reassignment-json-file ${file} --execute`
  );
}

/** What makes a topic unfit; that it has more than it needs does not. */
export function isFault({ effect }: TopicDifference): boolean {
  return effect !== 'more';
}

export function plannedText({ partitions, replicationFactor, settings }: PlannedTopic): string {
  const pairs = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return [
    `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`,
    `${replicationFactor} ${replicationFactor === 1 ? 'copy' : 'copies'}`,
    ...pairs,
  ].join(', ');
}

type Bare = Omit<TopicDifference, 'topic' | 'why'>;

const WHY: Readonly<Record<string, string>> = {
  'in-sync replicas': 'with fewer copies in sync the next lost broker stops writes, or loses them',
  leaders: 'a partition without a leader takes nothing and gives nothing',
};

function comparePartitions(planned: PlannedTopic, state: TopicState, { brokers }: Commands): Bare[] {
  const found = state.partitions.length;
  if (found === planned.partitions) return [];
  const texts = { what: 'partitions', found: String(found), wanted: String(planned.partitions) };
  if (found > planned.partitions) return [{ ...texts, effect: 'more', mend: '' }];
  const mend = `kafka-topics.sh --bootstrap-server ${brokers[0]} --alter --topic ${planned.name} --partitions ${planned.partitions}`;
  return [{ ...texts, effect: 'add', mend }];
}

function compareCopies(planned: PlannedTopic, state: TopicState, commands: Commands): Bare[] {
  const found = copiesOf(state);
  const texts = {
    what: 'replication_factor',
    found: String(found),
    wanted: String(planned.replicationFactor),
  };
  if (found === planned.replicationFactor) return [];
  if (found > planned.replicationFactor) return [{ ...texts, effect: 'more', mend: '' }];
  return [{ ...texts, effect: 'copies', mend: copiesText(planned.name, commands) }];
}

/** Of the partition that has the fewest. */
function copiesOf({ partitions }: Pick<TopicState, 'partitions'>): number {
  return Math.min(...partitions.map(({ replicas }) => replicas.length));
}

function compareSettings(planned: PlannedTopic, state: TopicState, { brokers }: Commands): Bare[] {
  return Object.entries(planned.settings).flatMap(([what, wanted]): Bare[] => {
    const setting = state.settings.get(what);
    const found = setting?.value ?? null;
    if (found === wanted) return [];
    const mend = `kafka-configs.sh --bootstrap-server ${brokers[0]} --alter --entity-type topics --entity-name ${planned.name} --add-config ${what}=${wanted}`;
    const waits = what === 'min.insync.replicas' && copiesOf(state) < planned.replicationFactor;
    const effect = effectOf(what, found, wanted);
    return [{ what, found: found ?? 'not set', wanted, effect: waits ? 'copies' : effect, mend }];
  });
}

function effectOf(name: string, found: string | null, wanted: string): Effect {
  if (found === null || !MORE_IS_SAFER.includes(name)) return 'change';
  return amount(wanted) > amount(found) ? 'raise' : 'lower';
}

/** Kafka says −1 for without a limit. */
function amount(text: string): number {
  const number = Number(text);
  return number < 0 ? Number.POSITIVE_INFINITY : number;
}

function compareReplicas(
  topic: string,
  { partitions }: Pick<TopicState, 'partitions'>,
  { brokers }: Commands,
): Bare[] {
  const describe = `kafka-topics.sh --bootstrap-server ${brokers[0]} --describe --topic ${topic}`;
  const leaderless = partitions.filter(({ leader }) => leader < 0);
  const behind = partitions.filter(({ leader, replicas, inSync }) => {
    return leader >= 0 && inSync.length < replicas.length;
  });
  const differences: Bare[] = [];
  if (leaderless.length > 0) {
    const found = `none of ${partitionsText(leaderless)}; ${missingText(leaderless)} away`;
    const mend = `start ${missingText(leaderless)}; ${describe} --unavailable-partitions`;
    differences.push({ what: 'leaders', found, wanted: 'one of each partition', effect: 'sync', mend });
  }
  if (behind.length > 0) {
    const found = `${partitionsText(behind)} without ${missingText(behind)}`;
    const mend = `start ${missingText(behind)} where it does not run, it comes back in by itself; ${describe} --under-replicated-partitions`;
    differences.push({
      what: 'in-sync replicas',
      found,
      wanted: 'all replicas of all partitions',
      effect: 'sync',
      mend,
    });
  }
  return differences;
}

/** Who holds a replica that is not in sync. */
function missingText(partitions: readonly PartitionReplicas[]): string {
  const missing = partitions.flatMap(({ replicas, inSync }) => replicas.filter((id) => !inSync.includes(id)));
  const ids = [...new Set(missing)].sort((a, b) => a - b);
  return `broker${ids.length === 1 ? '' : 's'} ${ids.join(', ')}`;
}

const NAMED_MAX = 10;

function partitionsText(partitions: readonly PartitionReplicas[]): string {
  const named = partitions.slice(0, NAMED_MAX).map(({ partition }) => partition);
  const more = partitions.length > NAMED_MAX ? ` and ${partitions.length - NAMED_MAX} more` : '';
  return `partition${partitions.length === 1 ? '' : 's'} ${named.join(', ')}${more}`;
}

function own(verb: string, { brokers, file }: Commands): string {
  return `headrace topics ${verb} --brokers ${brokers.join(',')}${file === null ? '' : ` --file ${file}`}`;
}

/**
 * Replicas with which each partition has so many copies: those it has stay in their order, the others go where the fewest are.
 * In the form that kafka-reassign-partitions.sh reads.
 */
export function reassignment(
  topic: string,
  { partitions }: Pick<TopicState, 'partitions'>,
  brokers: readonly number[],
  copies: number,
): object {
  const load = new Map(brokers.map((id) => [id, 0]));
  const count = (id: number) => load.set(id, (load.get(id) ?? 0) + 1);
  for (const { replicas } of partitions) for (const id of replicas) count(id);
  return {
    version: 1,
    partitions: partitions.map(({ partition, replicas }) => {
      const wider = [...replicas];
      while (wider.length < copies) {
        const free = brokers.filter((id) => !wider.includes(id));
        if (free.length === 0) break;
        const next = free.reduce((best, id) => (load.get(id)! < load.get(best)! ? id : best));
        wider.push(next);
        count(next);
      }
      return { topic, partition, replicas: wider };
    }),
  };
}
