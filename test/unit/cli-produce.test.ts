import { describe, expect, it } from 'vitest';
import { main } from '#src/commands/cli.js';
import { MONITOR_EXAMPLES } from '#src/commands/monitor/examples.js';
import type { MonitorOptions } from '#src/commands/monitor/monitor.js';
import { PRODUCE_EXAMPLES } from '#src/commands/produce/examples.js';
import type { ProduceOptions } from '#src/commands/produce/produce.js';

/** `headrace produce` and `headrace monitor` with commands that only note what they were asked for. */
async function headrace(args: string[]) {
  const ran = { code: -1, stderr: '', produce: [] as ProduceOptions[], monitor: [] as MonitorOptions[] };
  const note =
    <T>(list: T[]) =>
    async (options: T) => {
      list.push(options);
      return 0;
    };
  ran.code = await main(args, {
    produceLoader: async () => ({ produceCommand: note(ran.produce) }),
    monitorLoader: async () => ({ monitorCommand: note(ran.monitor) }),
    stdout: () => undefined,
    stderr: (text) => {
      ran.stderr += text;
    },
  });
  return ran;
}

const PRODUCE = ['produce', '--brokers', 'b:9092', '--model', 'clickstream'];

describe('headrace produce', () => {
  it('without more makes ten thousand events a second for a minute', async () => {
    const { code, produce } = await headrace(PRODUCE);
    expect(code).toBe(0);
    expect(produce[0]).toMatchObject({
      brokers: ['b:9092'],
      topic: 'clickstream_events',
      sender: 'client',
      rate: 10_000,
      records: 600_000,
      users: null,
      sessions: 'journeys',
      seed: 1,
      speed: null,
      startMs: null,
      dirt: { disordered: 0, late: 0, duplicated: 0, malformed: 0, future: 0 },
    });
  });

  it.each([
    [['--rate', 'max'], /with --rate max it needs --count/],
    [['--rate', 'fast'], /--rate must be a number/],
    [['--count', '5', '--duration', '5s'], /--count or --duration, not both/],
    [['--duration', '5'], /--duration: /],
    [['--sender', 'blk'], /--sender must be client or bulk, not blk — did you mean bulk\?/],
    [['--late', '0.6', '--malformed', '0.5'], /the shares of dirt are more than all records/],
    [['--rate', 'max', '--count', '5', '--speed', '2'], /--speed needs a --rate/],
    [['--start', 'yesterday'], /--start must be a time such as/],
  ])('refuses %j', async (more, message) => {
    const { code, stderr, produce } = await headrace([...PRODUCE, ...more]);
    expect({ code, produce }).toEqual({ code: 64, produce: [] });
    expect(stderr).toMatch(message);
  });
});

describe('headrace monitor', () => {
  it('with a check looks once', async () => {
    const { monitor } = await headrace([
      'monitor',
      '--brokers',
      'b:9092',
      '--check',
      'lag<10',
      '--check',
      'offline=0',
    ]);
    expect(monitor[0]).toMatchObject({
      once: true,
      intervalMs: 1_000,
      checks: [{ figure: 'lag' }, { figure: 'offline' }],
    });
  });

  it('refuses what is no agent', async () => {
    const { code, stderr } = await headrace(['monitor', '--brokers', 'b:9092', '--metrics', 'agent']);
    expect(code).toBe(64);
    expect(stderr).toMatch(/--metrics must be a port, id=host:port or host:port, not agent/);
    const mixed = await headrace(['monitor', '--brokers', 'b:9092', '--metrics', '1=a:1,b:2']);
    expect(mixed.code).toBe(64);
    expect(mixed.stderr).toMatch(/name the broker of every agent, or of none/);
    const agents = await headrace(['monitor', '--brokers', 'b:9092', '--metrics', '2=a:1,1=b:2']);
    expect(agents.monitor[0]).toMatchObject({ metrics: ['2=a:1', '1=b:2'], producers: [] });
  });
});

const lines = [PRODUCE_EXAMPLES, MONITOR_EXAMPLES].flatMap((text) =>
  text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.startsWith('  headrace '))
    .map((line) => line.trim()),
);

it.each(lines)('the example `%s` works', async (line) => {
  const words = line.match(/'[^']*'|\S+/g)!.map((word) => word.replace(/^'(.*)'$/, '$1'));
  const { code, stderr } = await headrace(words.slice(1));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
