import { describe, expect, it } from 'vitest';
import { HeadraceError } from '#src/errors.js';
import type { LibrdkafkaConfig } from '#src/kafka/librdkafka.js';
import { ClickstreamProducer } from '#src/producer/clickstream-producer.js';
import type { ClickstreamEvent } from '#src/producer/events.js';
import type { ProducerOptions } from '#src/producer/producer-options.js';
import { FakeProducerClient } from '../support/fake-producer-client.js';
import { ManualClock, RecordingLog, settle } from '../support/group-fakes.js';

const TOPIC = 'clickstream_events';

function event(user: string, more: Partial<ClickstreamEvent> = {}): ClickstreamEvent {
  return { timestamp: '1970-01-01T00:00:00Z', user_id: user, event_type: 'page_view', ...more };
}

function rig(options: Partial<ProducerOptions> = {}, partitions = 4) {
  const client = new FakeProducerClient(options.topic ?? TOPIC, partitions);
  const clock = new ManualClock();
  const log = new RecordingLog();
  const configs: LibrdkafkaConfig[] = [];
  const createClient = (config: LibrdkafkaConfig) => {
    configs.push(config);
    return client;
  };
  const producer = new ClickstreamProducer({ brokers: 'b:1', log, ...options }, { clock, createClient });
  return { producer, client, clock, log, configs };
}

async function connected(options: Partial<ProducerOptions> = {}, partitions = 4) {
  const made = rig(options, partitions);
  await made.producer.connect();
  return made;
}

/** The code and the whole line of what a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<{ code: string; line: string }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HeadraceError);
  return { code: (error as HeadraceError).code, line: String(error) };
}

/** Room for three of these events. */
const THREE = { 'queue.buffering.max.messages': 3 };

describe('an event', () => {
  it('is answered with its partition, its offset and how long it took', async () => {
    const { producer, client, clock } = await connected();
    const sent = ['ann', 'ann', 'ben'].map((user) => producer.send(event(user)));
    await clock.advance(7);
    client.deliverAll();
    const [first, second, third] = await Promise.all(sent);
    expect(first).toEqual({ partition: client.records[0]!.partition, offset: 0, latencyMs: 7 });
    expect(second).toEqual({ ...first, offset: 1 });
    expect(third!.partition).toBe(client.records[2]!.partition);
    expect(JSON.parse(client.records[2]!.value.toString())).toEqual(event('ben'));
  });

  it('is read when it is sent, and may change afterwards', async () => {
    const { producer, client } = await connected();
    const mine = event('ann');
    const sent = producer.send(mine);
    mine.user_id = 'ben';
    client.deliverAll();
    await sent;
    expect(client.records[0]!.key.toString()).toBe('ann');
  });

  it.each([
    [{ user_id: undefined }, 'missing_field', /user_id is missing/],
    [{ timestamp: 'yesterday' }, 'wrong_type', /timestamp is not of type time/],
    [{ geo: { latitude: '1' } }, 'wrong_type', /geo\.latitude is not of type number/],
    [{ timestamp: '1970-01-01T01:00:01Z' }, 'future', /1000 ms ahead|3601000 ms ahead/],
    [{ size: 1n }, 'malformed', /no JSON form/],
  ])('that the engine would refuse is refused: %o', async (wrong, reason, says) => {
    const { producer, client } = await connected();
    const { code, line } = await failure(
      producer.send(event('ann', { event_id: 'e1', ...wrong } as unknown as ClickstreamEvent)),
    );
    expect(code).toBe('EVENT_INVALID');
    expect(line).toMatch(says);
    expect(line).toContain(`reason=${reason} event_id=e1`);
    expect(client.records).toEqual([]);
    expect(producer.metrics()).toMatchObject({ refused: 1, sent: 0, failed: 0, inFlight: 0 });
  });

  it.each([null, 'text', [], undefined])('that is no object is refused: %o', async (wrong) => {
    const { producer } = await connected();
    expect((await failure(producer.send(wrong as unknown as ClickstreamEvent))).code).toBe('EVENT_INVALID');
  });

  it('of web_clicks is keyed by session_id', async () => {
    const client = new FakeProducerClient('web_clicks', 20);
    const producer = new ClickstreamProducer(
      { brokers: ['b:1'], model: 'web_clicks', log: new RecordingLog() },
      { clock: new ManualClock(), createClient: () => client },
    );
    await producer.connect();
    expect([producer.topic, producer.keyField, producer.partitions]).toEqual([
      'web_clicks',
      'session_id',
      20,
    ]);
    const click = { timestamp: '1970-01-01T00:00:00Z', session_id: 's1', user_id: 7, event_type: 'search' };
    const sent = producer.send(click);
    expect((await failure(producer.send({ ...click, user_id: -1 }))).code).toBe('EVENT_INVALID');
    client.deliverAll();
    await sent;
    expect(client.records.map(({ key }) => key.toString())).toEqual(['s1']);
  });
});

describe('a full buffer', () => {
  it('makes send() wait, in order, and loses nothing', async () => {
    const { producer, client } = await connected({ overrides: THREE }, 1);
    const sent = Array.from({ length: 10 }, (_, i) => producer.send(event('ann', { event_id: `e${i}` })));
    expect(client.records.length).toBe(3);
    expect(producer.metrics()).toMatchObject({ inFlight: 3, waiting: 7 });
    expect(producer.hasRoom).toBe(false);
    while (client.records.some(({ outcome }) => outcome === null)) client.deliverAll();
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual([...Array(10).keys()]);
    expect(producer.hasRoom).toBe(true);
  });

  it('is counted in bytes too', async () => {
    const { producer, client } = await connected({ overrides: { 'queue.buffering.max.kbytes': 1 } }, 1);
    const size = 400;
    const sent = [1, 2, 3].map(() => producer.sendBytes('k', Buffer.alloc(size)));
    expect(client.records.length).toBe(2);
    expect(producer.metrics()).toMatchObject({
      bufferTotalBytes: 1024,
      bufferAvailableBytes: 1024 - 2 * size,
    });
    client.deliverAll();
    client.deliverAll();
    await Promise.all(sent);
    expect(producer.metrics().bufferAvailableBytes).toBe(1024);
    const large = producer.sendBytes('k', Buffer.alloc(5_000));
    client.deliverAll();
    expect((await large).offset).toBe(3);
  });

  it('keeps a copy of what waits', async () => {
    const { producer, client } = await connected({ overrides: THREE }, 1);
    const bytes = Buffer.from('first');
    const sent = [1, 2, 3, 4].map(() => producer.sendBytes('k', bytes));
    sent.push(producer.send(event('ann')), producer.send(event('ben')));
    bytes.fill('x');
    client.deliverAll();
    client.deliverAll();
    await Promise.all(sent);
    const values = client.records.map(({ value }) => value.toString());
    expect(values.slice(0, 4)).toEqual(Array(4).fill('first'));
    expect(values.slice(4).map((value) => JSON.parse(value).user_id)).toEqual(['ann', 'ben']);
  });

  it("waits when it is the client's queue that is full, too", async () => {
    const { producer, client } = await connected({}, 1);
    client.messagesMax = 1;
    const sent = [producer.send(event('ann')), producer.send(event('ann'))];
    expect(producer.metrics()).toMatchObject({ inFlight: 1, waiting: 1 });
    client.deliverAll();
    client.deliverAll();
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual([0, 1]);
  });

  it('refuses who has waited for maxBlockMs, and never sends that event', async () => {
    const { producer, client, clock } = await connected({ overrides: THREE, maxBlockMs: 500 }, 1);
    const first = [1, 2, 3].map(() => producer.send(event('ann')));
    const waiting = failure(producer.send(event('ben')));
    await clock.advance(499);
    expect(producer.metrics().waiting).toBe(1);
    await clock.advance(2);
    const { code, line } = await waiting;
    expect([code, line]).toEqual([
      'PRODUCER_BUFFER_FULL',
      expect.stringMatching(/for 0\.5 s.*untilRoom\(\)/),
    ]);
    client.deliverAll();
    await Promise.all(first);
    expect(client.records.length).toBe(3);
    const later = producer.send(event('ben'));
    client.deliverAll();
    expect((await later).offset).toBe(3);
  });

  it('refuses at once who sends on regardless, when as much waits as may', async () => {
    const { producer, client } = await connected({ overrides: THREE }, 1);
    const sent = Array.from({ length: 10_003 }, () => producer.send(event('ann')));
    expect(producer.metrics()).toMatchObject({ inFlight: 3, waiting: 10_000 });
    expect((await failure(producer.send(event('ann')))).code).toBe('PRODUCER_BUFFER_FULL');
    while (client.records.some(({ outcome }) => outcome === null)) client.deliverAll();
    expect((await Promise.all(sent)).at(-1)!.offset).toBe(10_002);
  });

  it('says when there is room again', async () => {
    const { producer, client } = await connected({ overrides: { 'queue.buffering.max.messages': 4 } }, 1);
    await producer.untilRoom();
    const sent = [1, 2, 3, 4].map(() => producer.send(event('ann')));
    let told = false;
    const room = producer.untilRoom().then(() => {
      told = true;
    });
    await settle();
    expect(told).toBe(false);
    client.transmit(0, 1);
    client.answer(0);
    await room;
    client.deliverAll();
    await Promise.all(sent);
  });
});

describe('a failure', () => {
  it.each([
    [10, 'EVENT_TOO_LARGE', /raise both limits/],
    [19, 'KAFKA_MIN_ISR', /not written.*min\.insync\.replicas/],
    [20, 'KAFKA_MIN_ISR', /may be in the topic all the same/],
    [3, 'KAFKA_TOPIC_MISSING', /create it/],
    [29, 'KAFKA_AUTH', /WRITE/],
    [32, 'KAFKA_PROTOCOL', /clocks/],
    [-150, 'KAFKA_PROTOCOL', /make a new one/],
    [-151, 'PRODUCER_CLOSED', /closed before/],
  ])('of code %i is %s and says what to do', async (code, expected, says) => {
    const { producer, client, log } = await connected({}, 1);
    const sent = failure(producer.send(event('ann')));
    client.transmit(0, 1);
    client.answer(0, code);
    const { code: got, line } = await sent;
    expect([got, line]).toEqual([expected, expect.stringMatching(says)]);
    expect(line).toContain('topic=clickstream_events partition=0');
    expect(producer.metrics()).toMatchObject({ failed: 1, sent: 0, inFlight: 0 });
    expect(log.with('not delivered').length).toBe(1);
  });

  it('of one event is not that of the others, though a time-out overtakes what is under way', async () => {
    const { producer, client } = await connected({ overrides: { 'security.protocol': 'ssl' } }, 1);
    const sent = ['a', 'b', 'c', 'd'].map((id) =>
      producer.send(event('ann', { event_id: id.repeat(id.charCodeAt(0) - 96) })),
    );
    client.transmit(0, 2);
    client.timeOut(0, 1);
    client.answer(0);
    client.deliverAll();
    const settled = await Promise.allSettled(sent);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.offset] : []))).toEqual([
      0, 1, 2,
    ]);
  });

  it('at produce is the one event’s: too large', async () => {
    const { producer, client } = await connected({}, 1);
    client.refuses = 10;
    const { code, line } = await failure(producer.send(event('ann')));
    expect([code, line]).toEqual(['EVENT_TOO_LARGE', expect.stringContaining('bytes=')]);
    client.refuses = null;
    const sent = producer.send(event('ann'));
    client.deliverAll();
    expect((await sent).offset).toBe(0);
  });

  it.each([
    ['no broker answers', null, 'KAFKA_UNREACHABLE', /no broker answers/],
    ['the partition has no leader', { leader: -1, isrs: [] }, 'KAFKA_UNREACHABLE', /no leader/],
    ['no replica is in sync', { leader: 1, isrs: [] }, 'KAFKA_UNREACHABLE', /no leader/],
    ['replicas are out of sync', { leader: 1, isrs: [1] }, 'KAFKA_MIN_ISR', /1 of 3 replicas/],
    ['all is well now', { leader: 1, isrs: [1, 2, 3] }, 'DELIVERY_TIMED_OUT', /after 120 s/],
  ])('by time-out says why, as the cluster is now: %s', async (_, partition, expected, says) => {
    const { producer, client } = await connected({ overrides: { 'security.protocol': 'ssl' } }, 1);
    const sent = failure(producer.send(event('ann')));
    client.metadata =
      partition === null
        ? { code: -185, message: 'Local: Timed out' }
        : {
            brokers: [],
            topics: [{ name: TOPIC, partitions: [{ id: 0, replicas: [1, 2, 3], ...partition }] }],
          };
    client.timeOut(0, 1);
    const { code, line } = await sent;
    expect([code, line]).toEqual([expected, expect.stringMatching(says)]);
    expect(line).toMatch(/may be in the topic all the same/);
  });
});

describe('connect()', () => {
  it('says that no broker answers, and may be called again', async () => {
    const { producer, client } = rig({ connectTimeoutMs: 2_000 });
    const metadata = client.metadata;
    client.metadata = { code: -195, message: 'Local: Broker transport failure' };
    const { code, line } = await failure(producer.connect());
    expect([code, line]).toEqual([
      'KAFKA_UNREACHABLE',
      expect.stringMatching(/within 2 s.*brokers=b:1.*check that/),
    ]);
    expect(client.disconnected).toBe(true);
    client.metadata = metadata;
    await producer.connect();
    expect(producer.partitions).toBe(4);
  });

  it('tells a refused login from a broker that is down', async () => {
    const { producer, client } = rig();
    client.metadata = { code: -195, message: 'Local: Broker transport failure' };
    client.connect = (_options, done) => {
      client.emit('event.error', new Error('Local: Authentication failure'));
      done(null, {});
    };
    expect((await failure(producer.connect())).code).toBe('KAFKA_AUTH');
  });

  it('waits a little for a topic that was just made, and says when there is none', async () => {
    const { producer, client, clock } = rig();
    const metadata = client.metadata;
    client.metadata = { brokers: [], topics: [{ name: TOPIC, partitions: [] }] };
    const first = failure(producer.connect());
    for (let i = 0; i < 20; i++) await clock.advance(200);
    expect(await first).toMatchObject({
      code: 'KAFKA_TOPIC_MISSING',
      line: expect.stringMatching(/create it/),
    });
    const second = producer.connect();
    await clock.advance(200);
    client.metadata = metadata;
    await clock.advance(200);
    await second;
  });

  it('comes before send()', async () => {
    const { producer, configs } = rig();
    expect(await failure(producer.send(event('ann')))).toMatchObject({
      code: 'PRODUCER_CLOSED',
      line: expect.stringMatching(/await connect\(\)/),
    });
    await Promise.all([producer.connect(), producer.connect()]);
    expect(configs.length).toBe(1);
    await producer.close();
    expect((await failure(producer.connect())).code).toBe('PRODUCER_CLOSED');
  });
});

describe('flush()', () => {
  it('waits for what was sent before it, delivered or failed, and for nothing after it', async () => {
    const { producer, client } = await connected({}, 1);
    const first = [failure(producer.send(event('ann'))), producer.send(event('ann', { event_id: 'second' }))];
    let flushed = false;
    const flush = producer.flush().then(() => {
      flushed = true;
    });
    void producer.send(event('ann', { event_id: 'the third' }));
    client.transmit(0, 1);
    client.answer(0, 19);
    await settle();
    expect(flushed).toBe(false);
    client.transmit(0, 1);
    client.answer(0);
    await flush;
    await Promise.all(first);
    expect(producer.metrics().inFlight).toBe(1);
    client.deliverAll();
    await producer.flush();
  });
});

describe('close()', () => {
  it('waits for what was sent, what waits in line included, and takes nothing more', async () => {
    const { producer, client, log } = await connected({ overrides: THREE }, 1);
    const sent = Array.from({ length: 5 }, () => producer.send(event('ann')));
    const closed = producer.close();
    expect(await failure(producer.send(event('ann')))).toMatchObject({
      code: 'PRODUCER_CLOSED',
      line: expect.stringMatching(/was not sent.*make a new producer/),
    });
    client.deliverAll();
    client.deliverAll();
    await Promise.all([...sent, closed, producer.close()]);
    expect(client.disconnected).toBe(true);
    expect(log.with('producer closed')[0]!.fields).toMatchObject({ sent: 5, failed: 0, refused: 1 });
    await producer.untilRoom();
  });

  it('leaves no timer behind that would keep the process', async () => {
    let asleep = 0;
    class CountingClock extends ManualClock {
      override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
        asleep++;
        await super.sleep(ms, signal);
        asleep--;
      }
    }
    const client = new FakeProducerClient(TOPIC, 1);
    const producer = new ClickstreamProducer(
      { brokers: 'b:1', overrides: THREE, log: new RecordingLog() },
      { clock: new CountingClock(), createClient: () => client },
    );
    await producer.connect();
    const sent = Array.from({ length: 4 }, () => producer.send(event('ann')));
    expect(asleep).toBe(1);
    client.deliverAll();
    client.deliverAll();
    await Promise.all(sent);
    await producer.close();
    await settle();
    expect(asleep).toBe(0);
  });

  it('gives up at its time-out, and returns what is left to the callers', async () => {
    const { producer, clock } = await connected({ overrides: THREE }, 1);
    const sent = Array.from({ length: 5 }, () => failure(producer.send(event('ann'))));
    const closed = producer.close(1_000);
    await clock.advance(1_000);
    await closed;
    const lines = (await Promise.all(sent)).map(
      ({ code, line }) => `${code} ${/may be|was sent/.exec(line)?.[0]}`,
    );
    expect(lines).toEqual([
      ...Array(3).fill('PRODUCER_CLOSED may be'),
      ...Array(2).fill('PRODUCER_CLOSED was sent'),
    ]);
  });
});

describe('what it tells', () => {
  it('is a line every 10,000 events', async () => {
    const { producer, client, clock, log } = await connected({}, 3);
    const sent = Array.from({ length: 20_001 }, (_, i) => producer.send(event(`u${i}`)));
    await clock.advance(4);
    client.deliverAll();
    await Promise.all(sent);
    expect(log.with('events sent').map(({ fields }) => fields)).toEqual([
      { topic: TOPIC, sent: 10_000, failed: 0, average_latency_ms: 4 },
      { topic: TOPIC, sent: 20_000, failed: 0, average_latency_ms: 4 },
    ]);
  });

  it('is its metrics: latency, rates, the time of requests, and the room', async () => {
    const { producer, client, clock } = await connected({}, 1);
    const sent: Promise<unknown>[] = [];
    for (let ms = 1; ms <= 100; ms++) {
      sent.push(producer.send(event('ann')));
      await clock.advance(ms);
      client.deliverAll();
    }
    sent.push(failure(producer.send(event('ann'))));
    client.transmit(0, 1);
    client.answer(0, 19);
    await Promise.all(sent);
    client.emit('event.stats', {
      message: JSON.stringify({
        brokers: { a: { rtt: { avg: 3_000, cnt: 3 } }, b: { rtt: { avg: 1_000, cnt: 1 } } },
        topics: { [TOPIC]: { partitions: { '-1': {}, 0: {}, 1: {}, 2: { unknown: true } } } },
      }),
    });
    const metrics = producer.metrics();
    expect(metrics).toMatchObject({ sent: 100, failed: 1, requestLatencyAvg: 2.5 });
    expect(metrics.latencyMs.average).toBeCloseTo(50.5);
    for (const [share, ms] of [
      ['p50', 50],
      ['p95', 95],
      ['p99', 99],
      ['p999', 100],
      ['max', 100],
    ] as const) {
      expect(metrics.latencyMs[share]).toBeGreaterThanOrEqual(ms);
      expect(metrics.latencyMs[share]).toBeLessThanOrEqual(ms * 1.033);
    }
    // 5.05 s have passed
    expect(metrics.recordSendRate).toBeCloseTo(100 / 5.05);
    expect(metrics.recordErrorRate).toBeCloseTo(1 / 5.05);
    expect(metrics.bufferAvailableBytes).toBe(64 * 1024 * 1024);
    expect(producer.partitions).toBe(2);
    await clock.advance(60_000);
    expect(producer.metrics().recordSendRate).toBe(0);
  });
});
