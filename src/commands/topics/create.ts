import { systemClock } from '../../clock.js';
import { HeadraceError } from '../../errors.js';
import { jsonOf } from '../ledger/status-text.js';
import type { Effect, TopicDifference } from './compare-topic.js';
import { type OperatedCluster, withCluster } from './operated-cluster.js';
import {
  compareAll,
  faultsOf,
  missingOf,
  refuseTooSmall,
  type TopicReport,
  type TopicsOptions,
  type TopicsReport,
} from './report.js';
import { createText } from './text.js';

export interface TopicsCreateOptions extends TopicsOptions {
  /** Of topics that exist also what would be lowered, or is otherwise another. */
  changeToo: boolean;
  addPartitions: boolean;
}

export interface CreateReport extends TopicsReport {
  done: TopicDifference[];
  left: TopicDifference[];
}

const READY_MS_MAX = 60_000;
const READY_POLL_MS = 200;

/**
 * `headrace topics create`: makes what is missing, and of topics that exist raises what can be raised. Nothing is lowered unless
 * it is asked for, so it may be called as often as one likes. Resolves to 0, also when something was left: that is named.
 * Throws HeadraceError KAFKA_REFUSED, and what brokers and plan throw; what was done until then stays.
 */
export async function topicsCreate(options: TopicsCreateOptions): Promise<number> {
  const { json, stdout } = options;
  return await withCluster(options, async (cluster) => {
    const before = await compareAll(cluster, options);
    refuseTooSmall(missingOf(before), before.brokers.length);
    const done: TopicDifference[] = [];
    for (const topic of before.topics) done.push(...(await carryOut(cluster, topic, options)));
    const after = done.length === 0 ? before : await untilReady(cluster, done, options);
    const report: CreateReport = { ...after, done, left: faultsOf(after) };
    stdout(json ? `${jsonOf(report)}\n` : `${createText(report)}\n`);
    return 0;
  });
}

/** What `create` does of what differs. */
export function isDone(
  { effect }: { effect: Effect },
  { changeToo, addPartitions }: Pick<TopicsCreateOptions, 'changeToo' | 'addPartitions'>,
): boolean {
  if (effect === 'make' || effect === 'raise') return true;
  if (effect === 'lower' || effect === 'change') return changeToo;
  return effect === 'add' && addPartitions;
}

async function carryOut(
  { admin }: OperatedCluster,
  { topic, partitions, replicationFactor, settings, differences }: TopicReport,
  options: TopicsCreateOptions,
): Promise<TopicDifference[]> {
  const due = differences.filter((each) => isDone(each, options));
  const done: TopicDifference[] = [];
  const values: Record<string, string> = {};
  for (const difference of due) {
    const { effect, what, wanted } = difference;
    if (effect === 'make') {
      const outcome = await admin.createTopic({ name: topic, partitions, replicationFactor, settings });
      // of a topic that somebody made meanwhile the second look tells
      if (outcome === 'existed') continue;
    } else if (effect === 'add') await admin.addPartitions(topic, partitions);
    else values[what] = wanted;
    done.push(difference);
  }
  if (Object.keys(values).length > 0) await admin.changeSettings(topic, values);
  return done;
}

/** Until the brokers that are asked know of everything. */
async function untilReady(
  cluster: OperatedCluster,
  done: readonly TopicDifference[],
  options: TopicsCreateOptions,
): Promise<TopicsReport> {
  const made = new Set(done.filter(({ effect }) => effect === 'make').map(({ topic }) => topic));
  const deadlineMs = systemClock.monotonicMs() + READY_MS_MAX;
  for (;;) {
    const report = await tryCompare(cluster, options);
    const waits = report?.topics.filter(({ topic, differences }) =>
      differences.some((each) => isSame(each, done) || (made.has(topic) && each.effect === 'sync')),
    );
    if (report !== null && waits?.length === 0) return report;
    if (systemClock.monotonicMs() > deadlineMs) {
      throw new HeadraceError('KAFKA_UNREACHABLE', `not ready within ${READY_MS_MAX / 1_000} s`, {
        where: { topics: (waits?.map(({ topic }) => topic) ?? [...made]).join(',') },
        remedy: 'the brokers took it and are behind: headrace topics check says how far',
      });
    }
    await systemClock.sleep(READY_POLL_MS);
  }
}

/** Null: a broker that was asked does not know of a topic yet that another has told of. */
async function tryCompare(
  cluster: OperatedCluster,
  options: TopicsCreateOptions,
): Promise<TopicsReport | null> {
  try {
    return await compareAll(cluster, options);
  } catch (error) {
    if (error instanceof HeadraceError && error.code === 'KAFKA_TOPIC_MISSING') return null;
    throw error;
  }
}

function isSame({ topic, what }: TopicDifference, done: readonly TopicDifference[]): boolean {
  return done.some((each) => each.topic === topic && each.what === what);
}
