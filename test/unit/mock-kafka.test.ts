import { Connection, murmur2, type Reader, Writer } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#src/clock.js';
import { type MockKafka, startMockKafka } from '#src/embedded/mock-kafka.js';
import { connectClient, createProducer, type NativeProducer } from '#src/kafka/librdkafka.js';
import { Producer } from '#src/kafka/producer.js';
import { GroupProcess } from '../support/group-process.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
let kafka: MockKafka;
const members: GroupProcess[] = [];

beforeAll(async () => {
  kafka = await startMockKafka({ brokers: 1 });
});

afterAll(async () => {
  await Promise.all(members.map((member) => member.end()));
  await kafka.stop();
});

function member(topic: string, protocol: 'classic' | 'consumer', extra = {}): GroupProcess {
  const started = new GroupProcess({
    brokers: kafka.bootstrap,
    topic,
    groupId: `group-of-${topic}`,
    clientId: 'test',
    protocol,
    sessionTimeoutMs: 6_000,
    ...extra,
  });
  members.push(started);
  return started;
}

function producer(extra: Record<string, unknown> = {}): Producer {
  return new Producer({ brokers: kafka.bootstrap, clientId: 'test', log: quiet, clock: systemClock, extra });
}

describe('the mock cluster', () => {
  it('listens on loopback only and gives a topic four partitions', async () => {
    expect(kafka.bootstrap).toMatch(/^127\.0\.0\.1:\d+$/);
    await kafka.createTopic('four');
    const sender = producer();
    await sender.connect();
    for (let partition = 0; partition < 4; partition += 1) sender.produce('four', partition, null, null, 1);
    expect(await sender.flush(10_000)).toBe('flushed');
    expect(sender.offsets('four')).toEqual(new Map([0, 1, 2, 3].map((partition) => [partition, 0n])));
    await sender.close();
  });

  it('speaks the versions that fetcher and group need', async () => {
    const versions = await apiVersions(kafka.bootstrap);
    expect(versions.get(0)).toEqual([0, 10]); // Produce
    expect(versions.get(1)).toEqual([0, 16]); // Fetch
    expect(versions.get(2)).toEqual([0, 7]); // ListOffsets
    expect(versions.get(3)).toEqual([0, 12]); // Metadata
    expect(versions.get(8)).toEqual([0, 9]); // OffsetCommit
    expect(versions.get(9)).toEqual([0, 6]); // OffsetFetch
    expect(versions.get(68)).toEqual([1, 1]); // ConsumerGroupHeartbeat
    expect(versions.has(19)).toBe(false); // CreateTopics
  });

  it('keeps five mebibytes of a partition and drops what is older', async () => {
    await kafka.createTopic('small');
    const sender = producer({ 'compression.codec': 'none', 'linger.ms': 0 });
    await sender.connect();
    const value = Buffer.alloc(256 * 1024);
    for (let sent = 0; sent < 32; sent += 1) sender.produce('small', 0, null, value, 1);
    expect(await sender.flush(20_000)).toBe('flushed');
    await sender.close();
    const [lowest, next] = await offsetRange('small', 0);
    expect(next).toBe(32);
    expect(next - lowest).toBeGreaterThanOrEqual(16);
    expect(next - lowest).toBeLessThanOrEqual(20);
  });

  it('receives keys where a Java producer would place them', async () => {
    await kafka.createTopic('placed');
    const sender = producer({ 'linger.ms': 0 });
    await sender.connect();
    const expected = new Map<number, bigint>();
    for (let user = 0; user < 20; user += 1) {
      const partition = (murmur2(`user-${user}`) & 0x7fffffff) % 4;
      expected.set(partition, (expected.get(partition) ?? -1n) + 1n);
      sender.produce('placed', null, `user-${user}`, Buffer.from('x'), 1);
    }
    expect(await sender.flush(10_000)).toBe('flushed');
    expect(sender.offsets('placed')).toEqual(expected);
    await sender.close();
  });

  it('answers a full producer queue with a value and keeps what it accepted', async () => {
    await kafka.createTopic('full');
    const sender = new Producer({
      brokers: kafka.bootstrap,
      clientId: 'test',
      log: quiet,
      clock: systemClock,
      queueMessagesMax: 100,
      lingerMs: 50,
    });
    await sender.connect();
    let accepted = 0;
    while (sender.produce('full', null, `key ${accepted}`, Buffer.from('x'), 1) === 'queued') accepted += 1;
    expect(accepted).toBe(100);
    expect(sender.inFlight).toBe(100);
    await sender.untilBelow(50);
    expect(sender.produce('full', null, 'one more', Buffer.from('x'), 1)).toBe('queued');
    await sender.close();
    expect([sender.delivered, sender.failed, sender.inFlight]).toEqual([101, 0, 0]);
    const highest = [...sender.offsets('full').values()].reduce((sum, offset) => sum + Number(offset) + 1, 0);
    expect(highest).toBe(101);
  });
});

/** [lowest, highest] by API key. */
async function apiVersions(bootstrap: string): Promise<Map<number, [number, number]>> {
  const [host, port] = bootstrap.split(':');
  const connection = new Connection('test');
  await connection.connect(host!, Number(port));
  const versions = await new Promise<Map<number, [number, number]>>((resolve, reject) => {
    const read = (_correlationId: number, _key: number, _version: number, reader: Reader) => {
      const errorCode = reader.readInt16();
      const count = reader.readInt32();
      const ranges = Array.from({ length: count }, () => {
        const key = reader.readInt16();
        return [key, [reader.readInt16(), reader.readInt16()]] as [number, [number, number]];
      });
      return { errorCode, ranges };
    };
    connection.send(
      18,
      2,
      () => Writer.create(),
      read,
      false,
      false,
      (error, answer) => {
        if (error !== null || answer === undefined) return reject(error);
        expect(answer.errorCode).toBe(0);
        resolve(new Map(answer.ranges));
      },
    );
  });
  await connection.close();
  return versions;
}

/** [lowest, next] offset of a partition. */
async function offsetRange(topic: string, partition: number): Promise<[number, number]> {
  const config = { 'metadata.broker.list': kafka.bootstrap };
  const client = createProducer(config) as NativeProducer & {
    queryWatermarkOffsets(
      topic: string,
      partition: number,
      timeoutMs: number,
      done: (error: Error | null, range: { lowOffset: number; highOffset: number }) => void,
    ): void;
  };
  await connectClient(client, config);
  const range = await new Promise<[number, number]>((resolve, reject) => {
    client.queryWatermarkOffsets(topic, partition, 10_000, (error, { lowOffset, highOffset } = NOWHERE) =>
      error ? reject(error) : resolve([lowOffset, highOffset]),
    );
  });
  await new Promise<void>((resolve) => client.disconnect(0, () => resolve()));
  return range;
}

const NOWHERE = { lowOffset: -1, highOffset: -1 };

describe.each(['classic', 'consumer'] as const)('group membership by the %s protocol', (protocol) => {
  it('shares the partitions between members in other processes and keeps commits with metadata', async () => {
    const topic = `shared-${protocol}`;
    await kafka.createTopic(topic);
    const first = member(topic, protocol);
    await first.untilOwned(4);
    expect(await first.call('commit', [{ partition: 2, offset: 77, metadata: 'cut 5' }])).toBe('committed');
    expect(await first.call('committed', [1, 2])).toEqual([
      { partition: 2, offset: '77', metadata: 'cut 5' },
    ]);
    const second = member(topic, protocol);
    await second.untilOwned(2);
    await first.untilOwned(2);
    await second.call('leave');
    await first.untilOwned(4);
    await first.call('leave');
    expect(first.owned).toEqual([]);
  });
});
