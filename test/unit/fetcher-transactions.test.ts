import { afterEach, describe, expect, test } from 'vitest';
import { type AbortedTransaction, decodeAborted } from '#src/reference/aborted-transactions.js';
import { RecordType } from '#src/ring/layout.js';
import type { FakeCluster } from '../support/fake-broker.js';
import { Rig, type RigOptions } from '../support/fetcher-rig.js';

let rig: Rig;
afterEach(() => rig?.stop());

async function start(options: RigOptions = {}, prepare?: (fake: FakeCluster) => void): Promise<Rig> {
  rig = await Rig.start(options, prepare);
  return rig;
}

/** Four batches of ten records; a transaction is open from offset 20 on. */
function openAtTwenty({ partitions: [partition] }: FakeCluster): void {
  partition!.append(4);
  partition!.stableOffset = 20n;
}

const transaction = (producerId: number, firstOffset: number): AbortedTransaction => ({
  producerId: BigInt(producerId),
  firstOffset: BigInt(firstOffset),
});

/** Every answer with records comes with these. */
function abortedAre(list: AbortedTransaction[]): (fake: FakeCluster) => void {
  return (fake) => {
    fake.partitions[0]!.append(4, 10, { bytes: 500 });
    fake.onPartition = () => ({ abortedTransactions: list });
  };
}

describe('an open transaction', () => {
  test('is where the lane ends until it is committed', async () => {
    await start({}, openAtTwenty);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.until(() => rig.fetcher.laneStatus(0)!.atEnd);
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ position: 20n, readableEnd: 20n });
    rig.fake.partitions[0]!.stableOffset = null;
    await rig.caughtUp(0);
    expect(rig.ring(0).records.map(({ offset, aux }) => [offset, aux])).toEqual([
      [0n, 20n],
      [20n, 40n],
    ]);
  });

  test('does not matter where all is read', async () => {
    await start({ isolation: 'read_uncommitted' }, openAtTwenty);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ position: 40n, readableEnd: 40n });
  });
});

describe('aborted transactions', () => {
  test('lie in one ring record with the batches that they reach into', async () => {
    const list = [transaction(5, 12), transaction(2 ** 40, -3), transaction(5, 31)];
    await start({}, abortedAre(list));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    const { records, payloads } = rig.ring(0);
    expect(records).toEqual([
      { type: RecordType.dataWithAborted, partition: 0, incarnation: 1, offset: 0n, aux: 40n },
    ]);
    const { aborted, batches } = decodeAborted(payloads[0]!);
    expect(aborted).toEqual(list);
    expect(Buffer.compare(batches, rig.fake.partitions[0]!.read(0n, 10_000))).toBe(0);
  });

  test('that begin behind the end of a bounded run are left out, and without any the data is as ever', async () => {
    await start({}, abortedAre([transaction(1, 9), transaction(2, 10)]));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n, endOffset: 10n });
    await rig.until(() => rig.ring(0).records.length === 1);
    expect(decodeAborted(rig.ring(0).payloads[0]!)).toMatchObject({ aborted: [transaction(1, 9)] });
    rig.fetcher.removeLane(0, 1);
    rig.fake.onPartition = () => ({ abortedTransactions: [transaction(2, 10)] });
    rig.fetcher.addLane({ partition: 0, incarnation: 2, offset: 0n, endOffset: 10n });
    await rig.until(() => rig.ring(0).records.length === 2);
    expect(rig.ring(0).records[1]).toMatchObject({ type: RecordType.data, offset: 0n, aux: 10n });
    expect(rig.ring(0).payloads[1]).toHaveLength(500);
  });

  test('wait for room in the ring together with their data, and are asked for again', async () => {
    const many = Array.from({ length: 100 }, (_, i) => transaction(i, -i));
    // the ring has room for what is asked for the third time, but not for the list before it
    await start({ ringBytes: 2 ** 13, limits: { partitionFetchBytes: 1_000 } }, abortedAre(many));
    rig.fake.partitions[0]!.append(6, 10, { bytes: 500 });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.until(() => rig.fetcher.stats().dropped > 0, { drain: [] });
    await rig.caughtUp(0);
    const { records, payloads } = rig.ring(0);
    expect(records.length).toBeGreaterThan(2);
    for (const [index, { type }] of records.entries()) {
      expect(type).toBe(RecordType.dataWithAborted);
      expect(decodeAborted(payloads[index]!).aborted).toEqual(many);
    }
  });

  test('that leave no room in the ring for a batch halt the lane by name', async () => {
    const many = Array.from({ length: 240 }, (_, i) => transaction(i, 0));
    await start({ ringBytes: 2 ** 13 }, abortedAre(many));
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    const error = await rig.halted(0);
    expect(error).toMatchObject({ code: 'BATCH_TOO_LARGE', remedy: 'raise limits.ring_bytes' });
    expect(rig.ring(0).records).toEqual([]);
  });
});
