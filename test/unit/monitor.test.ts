import { describe, expect, it } from 'vitest';
import { figuresFrom } from '#src/commands/monitor/agent.js';
import { evaluate, parseCheck } from '#src/commands/monitor/checks.js';
import { type AgentFigures, figuresOf, type Look } from '#src/commands/monitor/figures.js';
import { agentOf } from '#src/commands/monitor/look.js';
import { viewText } from '#src/commands/monitor/view.js';
import { coloursFor } from '#src/telemetry/progress.js';

const AGENT: AgentFigures = {
  messagesInPerSecond: 500,
  bytesInPerSecond: 70_000,
  bytesOutPerSecond: 140_000,
  requestsPerSecond: 25,
  underReplicatedPartitions: 1,
};

function look(atMs: number, end: bigint, agent: AgentFigures | null = null): Look {
  const partition = { start: 10n, end, bytes: Number(end) * 100 };
  return {
    atMs,
    brokers: [1, 2].map((id) => ({ id, address: `b${id}:9092`, logBytes: 5_000, agent })),
    topics: [
      {
        name: 'events',
        partitions: [
          { partition: 0, leader: 1, replicas: [1, 2], inSync: [1, 2], ...partition },
          { partition: 1, leader: 2, replicas: [2, 1], inSync: [2], ...partition },
        ],
      },
    ],
    groups: [
      {
        id: 'sessions',
        state: 'STABLE',
        committed: [
          { topic: 'events', partition: 0, offset: 40n },
          { topic: 'events', partition: 1, offset: 90n },
        ],
      },
    ],
    producers: [],
    troubles: [],
  };
}

describe('figures', () => {
  it('of two looks have rates by the growth of offsets and logs', () => {
    const { topics, totals, overSeconds } = figuresOf(look(3_000, 100n), look(1_000, 60n));
    expect(overSeconds).toBe(2);
    expect(topics[0]).toMatchObject({
      records: 180,
      recordsPerSecond: 40,
      bytesPerSecond: 4_000,
      underReplicated: 1,
    });
    expect(totals).toMatchObject({ messagesInPerSecond: 40, bytesOutPerSecond: null, ratesFrom: 'protocol' });
  });

  it('of one look have none', () => {
    const { totals, overSeconds } = figuresOf(look(3_000, 100n), null);
    expect({ overSeconds, rate: totals.messagesInPerSecond }).toEqual({ overSeconds: null, rate: null });
  });

  it('take rates from agents where every broker has one', () => {
    expect(figuresOf(look(3_000, 100n, AGENT), look(1_000, 60n)).totals).toMatchObject({
      messagesInPerSecond: 1_000,
      bytesOutPerSecond: 280_000,
      requestsPerSecond: 50,
      ratesFrom: 'agent',
    });
    const half = look(3_000, 100n, AGENT);
    half.brokers[1]!.agent = null;
    expect(figuresOf(half, look(1_000, 60n)).totals).toMatchObject({
      messagesInPerSecond: 40,
      ratesFrom: 'protocol',
    });
  });

  it('have the lag of each partition, none below zero, and none where the end is not known', () => {
    const { groups } = figuresOf(look(3_000, 80n), null);
    expect(groups[0]).toMatchObject({ lag: 40, partitions: [{ lag: 40 }, { lag: 0 }] });
    const unknown = look(3_000, 80n);
    unknown.topics[0]!.partitions[1]!.end = null;
    expect(figuresOf(unknown, null).groups[0]).toMatchObject({ lag: null });
  });
});

describe('a check', () => {
  const figures = figuresOf(look(3_000, 100n), look(1_000, 60n));

  it.each([
    ['under-replicated=1', true, 1],
    ['under-replicated = 0', false, 1],
    ['offline==0', true, 0],
    ['brokers>=2', true, 2],
    ['lag<70', false, 70],
    ['lag<=70', true, 70],
    ['lag:sessions!=71', true, 70],
    ['lag:nobody<1', false, null],
    ['messages-in>39.5', true, 40],
    ['bytes-out<1000000', false, null],
    ['requests<1000000', false, null],
  ])('%s holds: %s', (text, holds, found) => {
    expect(evaluate(parseCheck(text), figures)).toMatchObject({ check: text, holds, found });
  });

  it('of what is not known says why', () => {
    expect(evaluate(parseCheck('requests<1'), figures).reason).toMatch(/--metrics/);
    expect(evaluate(parseCheck('lag:nobody<1'), figures).reason).toBe('there is no group nobody');
  });

  it.each([
    ['lagg<1', /knows no figure lagg — did you mean lag\?/],
    ['lag', /not of the form/],
    ['lag<ten', /not of the form/],
    ['offline:sessions=0', /only lag is asked of one group/],
  ])('%s is refused', (text, message) => {
    let said = '';
    try {
      parseCheck(text);
    } catch (error) {
      said = String(error);
    }
    expect(said).toMatch(message);
  });
});

describe('an agent', () => {
  it.each([
    [['9404'], 'b2:9404'],
    [['x:1', 'y:2'], 'y:2'],
    [['2=y:2', '1=x:1'], 'y:2'],
    [['1=x:1'], undefined],
    [[], undefined],
  ])('of the second broker by --metrics %s is %s', (metrics, agent) => {
    expect(agentOf(metrics, { nodeId: 2, host: 'b2', index: 1 })).toBe(agent);
  });

  it('is read by the names of our rules, whatever else it says', () => {
    const text = [
      '# HELP kafka_broker_messages_in_per_second x',
      'kafka_broker_messages_in_per_second 12.5',
      'kafka_broker_requests_per_second{request="Fetch",version="17"} 2.0',
      'kafka_broker_requests_per_second{request="Produce",version="12"} 0.5',
      'kafka_broker_under_replicated_partitions 4.0',
      'jvm_threads_state{state="WAIT\\"ING"} NaN',
    ].join('\n');
    expect(figuresFrom(text)).toEqual({
      messagesInPerSecond: 12.5,
      bytesInPerSecond: 0,
      bytesOutPerSecond: 0,
      requestsPerSecond: 2.5,
      underReplicatedPartitions: 4,
    });
  });
});

describe('the view', () => {
  it('says what each figure comes from, what is not known, and which checks fail', () => {
    const figures = figuresOf({ ...look(3_000, 100n), troubles: ['groups: no answer'] }, look(1_000, 60n));
    const text = viewText(figures, [evaluate(parseCheck('lag<5'), figures)], coloursFor({}));
    expect(text).toMatch(/2 brokers · 1 under-replicated · 0 offline · 40 records\/s/);
    expect(text).toMatch(/Brokers \(protocol; rates by broker need the JMX agent, see --metrics\)/);
    expect(text).toMatch(/sessions {2}STABLE +70 {2}events\/0 60, events\/1 10/);
    expect(text).toMatch(/not known: groups: no answer/);
    expect(text).toMatch(/FAILED {2}lag<5 \(70\)/);
  });
});
