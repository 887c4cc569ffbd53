import { describe, expect, it } from 'vitest';
import { main } from '#src/commands/cli.js';
import * as kafkaExamples from '#src/commands/kafka/examples.js';
import * as topicsExamples from '#src/commands/topics/examples.js';
import { type LoadBrokersOptions, resolveBrokers } from '#src/config/load-brokers.js';

const ENGINE_FILE = 'kafka: {brokers: ["k-1:9092", "k-2:9092"], topic: t}\nmodel: clickstream\n';

/** A command line with commands that only note what they were asked for. */
async function headrace(args: string[]) {
  const asked: Record<string, unknown>[] = [];
  let stderr = '';
  const note = (name: string) => async (options: object) => {
    asked.push({ name, ...options });
    return 0;
  };
  const code = await main(args, {
    stdout: () => undefined,
    stderr: (text) => {
      stderr += text;
    },
    loadBrokers: ({ file, flags }: LoadBrokersOptions) =>
      resolveBrokers(file === undefined ? undefined : { name: file, text: ENGINE_FILE }, flags),
    kafkaLoaders: { check: async () => ({ kafkaCheck: note('kafka check') }) },
    topicsLoaders: {
      plan: async () => ({ topicsPlan: note('plan') }),
      create: async () => ({ topicsCreate: note('create') }),
      check: async () => ({ topicsCheck: note('check') }),
      describe: async () => ({ topicsDescribe: note('describe') }),
    },
  });
  return { code, stderr, asked };
}

describe('headrace topics', () => {
  it('needs brokers and nothing else: a flag, or those of an engine’s file', async () => {
    const { asked } = await headrace([
      'topics',
      'plan',
      '--brokers',
      'a:1,b:2',
      'web_clicks',
      'web_clicks_dlq',
    ]);
    expect(asked[0]).toMatchObject({
      name: 'plan',
      brokers: ['a:1', 'b:2'],
      topics: ['web_clicks', 'web_clicks_dlq'],
      file: null,
      development: false,
      reassignment: false,
      json: false,
    });
    const fromFile = await headrace([
      'topics',
      'check',
      '--config',
      'engine.yaml',
      '--file',
      'p.yaml',
      '--json',
    ]);
    expect(fromFile.asked[0]).toMatchObject({
      name: 'check',
      brokers: ['k-1:9092', 'k-2:9092'],
      topics: [],
      file: 'p.yaml',
      json: true,
    });
    const both = await headrace(['topics', 'check', '--config', 'engine.yaml', '--brokers', 'a:1']);
    expect(both.asked[0]).toMatchObject({ brokers: ['a:1'] });
  });

  it('create lowers nothing and adds no partitions unless it is told to', async () => {
    const plain = await headrace(['topics', 'create', '--brokers', 'a:1']);
    expect(plain.asked[0]).toMatchObject({ changeToo: false, addPartitions: false, development: false });
    const flags = ['--change-too', '--add-partitions', '--development'];
    const told = await headrace(['topics', 'create', '--brokers', 'a:1', ...flags]);
    expect(told.asked[0]).toMatchObject({ changeToo: true, addPartitions: true, development: true });
  });

  it.each([
    [[], /--brokers.*for example: --brokers localhost:9092$/m],
    [['--brokers', 'kafka'], /"kafka" has no port: write kafka:9092/],
  ])('with brokers %j ends with 78', async (flags, says) => {
    const { code, stderr, asked } = await headrace(['topics', 'describe', ...flags]);
    expect({ code, asked }).toEqual({ code: 78, asked: [] });
    expect(stderr).toMatch(says);
  });
});

describe('headrace kafka check', () => {
  it('compares with the standard profile unless another is named', async () => {
    const plain = await headrace(['kafka', 'check', '--brokers', 'a:1']);
    expect(plain.asked[0]).toMatchObject({
      profile: 'standard',
      development: false,
      json: false,
      file: null,
    });
    const named = await headrace(['kafka', 'check', '--brokers', 'a:1', '--profile', 'throughput', '--json']);
    expect(named.asked[0]).toMatchObject({ profile: 'throughput', json: true });
    const { code, stderr } = await headrace(['kafka', 'check', '--brokers', 'a:1', '--profile', 'fast']);
    expect(code).toBe(64);
    expect(stderr).toMatch(/--profile must be standard or throughput, not fast/);
  });
});

const lines = Object.values({ ...kafkaExamples, ...topicsExamples }).flatMap((text) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('  headrace '))
    .map((line) => line.trim().replace(/ {3,}(?![ -]).*| > .*/, '')),
);

it.each(lines)('the example `%s` works', async (line) => {
  const { code, stderr, asked } = await headrace(line.split(' ').slice(1));
  expect({ code, stderr, asked: asked.length }).toEqual({ code: 0, stderr: '', asked: 1 });
});
