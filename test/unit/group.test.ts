import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Group, type GroupOptions } from '#src/kafka/group.js';
import { FakeMember, ManualClock, RecordingLog, settle } from '../support/group-fakes.js';

const STEP_MS = 100;
const REVOKE_TIMEOUT_MS = 5_000;

let clock: ManualClock;
let log: RecordingLog;
let told: string[];
let members: FakeMember[];
let release: (() => void)[];
let left: Promise<void> | undefined;
let group: Group;

beforeEach(() => {
  clock = new ManualClock();
  log = new RecordingLog();
  told = [];
  members = [];
  release = [];
  left = undefined;
});

afterEach(async () => {
  left ??= group.leave();
  for (let turn = 0; turn < 10; turn += 1) {
    for (const done of release.splice(0)) done();
    await clock.advance(STEP_MS);
  }
  await left;
});

async function start(options: Partial<GroupOptions> = {}): Promise<FakeMember> {
  group = new Group({
    brokers: '127.0.0.1:1',
    topic: 'events',
    groupId: 'g',
    clientId: 'test',
    protocol: 'classic',
    sessionTimeoutMs: 10_000,
    revokeTimeoutMs: REVOKE_TIMEOUT_MS,
    clock,
    log,
    onAssigned: (partitions) => void told.push(`assigned ${partitions}`),
    onRevoked: async (partitions) => {
      told.push(`revoked ${partitions}`);
      await new Promise<void>((done) => release.push(done));
    },
    onLost: (partitions) => void told.push(`lost ${partitions}`),
    openMember: async () => {
      const member = new FakeMember();
      members.push(member);
      return member;
    },
    ...options,
  });
  await group.start();
  return members[0]!;
}

async function releaseAll(): Promise<void> {
  for (const done of release.splice(0)) done();
  await settle();
}

describe('a group', () => {
  it('assigns paused partitions before it tells about them', async () => {
    const member = await start();
    member.event('assign', [2, 0]);
    await clock.advance(STEP_MS);
    expect(member.calls).toEqual(['assign 2,0']);
    expect(told).toEqual(['assigned 2,0']);
    expect(group.assignment()).toEqual([0, 2]);
  });

  it('answers a revoke when its lanes are released and not before', async () => {
    const member = await start();
    member.event('assign', [0, 1]);
    await clock.advance(STEP_MS);
    member.event('revoke', [1]);
    await clock.advance(REVOKE_TIMEOUT_MS - 10 * STEP_MS);
    expect(told).toEqual(['assigned 0,1', 'revoked 1']);
    expect(member.calls).toEqual(['assign 0,1']);
    expect(group.assignment()).toEqual([0, 1]);
    await releaseAll();
    await clock.advance(STEP_MS);
    expect(member.calls).toEqual(['assign 0,1', 'unassign 1']);
    expect(group.assignment()).toEqual([0]);
    expect(told).not.toContain('lost 1');
  });

  it('answers a revoke at its time-out, reports it, and calls the lanes lost', async () => {
    const member = await start();
    member.event('assign', [0, 1]);
    await clock.advance(STEP_MS);
    member.event('revoke', [1]);
    await clock.advance(REVOKE_TIMEOUT_MS + STEP_MS);
    expect(member.calls).toEqual(['assign 0,1', 'unassign 1']);
    expect(told).toEqual(['assigned 0,1', 'revoked 1', 'lost 1']);
    expect(log.with('not released')).toHaveLength(1);
    expect(group.assignment()).toEqual([0]);
  });

  it('tells of lost lanes at once and never asks to release them', async () => {
    const member = await start();
    member.event('assign', [0, 1]);
    await clock.advance(STEP_MS);
    member.event('revoke', [0, 1], true);
    await clock.advance(STEP_MS);
    expect(told).toEqual(['assigned 0,1', 'lost 0,1']);
    expect(member.calls).toEqual(['assign 0,1', 'unassign 0,1']);
  });

  it('stops waiting for a release when the group has given the lanes away meanwhile', async () => {
    const member = await start();
    member.event('assign', [0]);
    await clock.advance(STEP_MS);
    member.event('revoke', [0]);
    await clock.advance(STEP_MS);
    member.lost = true;
    await clock.advance(STEP_MS);
    expect(told).toEqual(['assigned 0', 'revoked 0', 'lost 0']);
    expect(member.calls).toEqual(['assign 0', 'unassign 0']);
  });

  it('begins a release only after the assignment before it was dealt with', async () => {
    let assignedDone = () => {};
    const member = await start({
      onAssigned: async (partitions) => {
        told.push(`assigned ${partitions}`);
        await new Promise<void>((done) => {
          assignedDone = done;
        });
        told.push('ready');
      },
    });
    member.event('assign', [0]);
    await clock.advance(STEP_MS);
    member.event('revoke', [0]);
    await clock.advance(STEP_MS);
    expect(told).toEqual(['assigned 0']);
    assignedDone();
    await clock.advance(STEP_MS);
    expect(told).toEqual(['assigned 0', 'ready', 'revoked 0']);
  });

  it('keeps quiet about an assignment that was lost before its turn came', async () => {
    let firstDone = () => {};
    const member = await start({
      onAssigned: async (partitions) => {
        told.push(`assigned ${partitions}`);
        if (partitions.includes(0)) {
          await new Promise<void>((done) => {
            firstDone = done;
          });
        }
      },
    });
    member.event('assign', [0]);
    member.event('assign', [1]);
    member.event('revoke', [1], true);
    member.event('assign', [1]);
    await clock.advance(STEP_MS);
    firstDone();
    await clock.advance(STEP_MS);
    expect(told).toEqual(['lost 1', 'assigned 0', 'assigned 1']);
  });

  it('has all lanes released before it leaves, and commits go through meanwhile', async () => {
    const member = await start();
    member.event('assign', [0, 1]);
    await clock.advance(STEP_MS);
    left = group.leave();
    await clock.advance(STEP_MS);
    expect(told).toEqual(['assigned 0,1', 'revoked 0,1']);
    expect(await group.commit([{ partition: 1, offset: 5n }])).toBe('committed');
    expect(member.calls).toEqual(['assign 0,1']);
    await releaseAll();
    await clock.advance(STEP_MS);
    await left;
    expect(member.calls).toEqual(['assign 0,1', 'close']);
    expect(told).toEqual(['assigned 0,1', 'revoked 0,1']);
    expect(group.assignment()).toEqual([]);
  });

  it('asks for each lane once when it leaves in the middle of a revoke', async () => {
    const member = await start();
    member.event('assign', [0, 1]);
    await clock.advance(STEP_MS);
    member.event('revoke', [1]);
    await clock.advance(STEP_MS);
    left = group.leave();
    await clock.advance(STEP_MS);
    await releaseAll();
    await clock.advance(STEP_MS);
    await releaseAll();
    await clock.advance(STEP_MS);
    await left;
    expect(told).toEqual(['assigned 0,1', 'revoked 1', 'revoked 0']);
    expect(member.calls).toEqual(['assign 0,1', 'unassign 1', 'close']);
  });

  it('leaves after the time-out when lanes are not released', async () => {
    const member = await start();
    member.event('assign', [0]);
    await clock.advance(STEP_MS);
    left = group.leave();
    await clock.advance(REVOKE_TIMEOUT_MS + STEP_MS);
    await left;
    expect(told).toEqual(['assigned 0', 'revoked 0', 'lost 0']);
    expect(member.calls.at(-1)).toBe('close');
  });

  it('tells nobody about lanes that arrive while it leaves', async () => {
    const member = await start();
    member.event('assign', [0]);
    await clock.advance(STEP_MS);
    left = group.leave();
    member.event('assign', [3]);
    await clock.advance(STEP_MS);
    expect(member.calls).toContain('assign 3');
    expect(told).toEqual(['assigned 0', 'revoked 0']);
  });

  it('replaces a spent client: its lanes are lost, a held revoke is answered, a new client joins', async () => {
    const member = await start();
    member.event('assign', [0, 1]);
    await clock.advance(STEP_MS);
    member.event('revoke', [1]);
    await clock.advance(STEP_MS);
    member.fail('fatal', 'fatal error', -150);
    await clock.advance(STEP_MS);
    expect(told).toEqual(['assigned 0,1', 'revoked 1', 'lost 0,1']);
    expect(member.calls.slice(-2)).toEqual(['unassign 1', 'close']);
    await releaseAll();
    await clock.advance(2_000);
    expect(members).toHaveLength(2);
    members[1]!.event('assign', [0]);
    await clock.advance(STEP_MS);
    expect(told.at(-1)).toBe('assigned 0');
    expect(group.assignment()).toEqual([0]);
  });

  it('goes on trying when no new client can be had', async () => {
    let opened = 0;
    const member = await start({
      openMember: async () => {
        opened += 1;
        if (opened === 2) throw new Error('no threads left');
        const next = new FakeMember();
        members.push(next);
        return next;
      },
    });
    member.fail('fatal', 'fatal error', -150);
    await clock.advance(5_000);
    expect(opened).toBe(3);
    expect(log.with('no new Kafka client')).toHaveLength(1);
  });

  it('reports a failing callback and answers the revoke all the same', async () => {
    const member = await start({ onRevoked: () => Promise.reject(new Error('disk full')) });
    member.event('assign', [0]);
    await clock.advance(STEP_MS);
    member.event('revoke', [0]);
    await clock.advance(STEP_MS);
    expect(log.with('onRevoked failed')[0]?.fields).toMatchObject({ error: 'disk full' });
    expect(member.calls).toEqual(['assign 0', 'unassign 0']);
  });

  it('counts messages that it never asked for and warns once', async () => {
    const member = await start();
    member.messages = 1;
    await clock.advance(STEP_MS);
    member.messages = 2;
    await clock.advance(STEP_MS);
    expect(group.strayFetches.messages).toBe(3);
    expect(log.with('never asked for')).toHaveLength(1);
  });
});

describe('a commit', () => {
  it('leaves lanes out that are not owned and says so', async () => {
    const member = await start();
    member.event('assign', [0]);
    await clock.advance(STEP_MS);
    const offsets = [
      { partition: 0, offset: 7n, metadata: 'm' },
      { partition: 1, offset: 8n },
    ];
    expect(await group.commit(offsets)).toBe('stale');
    expect(member.commits).toEqual([[offsets[0]]]);
    expect(await group.commit([{ partition: 1, offset: 8n }])).toBe('stale');
    expect(member.commits).toHaveLength(1);
  });

  it('is stale when the group has moved on and an error when the broker does not answer', async () => {
    const member = await start();
    member.event('assign', [0]);
    await clock.advance(STEP_MS);
    member.commitAnswer = { kind: 'stale', code: 27, text: 'rebalance in progress' };
    expect(await group.commit([{ partition: 0, offset: 7n }])).toBe('stale');
    member.commitAnswer = { kind: 'unreachable', code: -185, text: 'timed out' };
    await expect(group.commit([{ partition: 0, offset: 7n }])).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
    });
  });
});

describe('trouble', () => {
  const figures = { brokersUp: 0, fetchRequests: 0, messagesReceived: 0 };

  it('with unreachable brokers is told once every five seconds, and its end once', async () => {
    const member = await start();
    member.figures = figures;
    await clock.advance(20_950);
    expect(log.with('no Kafka broker answers')).toHaveLength(5);
    member.figures = { ...figures, brokersUp: 1 };
    await clock.advance(20_000);
    expect(log.with('no Kafka broker answers')).toHaveLength(5);
    expect(log.with('answers again')).toHaveLength(1);
  });

  it('with a missing topic names it until lanes are there', async () => {
    const member = await start();
    member.figures = { ...figures, brokersUp: 1 };
    member.fail('topic', 'unknown topic or partition', 3);
    await clock.advance(10_950);
    const lines = log.with('topic does not exist');
    expect(lines).toHaveLength(3);
    expect(lines[0]?.fields).toMatchObject({ topic: 'events' });
    member.event('assign', [0]);
    await clock.advance(20_000);
    expect(log.with('topic does not exist')).toHaveLength(3);
  });

  it('with one broker of several is not worth a line', async () => {
    const member = await start();
    member.figures = { ...figures, brokersUp: 2 };
    member.fail('unreachable', 'broker transport failure', -195);
    await clock.advance(10_000);
    expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('with credentials is an error that is repeated and not called a network problem', async () => {
    const member = await start();
    member.figures = figures;
    member.fail('auth', 'authentication failure', -169);
    await clock.advance(10_950);
    expect(log.with('refuses our credentials')).toHaveLength(3);
    expect(log.with('no Kafka broker answers')).toEqual([]);
  });
});
