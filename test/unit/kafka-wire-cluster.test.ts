import { afterEach, describe, expect, test } from 'vitest';
import type { Cluster } from '#src/kafka/cluster.js';
import { API } from '../support/fake-broker.js';
import { Rig, testLimits } from '../support/fetcher-rig.js';

let rig: Rig;
const clusters: Cluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
  await rig?.stop();
});

async function connect(...options: Parameters<Rig['connect']>): Promise<Cluster> {
  const cluster = await rig.connect(...options);
  clusters.push(cluster);
  return cluster;
}

const NOWHERE = '127.0.0.1:1';

describe('connecting', () => {
  test('goes through the bootstrap list until one answers', async () => {
    rig = await Rig.start();
    const cluster = await connect({ bootstrap: [NOWHERE, ...rig.fake.bootstrap] });
    expect((await cluster.topic('clicks')).partitions).toEqual([0]);
    expect(rig.log.text('warn')).toContain(`broker=${NOWHERE}`);
  });

  test('to nobody is tried until somebody is there, a line every few seconds, and can be given up', async () => {
    rig = await Rig.start();
    await rig.fake.broker(1).stop();
    const giveUp = new AbortController();
    const slept = rig.sleepsMs.length;
    const connecting = rig.connect({ signal: giveUp.signal });
    const refused = expect(connecting).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    await rig.until(() => rig.sleepsMs.length >= slept + 6);
    giveUp.abort();
    await refused;
    const own = rig.log.lines.filter(({ message }) => message.startsWith('no metadata'));
    expect(own.length).toBeLessThan(6);
  });

  test('waits for a broker that comes later', async () => {
    rig = await Rig.start();
    await rig.fake.broker(1).stop();
    const slept = rig.sleepsMs.length;
    const connecting = connect();
    await rig.until(() => rig.sleepsMs.length >= slept + 3);
    await rig.fake.broker(1).start();
    expect((await (await connecting).topic('clicks')).name).toBe('clicks');
  });

  test.each([
    ['Metadata', API.metadata, 9],
    ['Fetch', API.fetch, 10],
  ])('to a broker below 2.8 is refused (%s)', async (name, key, version) => {
    rig = await Rig.start();
    rig.fake.versionsMax.set(key, version);
    await expect(connect()).rejects.toMatchObject({
      code: 'KAFKA_TOO_OLD',
      message: expect.stringContaining(name),
      remedy: expect.stringContaining('2.8'),
    });
  });

  test.each(['nonsense', 'host:', ':9092', 'host:99999', 'host:x'])('to %s is refused', async (address) => {
    rig = await Rig.start();
    await expect(connect({ bootstrap: [address] })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('uses one connection a broker and purpose, however many ask', async () => {
    rig = await Rig.start();
    const cluster = await connect();
    const before = rig.fake.broker(1).connections;
    const asked = await Promise.all([1, 2, 3].map(() => cluster.connection(1, 'fetch')));
    expect(new Set(asked).size).toBe(1);
    expect(rig.fake.broker(1).connections).toBe(before + 1);
  });
});

describe('a topic', () => {
  test('that is missing is named and waited for', async () => {
    rig = await Rig.start();
    rig.fake.topicError = 3;
    const cluster = await connect();
    const waiting = cluster.topic('clicks');
    await rig.until(() => rig.log.text('warn').includes('topic=clicks'));
    expect(rig.log.text('warn')).toContain('does not exist');
    rig.fake.topicError = 0;
    expect((await waiting).partitions).toEqual([0]);
  });

  test('that may not be described is an alarm with the principal', async () => {
    rig = await Rig.start();
    rig.fake.topicError = 29;
    const cluster = await connect();
    const waiting = cluster.topic('clicks');
    await rig.until(() => rig.log.text('error').includes('principal='));
    expect(rig.log.text('error')).toContain('TOPIC_AUTHORIZATION_FAILED');
    rig.fake.topicError = 0;
    await waiting;
  });

  test('keeps its newer leader when a broker that is behind describes an older one', async () => {
    rig = await Rig.start({ brokers: 2 });
    const cluster = await connect();
    const topic = await cluster.topic('clicks');
    const [partition] = rig.fake.partitions;
    Object.assign(partition!, { leader: 2, epoch: 5 });
    await cluster.refresh();
    expect(topic.leader(0)).toEqual({ nodeId: 2, epoch: 5 });
    Object.assign(partition!, { leader: 1, epoch: 4 });
    await cluster.refresh();
    expect(topic.leader(0)).toEqual({ nodeId: 2, epoch: 5 });
  });

  test('has no leader for a partition while there is none', async () => {
    rig = await Rig.start();
    const cluster = await connect();
    const topic = await cluster.topic('clicks');
    Object.assign(rig.fake.partitions[0]!, { leader: -1, epoch: 1 });
    await cluster.refresh();
    expect(topic.leader(0)).toBeUndefined();
    Object.assign(rig.fake.partitions[0]!, { leader: 1, epoch: 2 });
    await rig.until(() => topic.leader(0)?.epoch === 2);
  });

  test('is asked for again by itself', async () => {
    rig = await Rig.start();
    const cluster = await connect({ metadataMaxAgeMs: 200 });
    const topic = await cluster.topic('clicks');
    Object.assign(rig.fake.partitions[0]!, { epoch: 9 });
    await rig.until(() => topic.leader(0)?.epoch === 9);
  });
});

describe('offsets', () => {
  test('are listed by each partition’s leader', async () => {
    rig = await Rig.start({ brokers: 2, partitions: 3 }, ({ partitions }) => {
      partitions.forEach((partition, i) => {
        partition.append(10 + i);
        partition.deleteBelow(BigInt(10 * i));
      });
    });
    const cluster = await connect();
    const topic = await cluster.topic('clicks');
    const earliest = await cluster.listOffsets(topic, [0, 1, 2], 'earliest');
    expect([...earliest].sort()).toEqual([
      [0, 0n],
      [1, 10n],
      [2, 20n],
    ]);
    const latest = await cluster.listOffsets(topic, [0, 2], 'latest');
    expect([...latest].sort()).toEqual([
      [0, 100n],
      [2, 120n],
    ]);
  });

  test('of the end are where the first open transaction begins, when read committed', async () => {
    rig = await Rig.start({}, ({ partitions }) => {
      partitions[0]!.append(3);
      partitions[0]!.stableOffset = 20n;
    });
    const cluster = await connect();
    const topic = await cluster.topic('clicks');
    const committed = await cluster.listOffsets(topic, [0], 'latest', 'read_committed');
    expect(committed).toEqual(new Map([[0, 20n]]));
    const uncommitted = await cluster.listOffsets(topic, [0], 'latest', 'read_uncommitted');
    expect(uncommitted).toEqual(new Map([[0, 30n]]));
  });

  test('of a time later than every record are the end', async () => {
    rig = await Rig.start({}, ({ partitions }) => partitions[0]!.append(3));
    const cluster = await connect();
    const offsets = await cluster.listOffsets(await cluster.topic('clicks'), [0], {
      timestampMs: 1_700_000_000_000,
    });
    expect(offsets).toEqual(new Map([[0, 30n]]));
  });

  test('that a broker refuses for now are asked for again', async () => {
    rig = await Rig.start({}, ({ partitions }) => partitions[0]!.append(3));
    const codes = [6, 78, 5];
    rig.fake.onOffsets = () => codes.shift() ?? 0;
    const cluster = await connect();
    expect(await cluster.listOffsets(await cluster.topic('clicks'), [0], 'latest')).toEqual(
      new Map([[0, 30n]]),
    );
    expect(codes).toEqual([]);
    expect(rig.log.text('warn')).toContain('NOT_LEADER_OR_FOLLOWER');
  });

  test('are given up when the cluster closes', async () => {
    rig = await Rig.start();
    rig.fake.onOffsets = () => 78;
    const cluster = await connect();
    const asking = cluster.listOffsets(await cluster.topic('clicks'), [0], 'latest');
    const refused = expect(asking).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    await rig.until(() => rig.log.text('warn').includes('offsets are not known yet'));
    await cluster.close();
    await refused;
  });
});

test('an answer above the cap is refused with broker and limit, before it is received', async () => {
  rig = await Rig.start();
  const raw = Buffer.alloc(8);
  raw.writeInt32BE(testLimits.responseBytesMax + 1, 0);
  rig.fake.onReply = ({ apiKey }) => (apiKey === API.fetch ? { raw } : undefined);
  const cluster = await connect();
  rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
  await rig.until(() => rig.log.text('warn').includes('KAFKA_RESPONSE_TOO_LARGE'));
  expect(rig.log.text('warn')).toContain(`above the limit of ${testLimits.responseBytesMax}`);
  expect(rig.log.text('warn')).toContain(cluster.nameOf(1));
});
