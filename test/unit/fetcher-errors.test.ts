import { afterEach, describe, expect, test } from 'vitest';
import { RecordType } from '#src/ring/layout.js';
import type { FakeCluster } from '../support/fake-broker.js';
import { Rig, type RigOptions } from '../support/fetcher-rig.js';

let rig: Rig;
afterEach(() => rig?.stop());

async function start(options: RigOptions = {}, batches = 5): Promise<Rig> {
  rig = await Rig.start(options, ({ partitions }: FakeCluster) => {
    for (const partition of partitions) partition.append(batches, 10, { bytes: 500 });
  });
  return rig;
}

/** The first `times` fetches of partition 0 are answered with this code. */
function answerWith(errorCode: number, times: number): void {
  let left = times;
  rig.fake.onPartition = ({ partition }) =>
    partition === 0 && left-- > 0
      ? { errorCode, records: null, highWatermark: -1n, logStartOffset: -1n }
      : {};
}

const TRANSIENT: [string, number, 'warn' | 'error', string][] = [
  ['NOT_LEADER_OR_FOLLOWER', 6, 'warn', 'new metadata'],
  ['REPLICA_NOT_AVAILABLE', 9, 'warn', 'new metadata'],
  ['KAFKA_STORAGE_ERROR', 56, 'warn', 'new metadata'],
  ['FENCED_LEADER_EPOCH', 74, 'warn', 'new metadata'],
  ['OFFSET_NOT_AVAILABLE', 78, 'warn', 'new metadata'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 3, 'warn', 'new metadata'],
  ['UNKNOWN_LEADER_EPOCH', 75, 'warn', 'trying again'],
  ['FETCH_SESSION_ID_NOT_FOUND', 70, 'warn', 'trying again'],
  ['INVALID_FETCH_SESSION_EPOCH', 71, 'warn', 'trying again'],
  ['TOPIC_AUTHORIZATION_FAILED', 29, 'error', 'not allowed'],
  ['GROUP_AUTHORIZATION_FAILED', 30, 'error', 'not allowed'],
  ['SASL_AUTHENTICATION_FAILED', 58, 'error', 'not allowed'],
  ['error 1234', 1234, 'error', 'unexpected'],
];

describe('an error code in a fetch', () => {
  test.each(TRANSIENT)(
    '(%s) keeps the offset, is told, and is tried again',
    async (name, code, level, words) => {
      await start({ partitions: 2 });
      answerWith(code, 2);
      rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
      rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
      await rig.caughtUp(0, 1);
      expect(rig.fetcher.stats()).toMatchObject({ errors: 2, halted: 0 });
      expect(rig.log.text(level)).toContain(name);
      expect(rig.log.text(level)).toContain(words);
      expect(rig.log.text(level)).toContain('partition=0');
    },
  );

  test('of authorization names who was refused, and nothing secret', async () => {
    await start();
    answerWith(29, 1);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    expect(rig.log.text('error')).toContain('principal=anonymous');
  });

  test('(CORRUPT_MESSAGE) once is fetched again', async () => {
    await start();
    answerWith(2, 1);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    expect(rig.fetcher.stats()).toMatchObject({ refetches: 1, halted: 0 });
  });

  test('(CORRUPT_MESSAGE) twice halts the lane with offset and broker; others go on', async () => {
    await start({ partitions: 2 });
    answerWith(2, 99);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 10n });
    rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
    const error = await rig.halted(0);
    expect(error.code).toBe('BATCH_CORRUPT');
    expect(error.where).toMatchObject({
      partition: 0,
      offset: 10n,
      broker: expect.stringContaining('127.0.0.1'),
    });
    rig.fake.partitions[1]!.append(3);
    await rig.caughtUp(1);
  });
});

describe('an offset out of range', () => {
  test('below the log halts the lane with the exact gap; others go on', async () => {
    await start({ partitions: 2 }, 10);
    rig.fake.partitions[0]!.deleteBelow(60n);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 15n });
    rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
    const error = await rig.halted(0);
    expect(error.code).toBe('OFFSET_OUT_OF_RANGE');
    expect(error.where).toMatchObject({ partition: 0, position: 15n, logStart: 60n, highWatermark: 100n });
    expect(error.message).toContain('offsets 15 to 59 (45 of them)');
    await rig.caughtUp(1);
    expect(rig.ring(0).records.filter(({ partition }) => partition === 0)).toEqual([]);
  });

  test('below the log is passed over where that very gap is accepted, behind a seek', async () => {
    const asked: string[] = [];
    const acceptsGap = (partition: number, from: bigint, to: bigint) => {
      asked.push(`${partition}:${from}-${to}`);
      return from === 15n && to === 60n;
    };
    await start({ acceptsGap }, 10);
    rig.fake.partitions[0]!.deleteBelow(60n);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 15n });
    await rig.caughtUp(0);
    expect(asked).toEqual(['0:15-60']);
    const [first, second] = rig.ring(0).records;
    expect(first).toMatchObject({ type: RecordType.seek, offset: 60n });
    expect(second).toMatchObject({ offset: 60n });
    expect(rig.events).toContainEqual({
      type: 'lane-skipped',
      partition: 0,
      incarnation: 1,
      from: 15n,
      to: 60n,
    });
  });

  test('below the log names the flag that accepts the gap', async () => {
    await start({}, 10);
    rig.fake.partitions[0]!.deleteBelow(60n);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 15n });
    expect((await rig.halted(0)).remedy).toContain('--accept-gap 0:15-59 ');
  });

  test('behind the log halts the lane', async () => {
    await start();
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 70n });
    expect(await rig.halted(0)).toMatchObject({
      code: 'OFFSET_OUT_OF_RANGE',
      message: expect.stringContaining('ends at 50, 20 offsets before'),
    });
  });

  test('that the log holds after all is tried again', async () => {
    await start();
    answerWith(1, 2);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    expect(rig.fetcher.stats().halted).toBe(0);
  });
});

describe('a new leader', () => {
  /** Delivers all, then makes broker 2 the leader with two more batches. */
  async function elect(epochEnd?: bigint): Promise<void> {
    await start({ brokers: 2 });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    const partition = rig.fake.partitions[0]!;
    if (epochEnd !== undefined) partition.epochEnds.set(0, epochEnd);
    partition.leader = 2;
    partition.epoch = 3;
    partition.append(2);
  }

  test('is asked whether it has what was read, before anything is fetched from it', async () => {
    await elect();
    await rig.caughtUp(0);
    expect(rig.fake.epochRequests).toEqual([
      { nodeId: 2, request: { topic: 'clicks', partition: 0, currentLeaderEpoch: 3, leaderEpoch: 0 } },
    ]);
    const [first] = rig.fake.fetches.filter(({ nodeId }) => nodeId === 2);
    expect(first?.request.partitions[0]).toMatchObject({ currentLeaderEpoch: 3, fetchOffset: 50n });
  });

  test('that ends the epoch before the position has lost records: the lane halts and says so', async () => {
    await elect(30n);
    const error = await rig.halted(0);
    expect(error.code).toBe('LOG_TRUNCATED');
    expect(error.message).toContain('20 offsets before the position');
    expect(error.where).toMatchObject({ topic: 'clicks', partition: 0, position: 50n });
    expect(rig.fake.fetches.every(({ nodeId }) => nodeId === 1)).toBe(true);
  });

  test('that does not know the epoch has lost records, too', async () => {
    await elect(-1n);
    expect(await rig.halted(0)).toMatchObject({ code: 'LOG_TRUNCATED' });
  });
});

describe('a preferred replica', () => {
  /** Broker 1 leads and sends readers to broker 2, which has the records but is no leader. */
  async function prefer(): Promise<void> {
    await start({ brokers: 2, rack: 'eu-1a' });
    const stored = rig.fake.partitions[0]!;
    rig.fake.onPartition = ({ fetchOffset, partitionBytesMax }, nodeId) => {
      if (nodeId === 1) return { preferredReadReplica: 2, records: null };
      return { errorCode: 0, records: stored.read(fetchOffset, partitionBytesMax) };
    };
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
  }

  test('is read from, and the rack is sent', async () => {
    await prefer();
    await rig.caughtUp(0);
    await rig.until(() => rig.fake.fetches.length >= 4);
    expect(rig.fake.fetches.map(({ nodeId }) => nodeId).slice(0, 4)).toEqual([1, 2, 2, 2]);
    expect(rig.fake.fetches.every(({ request }) => request.rack === 'eu-1a')).toBe(true);
  });

  test('that does not have the offset leaves the decision to the leader', async () => {
    await prefer();
    const honest = rig.fake.partitions[0]!;
    let followers = 0;
    let examined = 0;
    rig.fake.onOffsets = () => {
      examined += 1;
      return 0;
    };
    rig.fake.onPartition = ({ fetchOffset, partitionBytesMax }, nodeId) => {
      if (nodeId === 2) {
        followers += 1;
        return { errorCode: 1, records: null };
      }
      if (followers === 0) return { preferredReadReplica: 2, records: null };
      return { records: honest.read(fetchOffset, partitionBytesMax) };
    };
    await rig.caughtUp(0);
    expect(followers).toBe(1);
    expect(examined).toBe(0);
    expect(rig.fetcher.stats().halted).toBe(0);
  });

  test('is left when it goes away', async () => {
    await prefer();
    await rig.caughtUp(0);
    const stored = rig.fake.partitions[0]!;
    rig.fake.onPartition = ({ fetchOffset, partitionBytesMax }) => ({
      records: stored.read(fetchOffset, partitionBytesMax),
    });
    await rig.fake.broker(2).stop();
    stored.append(3);
    await rig.caughtUp(0);
    expect(rig.fake.fetches.at(-1)?.nodeId).toBe(1);
  });
});

test('a topic that was deleted and made again is told, and all its lanes halt', async () => {
  await start({ partitions: 2 });
  rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
  rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
  await rig.caughtUp(0, 1);
  rig.events.length = 0;
  rig.fake.topicId = 'b'.repeat(32);
  await rig.cluster.refresh();
  expect(rig.events.map(({ type }) => type)).toEqual(['topic-changed', 'lane-halted', 'lane-halted']);
  expect(rig.events[0]).toMatchObject({ topicId: 'a'.repeat(32), newTopicId: 'b'.repeat(32) });
  expect(rig.fetcher.laneStatus(1)?.halted?.code).toBe('KAFKA_TOPIC_CHANGED');
  rig.fetcher.removeLane(0, 1);
  rig.fetcher.addLane({ partition: 0, incarnation: 2, offset: 0n });
  expect(rig.fetcher.laneStatus(0)?.halted?.code).toBe('KAFKA_TOPIC_CHANGED');
});

test('a shorter topic of the same name is a changed topic, not an offset out of range', async () => {
  await start();
  rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
  await rig.caughtUp(0);
  rig.fake.topicId = 'c'.repeat(32);
  rig.fake.partitions[0]!.batches.length = 0;
  expect(await rig.halted(0)).toMatchObject({ code: 'KAFKA_TOPIC_CHANGED' });
});

test('a broker that throttles is not asked again before its time is over', async () => {
  await start({ limits: { partitionFetchBytes: 1_000 } });
  rig.fake.throttleTimeMs = 1_999;
  rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
  await rig.caughtUp(0);
  expect(rig.fetcher.stats()).toMatchObject({ fetches: 3, throttledMs: 3 * 1_999 });
  expect(rig.sleepsMs.filter((ms) => ms === 1_999)).toHaveLength(3);
});
