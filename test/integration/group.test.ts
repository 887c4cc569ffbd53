import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#src/clock.js';
import { Producer } from '#src/kafka/producer.js';
import { GroupProcess, type GroupProcessOptions, type MemberEvent } from '../support/group-process.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';

/** Longer than any wait of these tests: lanes that change hands were handed over, not timed out. */
const SESSION_TIMEOUT_MS = 60_000;
const PARTITIONS = 8;
const RECORDS = 2_000;

let cluster: KafkaCluster;
let members: GroupProcess[] = [];
let groups = 0;

beforeAll(async () => {
  cluster = await startKafkaCluster({
    brokers: 1,
    // any would do: so the other settings that ship have been started too
    profile: 'throughput',
    properties: {
      'group.consumer.session.timeout.ms': SESSION_TIMEOUT_MS,
      'group.consumer.heartbeat.interval.ms': 1_000,
      'group.consumer.min.heartbeat.interval.ms': 1_000,
    },
  });
  await cluster.createTopic({ name: 'events', partitions: PARTITIONS });
  await fill('events');
});

afterEach(async () => {
  await Promise.all(members.map((member) => member.end()));
  members = [];
});

afterAll(async () => {
  await cluster?.stop();
});

async function fill(topic: string): Promise<void> {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const producer = new Producer({
    brokers: cluster.bootstrap,
    clientId: 'test',
    log: quiet,
    clock: systemClock,
  });
  await producer.connect();
  for (let sent = 0; sent < RECORDS; sent += 1) {
    producer.produce(topic, sent % PARTITIONS, null, Buffer.from(`record ${sent}`), 1_700_000_000_000);
  }
  await producer.flush(30_000);
  await producer.close();
  expect(producer.delivered).toBe(RECORDS);
}

/** A group of its own per test; members of one test share it. */
function nextGroup(): string {
  groups += 1;
  return `group-${groups}`;
}

function member(groupId: string, options: Partial<GroupProcessOptions> = {}): GroupProcess {
  const started = new GroupProcess({
    brokers: cluster.bootstrap,
    topic: 'events',
    groupId,
    clientId: 'test',
    protocol: 'classic',
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    extra: { 'heartbeat.interval.ms': 500 },
    ...options,
  });
  members.push(started);
  return started;
}

const saw = (type: MemberEvent['type']) => (events: MemberEvent[]) =>
  events.some((event) => event.type === type);
const logged = (part: string) => (events: MemberEvent[]) =>
  events.some(({ type, message, fields }) => type === 'log' && `${message} ${fields}`.includes(part));

describe.each([
  { protocol: 'classic', extra: { 'heartbeat.interval.ms': 500 } },
  { protocol: 'consumer', extra: {} },
] as const)('a group by the $protocol protocol', (options) => {
  it('moves lanes both ways and hands them over at once when a member leaves', async () => {
    const groupId = nextGroup();
    const first = member(groupId, options);
    await first.untilOwned(PARTITIONS);
    const second = member(groupId, options);
    await second.untilOwned(PARTITIONS / 2);
    await first.untilOwned(PARTITIONS / 2);
    expect([...first.owned, ...second.owned].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await first.call('leave');
    expect(first.owned).toEqual([]);
    await second.untilOwned(PARTITIONS);
    expect(await second.call('assignment')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('gives a lane away only after its revoke was released', async () => {
    const groupId = nextGroup();
    const first = member(groupId, { ...options, holdRevokes: true });
    await first.untilOwned(PARTITIONS);
    const second = member(groupId, options);
    await first.until('a revoke', saw('revoked'));
    for (let offset = 1; offset <= 20; offset += 1) {
      const still = await first.call('assignment');
      expect(still).toHaveLength(PARTITIONS);
      await first.call('commit', [{ partition: 0, offset }]);
    }
    expect(second.owned).toEqual([]);
    await first.call('release');
    await second.untilOwned(PARTITIONS / 2);
    expect(await first.call('assignment')).toEqual(first.owned);
  });

  it('answers a revoke that is never released after its time-out, and says that the lanes are lost', async () => {
    const groupId = nextGroup();
    const first = member(groupId, { ...options, holdRevokes: true, revokeTimeoutMs: 1_000 });
    await first.untilOwned(PARTITIONS);
    const second = member(groupId, options);
    await second.untilOwned(PARTITIONS / 2);
    await first.until('lost', saw('lost'));
    await first.until('the report', logged('not released before'));
  });

  it('keeps commits with their metadata for whoever asks, and refuses those of lanes that are not owned', async () => {
    const groupId = nextGroup();
    const first = member(groupId, options);
    await first.untilOwned(PARTITIONS);
    const offsets = [
      { partition: 3, offset: 120, metadata: 'v=7 état' },
      { partition: 5, offset: 99 },
    ];
    expect(await first.call('commit', offsets)).toBe('committed');
    await first.call('leave');
    expect(await first.call('commit', [{ partition: 3, offset: 1 }])).toBe('stale');
    const second = member(groupId, options);
    await second.untilOwned(PARTITIONS);
    expect(await second.call('committed', [0, 3, 5])).toEqual([
      { partition: 3, offset: '120', metadata: 'v=7 état' },
      { partition: 5, offset: '99', metadata: '' },
    ]);
    expect(await second.call('commit', [{ partition: PARTITIONS, offset: 1 }])).toBe('stale');
  });

  it('brings no message, and fetches nothing once it is paused, join after join', async () => {
    for (let join = 0; join < 3; join += 1) {
      const reader = member(nextGroup(), {
        ...options,
        extra: { ...options.extra, 'statistics.interval.ms': 50 },
      });
      await reader.untilOwned(PARTITIONS);
      // Each commit is a round trip with the broker: time enough for a fetch to show, were there one.
      const commits = async () => {
        for (let offset = 1; offset <= 20; offset += 1)
          await reader.call('commit', [{ partition: 0, offset }]);
      };
      await commits();
      // Assigning and pausing are two calls: once in dozens of joins one request to the one broker slips between.
      const settled = (await reader.call('stray')) as { requests: number; messages: number };
      expect(settled.messages).toBe(0);
      expect(settled.requests).toBeLessThanOrEqual(1);
      await commits();
      expect(await reader.call('stray')).toEqual(settled);
      await reader.end();
    }
  });
});

describe('a group member in trouble', () => {
  it('loses its lanes when another takes its instance id, and joins anew', async () => {
    const groupId = nextGroup();
    const first = member(groupId, { instanceId: 'engine-1' });
    await first.untilOwned(PARTITIONS);
    const second = member(groupId, { instanceId: 'engine-1' });
    await first.until('lost', saw('lost'));
    await second.end();
    await first.untilOwned(PARTITIONS);
    expect(await first.call('commit', [{ partition: 0, offset: 5 }])).toBe('committed');
  });

  it('says which topic is missing and starts when it is there', async () => {
    const waiting = member(nextGroup(), { topic: 'later' });
    await waiting.until('the missing topic', logged('"topic":"later"'));
    await cluster.createTopic({ name: 'later', partitions: 2 });
    await waiting.untilOwned(2);
  });

  it('outlives the broker', async () => {
    const survivor = member(nextGroup());
    await survivor.untilOwned(PARTITIONS);
    await cluster.killBroker(1, 'SIGTERM');
    await survivor.until('the broker missed', logged('no Kafka broker answers'));
    await cluster.startBroker(1);
    await survivor.until('the broker back', logged('answers again'));
    await survivor.untilOwned(PARTITIONS);
    await expect
      .poll(() => survivor.call('commit', [{ partition: 0, offset: 9 }]), { timeout: 40_000 })
      .toBe('committed');
  });
});
