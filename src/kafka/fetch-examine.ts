import { HeadraceError } from '../errors.js';
import type { Cluster } from './cluster.js';
import type { FetchLane } from './fetch-lane.js';
import type { Topic } from './topic.js';
import { KafkaErrorCode, nameOfError } from './wire/error-codes.js';
import { offsetForLeaderEpochApi } from './wire/offset-for-leader-epoch.js';

/** A question that could not be answered now; it is asked again after a back-off. */
export interface Unanswered {
  unanswered: unknown;
}

/** What the log lacks in front of its start: offsets from `from` up to `to`, the first that is there. */
export interface Gap {
  from: bigint;
  to: bigint;
  /** For a lane that may not pass it. */
  error: HeadraceError;
}

/**
 * After OFFSET_OUT_OF_RANGE: what is missing exactly. An error: no gap that could be passed. Null: the log does hold the position after all (a leader that was
 * not there yet). Throws KAFKA_UNREACHABLE when the cluster is closed.
 */
export async function examineGap(
  cluster: Cluster,
  topic: Topic,
  lane: FetchLane,
  broker: string,
): Promise<Gap | HeadraceError | null> {
  const { partition, position } = lane;
  // a topic made again looks like a log that lost its records: metadata tells them apart, and halts the lane
  await cluster.refresh();
  if (topic.replacedBy !== null) return null;
  // what the log holds, also of open transactions
  const start = (await cluster.listOffsets(topic, [partition], 'earliest')).get(partition)!;
  const end = (await cluster.listOffsets(topic, [partition], 'latest')).get(partition)!;
  if (position >= start && position <= end) return null;
  lane.logStartOffset = start;
  lane.readableEnd = end;
  const where = { topic: topic.name, partition, position, logStart: start, highWatermark: end, broker };
  if (position > end) {
    const what = `the log ends at ${end}, ${position - end} offsets before the position ${position}`;
    return new HeadraceError('OFFSET_OUT_OF_RANGE', what, { where, remedy: resetRemedy(partition, end) });
  }
  const what = `offsets ${position} to ${start - 1n} (${start - position} of them) were deleted before they were read`;
  const remedy = `bring them back from a copy of the topic, or start once with --accept-gap ${partition}:${position}-${start - 1n} to go on without them (open sessions stay open); raise the topic's retention`;
  return {
    from: position,
    to: start,
    error: new HeadraceError('OFFSET_OUT_OF_RANGE', what, { where, remedy }),
  };
}

/** Records that were read are not the log's any more: sessions stand on them that nothing can build again. */
function resetRemedy(partition: number, to: bigint | 'earliest'): string {
  return `records that were read are gone from the log; headrace ledger reset --partition ${partition} --to ${to} starts the lane over there: it says first what that means for its open sessions`;
}

/**
 * After a leader change: whether the new leader's log still holds what was read (KIP-320). An error: it does not. Null:
 * it does.
 */
export async function examineTruncation(
  cluster: Cluster,
  topic: Topic,
  lane: FetchLane,
): Promise<HeadraceError | Unanswered | null> {
  const { partition, position, batchEpoch } = lane;
  const leader = topic.leader(partition);
  if (leader === undefined) return { unanswered: 'the partition has no leader' };
  try {
    const connection = await cluster.connection(leader.nodeId, 'control');
    const response = await connection.send(offsetForLeaderEpochApi, {
      topic: topic.name,
      partition,
      currentLeaderEpoch: leader.epoch,
      leaderEpoch: batchEpoch,
    });
    const answer = response.topics
      .flatMap(({ partitions }) => partitions)
      .find((each) => each.partition === partition);
    if (answer === undefined) return { unanswered: 'the broker left the partition out' };
    if (answer.errorCode !== KafkaErrorCode.NONE) return { unanswered: nameOfError(answer.errorCode) };
    lane.checkedEpoch = Math.max(lane.checkedEpoch, leader.epoch);
    if (answer.endOffset >= position) return null;
    const found =
      answer.endOffset < 0n
        ? `the new leader knows nothing of leader epoch ${batchEpoch}`
        : `leader epoch ${batchEpoch} ends at ${answer.endOffset} there, ${position - answer.endOffset} offsets before the position`;
    return new HeadraceError('LOG_TRUNCATED', `records that were read are gone: ${found}`, {
      where: { topic: topic.name, partition, position, broker: cluster.nameOf(leader.nodeId) },
      remedy: `an unclean leader election lost data; ${resetRemedy(partition, answer.endOffset < 0n ? 'earliest' : answer.endOffset)}`,
    });
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.domain === 'internal') throw error;
    return { unanswered: error };
  }
}
