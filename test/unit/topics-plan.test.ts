import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  compareOther,
  compareTopic,
  isFault,
  reassignment,
  type TopicState,
} from '#src/commands/topics/compare-topic.js';
import { isDone } from '#src/commands/topics/create.js';
import {
  forDevelopment,
  loadTopicPlan,
  type PlannedTopic,
  parseTopicPlan,
} from '#src/commands/topics/planned-topics.js';
import { refuseTooSmall } from '#src/commands/topics/report.js';
import type { Setting } from '#src/kafka/admin.js';

const DAY_MS = 86_400_000;
const commands = { brokers: ['k:9092'], file: null };
const planned: PlannedTopic = {
  name: 'clicks',
  is: 'events',
  partitions: 3,
  replicationFactor: 2,
  settings: { 'min.insync.replicas': '2', 'retention.ms': String(7 * DAY_MS), 'compression.type': 'lz4' },
};

/** As planned, unless told otherwise. */
function stateOf(
  replicas: number[][] = [
    [1, 2],
    [2, 3],
    [3, 1],
  ],
  settings: Record<string, string> = {},
): TopicState {
  const own = ([name, value]: [string, string]): [string, Setting] => [
    name,
    { value, readOnly: false, from: 'topic' },
  ];
  return {
    partitions: replicas.map((ids, partition) => ({
      partition,
      leader: ids[0]!,
      replicas: ids,
      inSync: ids,
    })),
    settings: new Map(Object.entries({ ...planned.settings, ...settings }).map(own)),
  };
}

function effects(state: TopicState | null): string[] {
  return compareTopic(planned, state, {}, commands).map(({ what, effect }) => `${effect} ${what}`);
}

describe('the shipped plan', () => {
  it('has the topics of both models, and of each those that the engine names', () => {
    const { topics, why } = loadTopicPlan(null, []);
    const brief = topics.map(({ name, partitions, replicationFactor, settings }) => [
      name,
      partitions,
      replicationFactor,
      settings['cleanup.policy'],
      settings['compression.type'],
      Number(settings['retention.ms']) / DAY_MS,
    ]);
    expect(brief).toEqual([
      ['clickstream_events', 30, 3, 'delete', 'lz4', 7],
      ['clickstream_events_enriched', 30, 3, 'delete', 'lz4', 7],
      ['clickstream_events_dlq', 10, 3, 'delete', undefined, 30],
      ['clickstream_events_positions', 1, 3, 'compact', undefined, Number.NaN],
      ['clickstream_events_dlq_replays', 1, 3, 'compact', undefined, Number.NaN],
      ['web_clicks', 20, 3, 'delete', 'producer', 7],
      ['web_clicks_enriched', 20, 3, 'delete', 'producer', 7],
      ['web_clicks_dlq', 10, 3, 'delete', 'producer', 30],
      ['web_clicks_positions', 1, 3, 'compact', undefined, Number.NaN],
      ['web_clicks_dlq_replays', 1, 3, 'compact', undefined, Number.NaN],
    ]);
    expect(topics.map(({ settings }) => settings['min.insync.replicas'])).toEqual(Array(10).fill('2'));
    expect(topics[0]!.settings['segment.bytes']).toBe(String(2 ** 30));
    // whatever differs, somebody can be told why it matters
    const named = topics.flatMap(({ settings }) => Object.keys(settings));
    expect(Object.keys(why).sort()).toEqual(
      [...new Set([...named, 'partitions', 'replication_factor'])].sort(),
    );
  });

  it('can be taken in part, and says what was meant', () => {
    expect(loadTopicPlan(null, ['web_clicks']).topics).toHaveLength(1);
    expect(() => loadTopicPlan(null, ['web_click'])).toThrow(
      expect.objectContaining({ code: 'USAGE', remedy: 'did you mean web_clicks?' }),
    );
  });
});

it.each([
  ['topics: [', /not YAML/],
  ['topics: {a: {partitions: 0, replication_factor: 1, settings: {}}}', /topics → a → partitions: .*>=1/],
  ['topics: {"a b": {partitions: 1, replication_factor: 1, settings: {}}}', /topics → a b: .*/],
  ['topics: {a: {partitions: 1, replicas: 1, settings: {}}}', /replication_factor: /],
  ['topics: {a: {partitions: 1, replication_factor: 1, settings: {Retention: 1}}}', /not a topic setting/],
  [
    'topics: {a: {partitions: 1, replication_factor: 1, settings: {min.insync.replicas: 2}}}',
    /settings → min.insync.replicas: is more than the 1 copies/,
  ],
])('a plan that is wrong is refused with the place: %s', (text, says) => {
  expect(() => parseTopicPlan(text, 'mine.yaml')).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(says) }),
  );
  expect(() => parseTopicPlan(text, 'mine.yaml')).toThrow(/^mine\.yaml: /);
});

it('a plan that can’t be read is a wrong setting', () => {
  expect(() => loadTopicPlan('/nowhere.yaml', [])).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', exitCode: 78 }),
  );
});

describe('a topic beside its plan', () => {
  it('as planned does not differ, and one that is missing is to be made', () => {
    expect(effects(stateOf())).toEqual([]);
    expect(effects(null)).toEqual(['make topic']);
    expect(compareTopic(planned, null, {}, { ...commands, file: 'mine.yaml' })[0]).toMatchObject({
      found: 'does not exist',
      mend: 'headrace topics create --brokers k:9092 --file mine.yaml clicks',
    });
  });

  it.each([
    ['raise retention.ms', { 'retention.ms': '1000' }],
    ['lower retention.ms', { 'retention.ms': String(30 * DAY_MS) }],
    ['lower retention.ms', { 'retention.ms': '-1' }],
    ['raise min.insync.replicas', { 'min.insync.replicas': '1' }],
    ['change compression.type', { 'compression.type': 'gzip' }],
  ])('knows what is to %s', (effect, settings) => {
    expect(effects(stateOf(undefined, settings))).toEqual([effect]);
  });

  it('says why, and the command', () => {
    const state = stateOf(undefined, { 'retention.ms': '1000' });
    expect(compareTopic(planned, state, { 'retention.ms': 'time to mend' }, commands)).toEqual([
      {
        topic: 'clicks',
        what: 'retention.ms',
        found: '1000',
        wanted: '604800000',
        effect: 'raise',
        why: 'time to mend',
        mend: 'kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name clicks --add-config retention.ms=604800000',
      },
    ]);
  });

  it('with fewer partitions or copies is unfit, with more it is not', () => {
    expect(effects(stateOf([[1, 2]]))).toEqual(['add partitions']);
    expect(effects(stateOf([[1, 2], [2], [3, 1]]))).toEqual(['copies replication_factor']);
    // a write must not wait for copies that are not there
    const weak = { 'min.insync.replicas': '1' };
    expect(effects(stateOf([[1], [2], [3]], weak))).toEqual([
      'copies replication_factor',
      'copies min.insync.replicas',
    ]);
    const three = [1, 2, 3];
    const larger = compareTopic(planned, stateOf([three, three, three, three]), {}, commands);
    expect(larger.map(({ what, effect }) => `${effect} ${what}`)).toEqual([
      'more partitions',
      'more replication_factor',
    ]);
    expect(larger.some(isFault)).toBe(false);
  });

  it('names the partitions that are behind or without a leader, and the brokers they lack', () => {
    const state = stateOf();
    const [first, second, third] = state.partitions;
    const partitions = [{ ...first!, inSync: [1] }, { ...second!, leader: -1, inSync: [] }, third!];
    const found = compareTopic(planned, { ...state, partitions }, {}, commands);
    expect(found).toMatchObject([
      { what: 'leaders', found: 'none of partition 1; brokers 2, 3 away' },
      { what: 'in-sync replicas', found: 'partition 0 without broker 2', why: expect.stringMatching(/./) },
    ]);
  });
});

it('of topics that nobody planned Kafka’s own should have their copies, and all be in sync', () => {
  const { partitions } = stateOf([[1], [2]]);
  const own = { errorCode: 0, name: '__consumer_offsets', isInternal: true, partitions };
  expect(compareOther(own, 3, commands)).toMatchObject([
    {
      found: '1',
      wanted: '3',
      effect: 'copies',
      mend: expect.stringMatching(/^headrace topics plan .* __consumer_offsets --reassignment > /),
    },
  ]);
  expect(compareOther(own, 1, commands)).toEqual([]);
  expect(compareOther({ ...own, name: 'other', isInternal: false }, 3, commands)).toEqual([]);
  const behind = partitions.map((each) => ({ ...each, replicas: [1, 2], inSync: [1] }));
  const other = { ...own, name: 'other', isInternal: false, partitions: behind };
  expect(compareOther(other, 3, commands)).toMatchObject([{ topic: 'other', effect: 'sync' }]);
});

it('create makes and raises, and does the rest only when it is told to', () => {
  const all = ['make', 'raise', 'lower', 'change', 'add', 'copies', 'sync', 'more'] as const;
  const done = (changeToo: boolean, addPartitions: boolean) =>
    all.filter((effect) => isDone({ effect }, { changeToo, addPartitions }));
  expect(done(false, false)).toEqual(['make', 'raise']);
  expect(done(true, false)).toEqual(['make', 'raise', 'lower', 'change']);
  expect(done(false, true)).toEqual(['make', 'raise', 'add']);
});

describe('fewer brokers than copies', () => {
  const plan = parseTopicPlan(readFileSync('config/kafka/topics.yaml', 'utf8'), null);

  it('are refused', () => {
    expect(() => refuseTooSmall(plan.topics, 3)).not.toThrow();
    expect(() => refuseTooSmall([], 1)).not.toThrow();
    expect(() => refuseTooSmall(plan.topics, 2)).toThrow(
      expect.objectContaining({
        code: 'KAFKA_REFUSED',
        exitCode: 78,
        message: '10 topics are to have 3 copies, and 2 brokers answer',
      }),
    );
    expect(() => refuseTooSmall([planned], 1)).toThrow('a topic is to have 2 copies, and one broker answers');
  });

  it.each([
    [1, 1, '1'],
    [2, 2, '1'],
    [3, 3, '2'],
    [5, 3, '2'],
  ])('for development, %i brokers make %i copies of which %s are enough', (brokers, copies, enough) => {
    const [topic] = forDevelopment(plan, brokers).topics;
    expect([topic!.replicationFactor, topic!.settings['min.insync.replicas']]).toEqual([copies, enough]);
    expect(topic!.settings['retention.ms']).toBe(String(7 * DAY_MS));
  });
});

it('a reassignment keeps the replicas that there are, first ones first, and adds where the fewest are', () => {
  const state = stateOf([[2], [2], [1, 2], [3, 2, 1]]);
  expect(reassignment('clicks', state, [1, 2, 3], 3)).toEqual({
    version: 1,
    partitions: [
      { topic: 'clicks', partition: 0, replicas: [2, 3, 1] },
      { topic: 'clicks', partition: 1, replicas: [2, 3, 1] },
      { topic: 'clicks', partition: 2, replicas: [1, 2, 3] },
      { topic: 'clicks', partition: 3, replicas: [3, 2, 1] },
    ],
  });
});
