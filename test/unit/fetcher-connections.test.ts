import { afterEach, describe, expect, test } from 'vitest';
import { BrokerConnection } from '#src/kafka/broker-connection.js';
import { apiVersionsApi } from '#src/kafka/wire/api-versions.js';
import { fetchApi } from '#src/kafka/wire/fetch.js';
import { metadataApi } from '#src/kafka/wire/metadata.js';
import { API, type Exchange, type FakeCluster, frameOf, type Reply } from '../support/fake-broker.js';
import { Rig, type RigOptions } from '../support/fetcher-rig.js';

/** What holds for each way to a broker: our own over plain TCP, and the library's. */

const CREDENTIALS = { username: 'ann', password: 'secret-word' };
const SASL = { sasl: { mechanism: 'PLAIN', ...CREDENTIALS } } as const;
const WAYS: [string, { security: NonNullable<RigOptions['cluster']>['connectionOptions'] & object }][] = [
  ['plain TCP', { security: {} }],
  ['SASL', { security: SASL }],
];

let rig: Rig;
afterEach(() => rig?.stop());

const fill =
  (batches: number, bytes = 500) =>
  (fake: FakeCluster) => {
    for (const partition of fake.partitions) partition.append(batches, 10, { bytes });
  };

/** Answers to the n-th fetches (from 1 on) are replaced; all others are honest. */
function replyToFetch(replies: Record<number, (exchange: Exchange) => Reply>) {
  let fetches = 0;
  return (exchange: Exchange) => {
    if (exchange.apiKey !== API.fetch) return undefined;
    fetches += 1;
    return replies[fetches]?.(exchange);
  };
}

describe.each(WAYS)('over %s', (_way, { security }) => {
  async function start(options: RigOptions, prepare: (fake: FakeCluster) => void): Promise<void> {
    const cluster = { ...options.cluster, connectionOptions: security };
    rig = await Rig.start({ ...options, cluster }, (fake) => {
      if (security === SASL) fake.credentials = CREDENTIALS;
      prepare(fake);
    });
  }

  const open = (options: Partial<Parameters<typeof BrokerConnection.open>[0]> = {}) =>
    BrokerConnection.open({
      host: '127.0.0.1',
      port: rig.fake.broker(1).port,
      clientId: 'test',
      security,
      responseBytesMax: 2 ** 20,
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 5_000,
      closing: new AbortController().signal,
      ...options,
    });

  describe('answers', () => {
    test('of any size arrive whole, one after the other', async () => {
      const limits = { partitionFetchBytes: 400_000, fetchBytesInFlight: 2 ** 23, responseBytesMax: 2 ** 22 };
      await start({ partitions: 6, ringBytes: 2 ** 22, limits }, ({ partitions }) => {
        partitions.forEach((partition, at) => {
          for (let i = 0; i < 40; i++) partition.append(1, 10, { bytes: 100 + ((i * 7_919 + at) % 60_000) });
        });
      });
      for (const partition of [0, 1, 2, 3, 4, 5])
        rig.fetcher.addLane({ partition, incarnation: 1, offset: 0n });
      await rig.caughtUp(0, 1, 2, 3, 4, 5);
      rig.fake.partitions.forEach(({ batches }, partition) => {
        const sent = Buffer.concat(batches.map(({ bytes }) => bytes));
        const { records, payloads } = rig.ring(partition);
        const came = payloads.filter((_, at) => records[at]!.partition === partition);
        expect(Buffer.concat(came).equals(sent)).toBe(true);
      });
      expect(rig.fetcher.stats()).toMatchObject({ failures: 0, refetches: 0, dropped: 0 });
    });

    test('to requests that were sent together go to who asked', async () => {
      await start({ partitions: 3 }, fill(1));
      const connection = await open();
      const [versions, brokers, topic] = await Promise.all([
        connection.send(apiVersionsApi, null),
        connection.send(metadataApi, { topics: [] }),
        connection.send(metadataApi, { topics: ['clicks'] }),
      ]);
      expect(versions.ranges.length).toBeGreaterThan(3);
      expect(brokers.brokers).toHaveLength(1);
      expect(topic.topics[0]?.partitions).toHaveLength(3);
      connection.close();
    });

    test('that nobody asked for close the connection', async () => {
      await start({}, fill(1));
      const connection = await open();
      rig.fake.onReply = ({ correlationId, body }) => {
        const answer = frameOf(correlationId, body);
        return { raw: Buffer.concat([answer, frameOf(correlationId + 7, body)]) };
      };
      await connection.send(metadataApi, { topics: [] });
      await rig.until(() => connection.closed);
      await expect(connection.send(metadataApi, { topics: [] })).rejects.toMatchObject({
        code: 'KAFKA_PROTOCOL',
      });
    });
  });

  describe('a connection', () => {
    test('that is closed refuses what waits and what comes, with broker and reason', async () => {
      await start({}, fill(1));
      const connection = await open();
      rig.fake.onReply = () => 'silence';
      const waiting = [1, 2].map(() => connection.send(metadataApi, { topics: [] }));
      connection.close();
      const late = connection.send(metadataApi, { topics: [] });
      for (const outcome of await Promise.allSettled([...waiting, late])) {
        expect(outcome).toMatchObject({
          reason: { code: 'KAFKA_UNREACHABLE', where: { broker: connection.address } },
        });
      }
    });

    test('to a name of several addresses finds the one that answers', async () => {
      await start({}, fill(1));
      const connection = await open({ host: 'localhost' });
      const { topics } = await connection.send(metadataApi, { topics: ['clicks'] });
      expect(topics).toHaveLength(1);
      connection.close();
    });

    test('to nobody is refused', async () => {
      await start({}, fill(1));
      const { port } = rig.fake.broker(1);
      await rig.fake.broker(1).stop();
      await expect(open({ port })).rejects.toMatchObject({
        code: 'KAFKA_UNREACHABLE',
        where: { broker: `127.0.0.1:${port}` },
      });
    });

    test('that is being opened ends when all is closed', async () => {
      await start({}, fill(1));
      rig.fake.onReply = () => 'silence';
      const closing = new AbortController();
      const opening = open({ closing: closing.signal });
      const refused = expect(opening).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
      setImmediate(() => closing.abort());
      await refused;
      await expect(open({ closing: closing.signal })).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    });

    test('gives up all requests when one is not answered in time', async () => {
      await start({}, fill(1));
      const connection = await open({ requestTimeoutMs: 100 });
      rig.fake.onReply = () => 'silence';
      const waiting = [1, 2].map(() => connection.send(metadataApi, { topics: [] }));
      for (const outcome of await Promise.allSettled(waiting)) {
        expect(outcome).toMatchObject({ reason: { code: 'KAFKA_UNREACHABLE' } });
      }
      expect(connection.closed).toBe(true);
    });
  });

  describe('a broker that misbehaves on the wire', () => {
    const lengthOnly = (length: number) => {
      const raw = Buffer.alloc(64);
      raw.writeInt32BE(length, 0);
      return { raw };
    };
    const TRICKS: [string, string, (exchange: Exchange) => Reply][] = [
      ['announces a negative length', 'KAFKA_PROTOCOL', () => lengthOnly(-1)],
      ['announces a length of −5', 'KAFKA_PROTOCOL', () => lengthOnly(-5)],
      ['announces a length of zero', 'KAFKA_PROTOCOL', () => lengthOnly(0)],
      ['announces more than the cap', 'KAFKA_RESPONSE_TOO_LARGE', () => lengthOnly(2 ** 20 + 1)],
      [
        'answers with another correlation id',
        'KAFKA_PROTOCOL',
        ({ correlationId, body }) => ({ raw: frameOf(correlationId + 1_000, body) }),
      ],
      [
        'answers with half an answer, as a whole one',
        'KAFKA_PROTOCOL',
        ({ body }) => ({ body: body.subarray(0, body.length / 2) }),
      ],
      [
        'closes in the middle of an answer',
        'KAFKA_UNREACHABLE',
        ({ correlationId, body }) => ({ raw: frameOf(correlationId, body).subarray(0, 200), close: true }),
      ],
      ['closes instead of answering', 'KAFKA_UNREACHABLE', () => 'close'],
      ['never answers', 'KAFKA_UNREACHABLE', () => 'silence'],
    ];

    test.each(TRICKS)('(%s) is left and asked again by a new connection', async (what, code, trick) => {
      const requestTimeoutMs = what === 'never answers' ? 500 : 30_000;
      await start({ cluster: { requestTimeoutMs } }, fill(20));
      rig.fake.onReply = replyToFetch({ 2: trick });
      rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
      await rig.caughtUp(0);
      expect(rig.fetcher.stats()).toMatchObject({ failures: 1, halted: 0 });
      const [line] = rig.log.lines.filter(({ message }) => message.startsWith('no answer'));
      expect(line?.fields.error).toMatchObject({ code });
      expect(String(line?.fields.broker)).toContain('127.0.0.1');
    });

    test('whose answer for one lane is always above the cap loses that lane, named, and no other', async () => {
      await start({ partitions: 3 }, fill(20));
      rig.fake.onReply = ({ apiKey }) => {
        const asked = rig.fake.fetches.at(-1)?.request.partitions ?? [];
        return apiKey === API.fetch && asked.some(({ partition }) => partition === 1)
          ? lengthOnly(2 ** 30)
          : undefined;
      };
      for (const partition of [0, 1, 2]) rig.fetcher.addLane({ partition, incarnation: 1, offset: 0n });
      const error = await rig.halted(1);
      expect(error).toMatchObject({ code: 'BATCH_TOO_LARGE', remedy: 'raise fetch.response_bytes_max' });
      await rig.caughtUp(0, 2);
    });

    test('that leaves a lane out of its answer is asked for it again', async () => {
      await start({}, fill(5));
      rig.fake.onReply = replyToFetch({ 1: () => ({ body: Buffer.alloc(14) }) });
      rig.fetcher.addLane({ partition: 0, incarnation: 1, offset: 0n });
      await rig.caughtUp(0);
      expect(rig.fetcher.stats().errors).toBe(1);
    });
  });
});

test('a password that is wrong is told as such, and is not in the error', async () => {
  rig = await Rig.start({}, fill(1));
  rig.fake.credentials = { ...CREDENTIALS, password: 'another' };
  const refused = BrokerConnection.open({
    host: '127.0.0.1',
    port: rig.fake.broker(1).port,
    clientId: 'test',
    security: SASL,
    responseBytesMax: 2 ** 20,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    closing: new AbortController().signal,
  });
  const error = await refused.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'KAFKA_AUTH', remedy: expect.stringMatching(/check kafka.security/) });
  expect(String(error)).not.toContain(CREDENTIALS.password);
});

test('records of an answer hold until the next request, over plain TCP', async () => {
  rig = await Rig.start({}, fill(20, 3_000));
  const connection = await BrokerConnection.open({
    host: '127.0.0.1',
    port: rig.fake.broker(1).port,
    clientId: 'test',
    security: {},
    responseBytesMax: 2 ** 20,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
    closing: new AbortController().signal,
  });
  const { topics } = await connection.send(fetchApi, {
    maxWaitMs: 1,
    minBytes: 1,
    bytesMax: 2 ** 20,
    isolation: 'read_uncommitted',
    topic: 'clicks',
    rack: '',
    partitions: [{ partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, partitionBytesMax: 2 ** 20 }],
  });
  await new Promise((resolve) => setImmediate(resolve));
  const { records } = topics[0]!.partitions[0]!;
  const bytes = new Uint8Array(records.length);
  records.copyTo(bytes);
  const sent = Buffer.concat(rig.fake.partitions[0]!.batches.map((batch) => batch.bytes));
  expect(sent.equals(bytes)).toBe(true);
  connection.close();
});
