import { afterEach, describe, expect, test } from 'vitest';
import { API, type FakeCluster } from '../support/fake-broker.js';
import { Rig, type RigOptions } from '../support/fetcher-rig.js';

/** What a lane says that it waits for: the watchdog goes by it. */
let rig: Rig;
afterEach(() => rig?.stop());

async function start(options: RigOptions = {}, batches = 5): Promise<void> {
  rig = await Rig.start(options, ({ partitions }: FakeCluster) => {
    for (const partition of partitions) partition.append(batches, 10, { bytes: 500 });
  });
}

const waitsFor = () => rig.fetcher.laneStatus(0)!.waitsFor;
const answers = (count: number) => {
  const before = rig.fake.fetches.length;
  return rig.until(() => rig.fake.fetches.length >= before + count);
};

describe('a lane waits', () => {
  test('for records: before any answer, and at the end', async () => {
    await start();
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    expect(waitsFor()).toBe('records');
    await rig.caughtUp(0);
    await rig.until(() => waitsFor() === 'records');
    await answers(3);
    expect(waitsFor()).toBe('records');
  });

  test('for a broker that answers with an error, and no longer than that', async () => {
    await start();
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.caughtUp(0);
    rig.fake.onPartition = () => ({ errorCode: 75, records: null, highWatermark: -1n, logStartOffset: -1n });
    rig.fake.partitions[0]!.append(3);
    const errors = rig.fetcher.stats().errors;
    await rig.until(() => rig.fetcher.stats().errors > errors);
    // what it knows of the end is older than the records that came
    rig.fake.onPartition = () => ({ records: null });
    await rig.until(() => waitsFor() === null);
    rig.fake.onPartition = () => ({ errorCode: 75, records: null, highWatermark: -1n, logStartOffset: -1n });
    await rig.until(() => waitsFor() === 'broker');
    rig.fake.onPartition = () => ({});
    await rig.caughtUp(0);
    await rig.until(() => waitsFor() === 'records');
  });

  test('for a broker that gives no answer', async () => {
    await start();
    rig.fake.onPartition = () => ({ records: null });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.until(() => waitsFor() === null);
    rig.fake.onReply = ({ apiKey }) => (apiKey === API.fetch ? 'close' : undefined);
    await rig.until(() => waitsFor() === 'broker');
    rig.fake.onReply = () => undefined;
    rig.fake.onPartition = () => ({});
    await rig.caughtUp(0);
    await rig.until(() => waitsFor() === 'records');
  });

  test('for room, until there is some', async () => {
    await start({ ringBytes: 2 ** 14 }, 100);
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await rig.until(() => waitsFor() === 'room', { drain: [] });
    await rig.caughtUp(0);
    await rig.until(() => waitsFor() === 'records');
  });

  test('for nobody, where brokers say that there is more and give nothing of it: it has stopped', async () => {
    await start();
    rig.fake.onPartition = () => ({ records: null });
    rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
    await answers(3);
    await rig.until(() => rig.fetcher.laneStatus(0)!.readableEnd === 50n);
    expect(waitsFor()).toBeNull();
    expect(rig.fetcher.laneStatus(0)).toMatchObject({ position: 0n, atEnd: false });
  });
});
