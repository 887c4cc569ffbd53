import { afterEach, describe, expect, test } from 'vitest';
import { RecordType } from '#src/ring/layout.js';
import { API, type FakeCluster } from '../support/fake-broker.js';
import { encodeBatch } from '../support/fake-broker-codec.js';
import { Rig, type RigOptions } from '../support/fetcher-rig.js';

let rig: Rig;
afterEach(() => rig?.stop());

async function start(options: RigOptions = {}, prepare?: (fake: FakeCluster) => void): Promise<Rig> {
  rig = await Rig.start(options, prepare);
  return rig;
}

const fill =
  (batches: number, bytes = 500) =>
  (fake: FakeCluster) => {
    for (const partition of fake.partitions) partition.append(batches, 10, { bytes });
  };

describe('delivery', () => {
  test('all lanes of all brokers arrive in their rings, without holes', async () => {
    await start({ brokers: 2, partitions: 5 }, fill(50));
    for (let partition = 0; partition < 5; partition++) {
      rig.fetcher.addLane({ partition, incarnation: 7, offset: 0n });
    }
    await rig.caughtUp(0, 1, 2, 3, 4);
    expect(
      new Set(rig.rings.flatMap(({ records }) => records.map(({ incarnation }) => incarnation))),
    ).toEqual(new Set([7]));
    rig.fake.partitions[3]!.append(2);
    await rig.caughtUp(3);
    expect(rig.fetcher.stats()).toMatchObject({
      batches: 252,
      halted: 0,
      errors: 0,
      failures: 0,
      dropped: 0,
    });
    expect(rig.fetcher.stats().waitedMs).toBeGreaterThan(0);
    expect(rig.fetcher.stats().handledMs).toBeGreaterThan(0);
  });

  test('a batch that is cut off at the end of an answer comes whole with the next one', async () => {
    await start({ limits: { partitionFetchBytes: 1_250 } }, fill(9));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    expect(rig.fetcher.stats().batches).toBe(9);
  });

  test('a fetch that begins inside a batch hands over the whole batch and says where it began', async () => {
    await start({}, fill(3));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 14n });
    await rig.caughtUp(0);
    expect(rig.ring(0).records[0]).toMatchObject({ offset: 14n, aux: 30n });
  });

  test('the position follows the last offset of a batch, over holes and empty batches', async () => {
    await start({}, ({ partitions: [partition] }) => {
      partition!.append(1, 10);
      partition!.append(1, 1_000, { baseOffset: 500n });
    });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ position: 1_500n, readableEnd: 1_500n, atEnd: true });
  });

  test('when not all lanes fit into a request, each gets its turn', async () => {
    await start(
      { partitions: 6, limits: { partitionFetchBytes: 4_000, fetchBytesInFlight: 8_000 } },
      fill(40),
    );
    for (let partition = 0; partition < 6; partition++) {
      rig.fetcher.addLane({ partition, incarnation: 1, offset: 0n });
    }
    await rig.caughtUp(0, 1, 2, 3, 4, 5);
    const firsts = rig.fake.fetches
      .slice(0, 6)
      .map(({ request }) => request.partitions.map((each) => each.partition));
    expect(firsts.slice(0, 3)).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(rig.fake.fetches.every(({ request }) => request.bytesMax <= 8_000)).toBe(true);
  });

  test('lanes without data do not starve those behind them', async () => {
    await start({ partitions: 8, limits: { partitionFetchBytes: 4_000, fetchBytesInFlight: 8_000 } });
    for (let partition = 0; partition < 8; partition++) {
      rig.fetcher.addLane({ partition, incarnation: 1, offset: 0n });
    }
    rig.fake.partitions[7]!.append(5);
    await rig.caughtUp(7);
  });
});

describe('the end of a lane', () => {
  test('is told once each time it is reached', async () => {
    await start({}, fill(3));
    rig.fetcher.addLane({ partition: 0, incarnation: 4, offset: 0n });
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ atEnd: false, atEndSinceMonotonicMs: null, leader: 1 });
    await rig.caughtUp(0);
    await rig.until(() => rig.fake.fetches.length >= 4);
    expect(rig.events).toEqual([{ type: 'lane-at-end', partition: 0, incarnation: 4 }]);
    expect(rig.fetcher.laneStatus(0)).toMatchObject({
      atEnd: true,
      atEndSinceMonotonicMs: expect.any(Number),
    });
  });

  test('of a bounded run is where nothing at or behind the end offset was delivered or is asked for', async () => {
    await start({ partitions: 2 }, fill(10));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n, endOffset: 50n });
    rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
    await rig.until(() => rig.fetcher.laneStatus(0)!.atEnd);
    rig.ring(0).drain();
    expect(rig.ring(0).endOf(0)).toBe(50n);
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ position: 50n, atEnd: true });
    const asked = rig.fake.fetches.length;
    await rig.until(() => rig.fake.fetches.length >= asked + 3);
    const later = rig.fake.fetches.slice(asked).flatMap(({ request }) => request.partitions);
    expect(new Set(later.map(({ partition }) => partition))).toEqual(new Set([1]));
  });

  test('inside a batch is told in the record, since the batch goes whole', async () => {
    await start({}, fill(10));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n, endOffset: 44n });
    await rig.until(() => rig.events.length > 0);
    rig.rings[0]!.drain();
    expect(rig.ring(0).endOf(0)).toBe(44n);
  });

  test('is there at once for a lane whose run has no offsets left', async () => {
    await start({}, fill(1));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 10n, endOffset: 10n });
    expect(rig.fetcher.laneStatus(0)?.atEnd).toBe(true);
    expect(rig.events).toEqual([{ type: 'lane-at-end', partition: 0, incarnation: 1 }]);
  });

  test('is reached when all that lay before it was compacted away', async () => {
    await start({}, ({ partitions: [partition] }) => partition!.append(1, 10, { baseOffset: 90n }));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n, endOffset: 50n });
    await rig.until(() => rig.events.length > 0);
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ position: 50n, atEnd: true });
    expect(rig.ring(0).records).toEqual([]);
  });
});

describe('a full ring', () => {
  test('stops its own lanes and no others, and they go on when there is room', async () => {
    const capacity = 2 ** 14;
    await start({ partitions: 2, ringBytes: capacity }, fill(100));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
    const [full, other] = [rig.ring(0), rig.ring(1)];
    await rig.until(() => other.endOf(1) === 1_000n && rig.fetcher.laneStatus(0)!.blockedByRing, {
      drain: [other],
    });
    expect(full.filledBytes()).toBeGreaterThan(0);
    expect(full.filledBytes()).toBeLessThanOrEqual(capacity);
    expect(rig.fetcher.laneStatus(0)!.position).toBeLessThan(1_000n);
    await rig.caughtUp(0);
    expect(rig.fetcher.stats().dropped).toBe(0);
  });

  test('gives a lane with large batches its turn among lanes with small ones', async () => {
    const options = { partitions: 4, ringBytes: 2 ** 15, limits: { partitionFetchBytes: 2_000 } };
    await start(options, ({ partitions }) => {
      partitions[0]!.append(10, 10, { bytes: 12_000 });
      partitions[2]!.append(200, 10, { bytes: 300 });
    });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    rig.fetcher.addLane({ partition: 2, incarnation: 1, offset: 0n });
    await rig.caughtUp(0, 2);
  });

  test('that a command waits for takes no data before it', async () => {
    await start({ ringBytes: 2 ** 14 }, fill(100));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.until(() => rig.fetcher.laneStatus(0)!.blockedByRing, { drain: [] });
    const payload = new Uint8Array(8_000);
    rig
      .ring(0)
      .writer.command({ type: RecordType.cut, partition: 0, incarnation: 1, offset: 0n, aux: 0n }, payload);
    const at = rig.fetcher.laneStatus(0)!.position;
    await rig.until(() => rig.ring(0).records.some(({ type }) => type === RecordType.cut));
    await rig.until(() => rig.fetcher.laneStatus(0)!.position === 1_000n);
    rig.rings[0]!.drain();
    const { records } = rig.ring(0);
    const cut = records.findIndex(({ type }) => type === RecordType.cut);
    expect(records[cut - 1]).toMatchObject({ aux: at });
    expect(records[cut + 1]).toMatchObject({ offset: at });
  });
});

describe('a batch larger than asked for', () => {
  test('is asked for whole by a broker that cuts it off', async () => {
    await start({}, fill(3, 20_000));
    rig.fake.onPartition = (asked, _node, { records }) => ({
      records: records!.subarray(0, Math.min(records!.length, asked.partitionBytesMax)),
    });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    expect(rig.fake.fetches[1]!.request.partitions[0]!.partitionBytesMax).toBe(20_000);
  });

  test('is asked for by doubling when not even its header came', async () => {
    await start({ limits: { partitionFetchBytes: 10 } }, fill(3, 100));
    rig.fake.onPartition = (asked, _node, { records }) => ({
      records: records!.subarray(0, Math.min(records!.length, asked.partitionBytesMax)),
    });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    const sizes = rig.fake.fetches.slice(0, 3).map(({ request }) => request.partitions[0]!.partitionBytesMax);
    expect(sizes).toEqual([10, 20, 100]);
  });

  test('than the ring can take halts its lane, naming the limit; others go on', async () => {
    await start({ partitions: 2, ringBytes: 2 ** 15 }, ({ partitions }) => {
      partitions[0]!.append(1, 10, { bytes: 17_000 });
      partitions[1]!.append(20);
    });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
    const error = await rig.halted(0);
    expect(error).toMatchObject({ code: 'BATCH_TOO_LARGE', remedy: 'raise limits.ring_bytes' });
    expect(error.where).toMatchObject({ topic: 'clicks', partition: 0, offset: 0n });
    await rig.caughtUp(1);
  });

  test('halts its lane when a broker keeps sending a part of it', async () => {
    await start({}, fill(1, 2_000));
    rig.fake.onPartition = (_asked, _node, { records }) => ({ records: records!.subarray(0, 1_000) });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    expect(await rig.halted(0)).toMatchObject({ code: 'BATCH_CORRUPT' });
    expect(rig.fake.fetches.length).toBeLessThan(10);
  });
});

describe('nonsense in a batch header', () => {
  const NONSENSE = [
    ['message format v1', 'BATCH_UNSUPPORTED', { magic: 1 }],
    ['a length below the header', 'BATCH_CORRUPT', { batchLength: 20 }],
    ['a length of two gigabytes', 'BATCH_TOO_LARGE', { batchLength: 0x7fffffff }],
    ['a negative last offset', 'BATCH_CORRUPT', { lastOffsetDelta: -5 }],
    ['an end below the position', 'BATCH_CORRUPT', { baseOffset: 0n, lastOffsetDelta: 5 }],
  ] as const;
  const asks = (fetches: FakeCluster['fetches'], offset: bigint) =>
    fetches.filter(({ request }) =>
      request.partitions.some((each) => each.partition === 0 && each.fetchOffset === offset),
    );

  test.each(NONSENSE)('(%s) is fetched once more, then the lane halts with %s', async (_what, code, lie) => {
    await start({ partitions: 2 }, fill(2));
    const lying = encodeBatch({ baseOffset: 20n, lastOffsetDelta: 9, ...lie });
    rig.fake.onPartition = ({ partition, fetchOffset }) =>
      partition === 0 && fetchOffset === 20n ? { highWatermark: 30n, records: lying } : {};
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
    const error = await rig.halted(0);
    expect(error.code).toBe(code);
    expect(error.where).toMatchObject({ topic: 'clicks', partition: 0, offset: 20n });
    expect(String(error.where.broker)).toContain('127.0.0.1');
    expect(asks(rig.fake.fetches, 20n)).toHaveLength(2);
    expect(rig.ring(0).endOf(0)).toBe(20n);
    rig.fake.partitions[1]!.append(3);
    await rig.caughtUp(1);
    expect(rig.fetcher.laneStatus(0)?.halted?.code).toBe(code);
  });

  test('that is gone the second time does no harm', async () => {
    await start({}, fill(5));
    let lies = 1;
    rig.fake.onPartition = ({ fetchOffset }) =>
      lies-- > 0 ? { records: encodeBatch({ baseOffset: fetchOffset, lastOffsetDelta: 9, magic: 0 }) } : {};
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    expect(rig.fetcher.stats()).toMatchObject({ refetches: 1, halted: 0 });
  });
});

describe('a broker that goes away', () => {
  test('is asked again until it is back, with few lines, while the others are read', async () => {
    await start({ brokers: 2, partitions: 2 }, fill(5));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    rig.fetcher.addLane({ partition: 1, incarnation: 1, offset: 0n });
    await rig.caughtUp(0, 1);
    await rig.fake.broker(1).stop();
    rig.fake.partitions[0]!.append(5);
    rig.fake.partitions[1]!.append(5);
    await rig.caughtUp(1);
    await rig.until(() => rig.fetcher.stats().failures >= 4);
    const lines = rig.log.lines.filter(({ message }) => message.startsWith('no answer'));
    expect(lines.length).toBeLessThan(rig.fetcher.stats().failures);
    await rig.fake.broker(1).start();
    await rig.caughtUp(0, 1);
  });

  test('for another leader is left for that one', async () => {
    await start({ brokers: 2 }, fill(5));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    const [partition] = rig.fake.partitions;
    partition!.leader = 2;
    partition!.epoch = 1;
    partition!.append(5);
    await rig.caughtUp(0);
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ leader: 2 });
  });
});

describe('removing and seeking', () => {
  test('a removed lane gets nothing more, not even what is under way', async () => {
    await start({ limits: { maxWaitMs: 50 } });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.until(() => rig.fake.fetches.length === 1);
    rig.fetcher.removeLane(0, 2);
    expect(rig.fetcher.laneStatus(0)).toBeDefined();
    rig.fetcher.removeLane(0, 1);
    rig.fake.partitions[0]!.append(5);
    expect(rig.fetcher.laneStatus(0)).toBeUndefined();
    await rig.until(() => rig.fetcher.stats().dropped === 1);
    expect(rig.ring(0).records).toEqual([]);
  });

  test('a lane added again goes on as another incarnation', async () => {
    await start({ limits: { maxWaitMs: 50 } }, fill(4));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    rig.fetcher.removeLane(0, 1);
    rig.fetcher.addLane({ partition: 0, incarnation: 2, offset: 20n });
    await rig.caughtUp(0);
    expect(rig.ring(0).records.map(({ incarnation }) => incarnation)).toEqual([2]);
  });

  test('a seek lies in the ring between the old data and the new', async () => {
    await start({}, fill(4));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    rig.fetcher.seekLane(0, 1, 20n);
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ position: 20n, atEnd: false });
    await rig.until(() => rig.ring(0).records.length === 3);
    expect(rig.ring(0).records.map(({ type, offset, aux }) => [type, offset, aux])).toEqual([
      [RecordType.data, 0n, 40n],
      [RecordType.seek, 20n, 0n],
      [RecordType.data, 20n, 40n],
    ]);
  });

  test('an answer to what was asked before a seek is dropped', async () => {
    await start({ limits: { maxWaitMs: 50 } }, fill(2));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 20n });
    await rig.until(() => rig.fake.fetches.length === 1);
    rig.fetcher.seekLane(0, 1, 0n);
    rig.fake.partitions[0]!.append(1);
    await rig.caughtUp(0);
    expect(rig.ring(0).records.map(({ type, offset }) => [type, offset])).toEqual([
      [RecordType.seek, 0n],
      [RecordType.data, 0n],
    ]);
    expect(rig.fetcher.stats().dropped).toBe(1);
  });

  test('closing does not wait for a broker that never answers', async () => {
    await start({ limits: { maxWaitMs: 50 } });
    rig.fake.onReply = ({ apiKey }) => (apiKey === API.fetch ? 'silence' : undefined);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.until(() => rig.fake.fetches.length === 1);
    await rig.fetcher.close();
    expect(rig.fetcher.stats().fetches).toBe(0);
  });
});
