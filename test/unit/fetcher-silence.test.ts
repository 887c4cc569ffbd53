import { afterEach, describe, expect, test } from 'vitest';
import type { FakeCluster } from '../support/fake-broker.js';
import { Rig, type RigOptions } from '../support/fetcher-rig.js';

/** How long a partition is known to bring nothing: from answers alone, and by when they were asked for. */
let rig: Rig;
afterEach(() => rig?.stop());

async function reading(options: RigOptions = {}, prepare?: (fake: FakeCluster) => void): Promise<Rig> {
  rig = await Rig.start(options, (fake) => {
    fake.partitions[0]!.append(3);
    prepare?.(fake);
  });
  rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
  return rig;
}

const silence = () => rig.fetcher.laneStatus(0)!.silence;

/** Some more requests are answered. */
async function asked(times = 3): Promise<void> {
  const before = rig.fake.fetches.length;
  await rig.until(() => rig.fake.fetches.length >= before + times);
}

describe('the silence of a partition', () => {
  test('begins with the first request that its end answers, and lasts until the last one was made', async () => {
    const startedMs = (await reading()).clock.monotonicMs();
    expect(silence()).toBeNull();
    await rig.until(() => silence() !== null);
    const first = silence()!;
    expect(rig.fetcher.laneStatus(0)!.position).toBe(30n);
    expect(first.fromMs).toBeGreaterThan(startedMs);
    await rig.until(() => silence()!.untilMs > first.untilMs);
    expect(silence()!.fromMs).toBe(first.fromMs);
    expect(silence()!.untilMs).toBeLessThan(rig.clock.monotonicMs());
  });

  test('ends with the next records, and begins anew behind them', async () => {
    await reading();
    await rig.until(() => silence() !== null);
    const appendedMs = rig.clock.monotonicMs();
    rig.fake.partitions[0]!.append(1);
    await rig.until(() => (silence()?.fromMs ?? 0) > appendedMs);
    expect(rig.fetcher.laneStatus(0)!.position).toBe(40n);
  });

  test('is none while nobody answers, however long that takes', async () => {
    await reading();
    await rig.until(() => silence() !== null);
    rig.fake.onPartition = () => ({ errorCode: 6 });
    await asked();
    const { untilMs } = silence()!;
    await asked();
    expect(silence()!.untilMs).toBe(untilMs);
  });

  test('is none while a transaction is open behind the position', async () => {
    await reading({}, ({ partitions: [partition] }) => {
      partition!.stableOffset = 20n;
    });
    await rig.until(() => rig.fetcher.laneStatus(0)!.atEnd);
    await asked();
    expect(rig.fetcher.laneStatus(0)!.position).toBe(20n);
    expect(silence()).toBeNull();
    rig.fake.partitions[0]!.stableOffset = null;
    await rig.until(() => silence() !== null);
    expect(rig.fetcher.laneStatus(0)!.position).toBe(30n);
  });

  test('is none by the word of a leader that does not know yet how far its log goes', async () => {
    await reading();
    await rig.until(() => silence() !== null);
    rig.fake.onPartition = () => ({ highWatermark: 20n });
    await rig.until(() => silence() === null);
    await asked();
    expect(silence()).toBeNull();
  });

  test('is forgotten when the lane goes back', async () => {
    await reading();
    await rig.until(() => silence() !== null);
    rig.fetcher.seekLane(0, 1, 10n);
    expect(silence()).toBeNull();
  });
});
