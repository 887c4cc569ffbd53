import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClickstreamProducer } from '#src/producer/clickstream-producer.js';
import { NEWEST_KAFKA, OLDEST_KAFKA, TOO_OLD_KAFKA } from '../../config/setup/kafka-jars.mjs';
import { releaseOf } from '../../native-bench/kafka-cluster/release.js';
import { EngineProcess, type RunResult } from '../support/engine-process.js';
import { FakeLog } from '../support/fake-log.js';
import type { OracleSession } from '../support/oracle.js';
import { runCommandLine } from '../support/run-command.js';
import { expectEqual, report } from '../support/spine-checks.js';
import { SpineProducer } from '../support/spine-kafka.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { CLICKSTREAM } from '../support/spine-model.js';
import { SpinePlace } from '../support/spine-place.js';
import { committedEvents, sessionsIn } from '../support/spine-table.js';
import { SMALL_SETTINGS, SpineTopic } from '../support/spine-topic.js';

/**
 * The same with brokers of several releases: an engine reads, shares partitions, follows into ClickHouse and into topics by
 * transactions, and its table is what the oracle says; the producer library, `produce` and the commands that ask brokers work.
 * HEADRACE_BROKERS names releases (`npm run test:fault -- compatibility` has all); without it the oldest and the newest.
 */
const VERSIONS = process.env.HEADRACE_BROKERS?.split(',') ?? [OLDEST_KAFKA, NEWEST_KAFKA];
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
const EVENTS = 50_000;
const HOUR_MS = 3_600_000;
const RUN_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const SENT = 4_000;
const PRODUCED = 10_000;

const supported = VERSIONS.filter((version) => version !== TOO_OLD_KAFKA);

describe.sequential.each(supported)('Kafka %s', { timeout: TEST_MS_MAX }, (version) => {
  const release = releaseOf(version);
  const groups = ['classic', ...(release.hasConsumerProtocol ? ['consumer'] : [])];
  let place: SpinePlace;
  let spine: SpineTopic<OracleSession>;

  beforeAll(async () => {
    console.log(`HEADRACE_SEED=${SEED}`);
    place = await SpinePlace.open({ brokers: 1, version });
    const profile = { seed: SEED, users: 7_000, events: EVENTS, spanMs: 9 * HOUR_MS };
    spine = await SpineTopic.create(place, CLICKSTREAM, profile, groups, groups);
  }, TEST_MS_MAX);

  afterAll(async () => {
    await spine?.close();
    await place?.close();
  });

  beforeEach(({ onTestFailed }) => {
    const before = spine.enginesStarted;
    onTestFailed(() => console.log(spine.tails(before), place.cluster.logTail(1, 20)));
  });

  it.each(groups)(
    'two engines share it by the protocol %s, and all three sinks equal the oracle',
    async (group) => {
      const lake = spine.lakeOf(group);
      const yaml = `${SMALL_SETTINGS}kafka: { group_protocol: ${group} }\n${spine.outputOf(group)!.yaml}`;
      const flags = await spine.patientFlags(group, yaml);
      const first = spine.engine(group, { flags });
      await first.until('something is committed', async () => (await committedEvents(lake)) > 0, RUN_MS_MAX);
      const second = spine.engine(group, { flags });
      await spine.produceSecondHalf();
      await second.untilSays(/lanes assigned/, RUN_MS_MAX);
      await first.until(
        'most is committed',
        async () => (await committedEvents(lake)) > EVENTS / 2,
        RUN_MS_MAX,
      );
      await first.stop(RUN_MS_MAX);
      await second.until(
        'nearly all is committed',
        async () => (await committedEvents(lake)) > 0.9 * EVENTS,
        RUN_MS_MAX,
      );
      await second.stop(RUN_MS_MAX);
      report(`Kafka ${version}`, await spine.engine(group, { flags, untilEnd: true }).result(RUN_MS_MAX));
      const sound = { undisturbed: false };
      await expectEqual(spine, group, await spine.sessions(), await spine.ends(), sound);
    },
  );

  it.each(release.hasConsumerProtocol ? [] : ['KIP-848'])(
    '%s is refused at the start, with what to set',
    async () => {
      const engine = spine.engine('classic', { flags: ['--group-protocol', 'consumer'] });
      expect(await engine.exit(RUN_MS_MAX), engine.tail()).toEqual({ code: 69, signal: null });
      expect(engine.output).toMatch(/KAFKA_TOO_OLD: the brokers do not speak.*--group-protocol\) to classic/);
    },
  );

  /** A bounded run over a topic of its own, into a table of its own, without other sinks. */
  async function readWhole(topic: string): Promise<RunResult> {
    const lake = spine.lakeOf(topic);
    const log = join(place.folder, `engine-${topic}`);
    const brokers = place.cluster.bootstrap;
    const engine = new EngineProcess({ brokers, topic, group: topic, lake, log, untilEnd: true });
    return await engine.result(RUN_MS_MAX);
  }

  const topicOf = (name: string, partitions: number) =>
    place.cluster.createTopic({ name, partitions, config: { 'retention.ms': -1 } });

  it('what was rolled back is not counted', async () => {
    const topic = 'in_transactions';
    await topicOf(topic, 1);
    const producer = new SpineProducer(place.cluster.bootstrap, { 'transactional.id': 'one' });
    await producer.connect();
    for (const user of ['aborted', 'committed', 'aborted-too', 'committed-too']) {
      await producer.begin();
      await producer.send(
        topic,
        [0, 1, 2].map((second) => goodRecord(user, second * 1_000, 0)),
      );
      await producer.flush();
      await (user.startsWith('aborted') ? producer.abort() : producer.commit());
    }
    await producer.close();
    expect(await readWhole(topic)).toMatchObject({ events: 6, deadLetters: 0 });
    expect(await sessionsIn(spine.lakeOf(topic))).toEqual(['committed 3', 'committed-too 3']);
  });

  it('what the producer library sends is there where it says, and is read', async () => {
    const topic = 'sent_by_library';
    await topicOf(topic, 3);
    const producer = new ClickstreamProducer({
      brokers: place.cluster.bootstrap,
      topic,
      log: new FakeLog(),
      connectTimeoutMs: 120_000,
    });
    await producer.connect();
    const timestamp = new Date().toISOString();
    const sent = Array.from({ length: SENT }, (_, id) =>
      producer.send({ timestamp, user_id: `user-${id % 100}`, event_type: 'click' }),
    );
    const places = (await Promise.all(sent)).map(({ partition, offset }) => `${partition}:${offset}`);
    await producer.close();
    expect(new Set(places).size).toBe(SENT);
    expect(await readWhole(topic)).toMatchObject({ events: SENT, deadLetters: 0, haltedLanes: 0 });
  });

  it.each(['client', 'bulk'])('what produce sends by %s is there once, and is read', async (sender) => {
    const topic = `sent_by_${sender}`;
    await topicOf(topic, 3);
    const load = ['--sender', sender, '--count', String(PRODUCED), '--rate', 'max', '--workers', '1'];
    const flags = [
      '--brokers',
      place.cluster.bootstrap,
      '--model',
      'clickstream',
      '--topic',
      topic,
      '--json',
    ];
    const done = await runCommandLine(['produce', ...flags, ...load]);
    expect(done.code, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ complete: true, sent: PRODUCED });
    expect(await readWhole(topic)).toMatchObject({ events: PRODUCED, deadLetters: 0, haltedLanes: 0 });
  });

  it('the commands that ask brokers are answered', async () => {
    const brokers = ['--brokers', place.cluster.bootstrap];
    const named = ['--topic', CLICKSTREAM.topic, '--group', 'classic', '--model', 'clickstream'];
    const table = ['--lake', spine.lakeOf('classic')];
    const done = async (args: string[], code = 0) => {
      const result = await runCommandLine(args);
      expect({ args, ...result }).toMatchObject({ code });
      return result.stdout;
    };
    expect(await done(['check', ...brokers, ...named, ...table])).toMatch(/^ok {6}reading/m);
    expect(await done(['ledger', 'verify', ...brokers, ...named, ...table])).toMatch(/Equal/);
    const looked = JSON.parse(await done(['monitor', ...brokers, '--once', '--json']));
    // the library asks for offsets of several groups at once, which brokers know from 3.0 on
    const troubles = version.startsWith('2.') ? ['groups: Listing consumer group offsets failed.'] : [];
    expect(looked).toMatchObject({ totals: { brokers: 1, underReplicated: 0 }, troubles });
    const made = JSON.parse(
      await done(['topics', 'create', ...brokers, 'web_clicks', '--development', '--json']),
    );
    expect(made).toMatchObject({ done: [{ effect: 'make' }], left: [] });
    expect(await done(['topics', 'describe', ...brokers, 'web_clicks'])).toMatch(/web_clicks/);
    // one broker differs from what is recommended, which is an answer: all was asked
    expect(await done(['kafka', 'check', ...brokers], 1)).toMatch(/min\.insync\.replicas/);
  });
});

const tooOld = VERSIONS.filter((version) => version === TOO_OLD_KAFKA);

describe.each(tooOld)('Kafka %s', { timeout: TEST_MS_MAX }, (version) => {
  it('is refused at the start, with the releases that will do', async () => {
    const kafka = await SmallKafka.start({ version });
    try {
      const engine = kafka.engine('any');
      expect(await engine.exit(RUN_MS_MAX), engine.tail()).toEqual({ code: 69, signal: null });
      expect(engine.output).toMatch(
        /KAFKA_TOO_OLD: the broker does not speak Metadata version 10.*2\.8 to 4\.x/,
      );
    } finally {
      await kafka.close();
    }
  });
});
