import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CommittedRecord, committedRecords } from '../support/committed-records.js';
import type { EngineProcess } from '../support/engine-process.js';
import { committedOffsets, endOffsets, SpineProducer } from '../support/spine-kafka.js';
import { goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents, readSpineTable } from '../support/spine-table.js';

/** The topics that follow the table, on a real broker, held against the table and the records that were sent. */
const PARTITIONS = 2;
const RUN_MS_MAX = 60_000;
const TEST_MS_MAX = 180_000;
const HOUR_MS = 3_600_000;

let small: SmallKafka;

beforeAll(async () => {
  small = await SmallKafka.start();
}, TEST_MS_MAX);

afterAll(() => small?.close());

/** A source topic and the three that follow. */
async function makeTopics(name: string): Promise<void> {
  await small.createTopic(name, PARTITIONS);
  await small.createTopic(`${name}_enriched`, 3);
  await small.createTopic(`${name}_dlq`, 1);
  await makePositions(name);
}

async function makePositions(name: string): Promise<void> {
  const config = { 'cleanup.policy': 'compact' };
  await small.cluster.createTopic({ name: `${name}_positions`, partitions: 1, config });
}

async function deleteTopic(name: string): Promise<void> {
  const server = ['--bootstrap-server', small.cluster.bootstrap];
  await small.cluster.tool('org.apache.kafka.tools.TopicCommand', [...server, '--delete', '--topic', name]);
}

async function engineWith(
  name: string,
  settings = '',
  flags: string[] = [],
  untilEnd = true,
): Promise<EngineProcess> {
  const file = join(small.folder, `${name}-${settings.length}.yaml`);
  await writeFile(file, `cut_interval: 200ms\nsnapshot_interval: 1s\nworkers: 2\noutput: {}\n${settings}`);
  return small.engine(name, { untilEnd, flags: ['--config', file, ...flags] });
}

/** Sessions of users in both partitions, each an hour behind the one before, so that rows come out on the way. */
async function produceSessions(topic: string, from: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => {
    const at = from + index;
    return Array.from({ length: 6 }, (__, user) =>
      goodRecord(`user-${at}-${user}`, at * HOUR_MS + user, user % PARTITIONS),
    );
  });
  await small.produce(topic, records.flat());
}

const output = (topic: string) => committedRecords(small.cluster.bootstrap, `${topic}_enriched`, 3);
const rowOf = ({ value }: CommittedRecord) => JSON.parse(value!.toString()) as Record<string, unknown>;

/** The table's rows in the words of the topic. */
async function tableRows(topic: string): Promise<string[]> {
  const { rows } = await readSpineTable(small.lakeOf(topic));
  const times = new Set(['session_start', 'session_end', 'created_at']);
  return rows
    .map(({ session_date: _, ...row }) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => {
          if (typeof value === 'bigint') return [name, `${value}`];
          return [name, times.has(name) ? new Date(value as number).toISOString() : value];
        }),
      ),
    )
    .map(canonical)
    .sort();
}

function canonical(row: Record<string, unknown>): string {
  return JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))));
}

async function expectTopicEqualsTable(topic: string): Promise<CommittedRecord[]> {
  const records = await output(topic);
  const [sent, rows] = [records.map((record) => canonical(rowOf(record))).sort(), await tableRows(topic)];
  expect({ sent: sent.length, different: new Set(sent).size }).toEqual({
    sent: rows.length,
    different: rows.length,
  });
  expect(sent).toEqual(rows);
  for (const record of records) expect(record.key!.toString()).toBe(rowOf(record).user_id);
  return records;
}

describe.sequential('the output topics', { timeout: TEST_MS_MAX }, () => {
  let engines: EngineProcess[] = [];
  beforeEach(({ onTestFailed }) => {
    engines = [];
    onTestFailed(() => {
      for (const engine of engines) console.log(engine.tail());
    });
  });
  const engine = async (...args: Parameters<typeof engineWith>) => {
    const made = await engineWith(...args);
    engines.push(made);
    return made;
  };

  it.each([
    ['classic', 'whole'],
    ['consumer', 'modern'],
  ])(
    'hold the rows of the table, keyed by the session key, and dead letters as they came (group protocol %s)',
    async (protocol, topic) => {
      await makeTopics(topic);
      await produceSessions(topic, 0, 30);
      const bytes = Buffer.from([0xff, 0x00, 0x7b, 0xfe]);
      await small.produce(topic, [
        { key: 'k', value: bytes, timestampMs: goodRecord('x', 0, 0).timestampMs, partition: 1 },
      ]);
      const result = await (await engine(topic, '', ['--group-protocol', protocol])).result(RUN_MS_MAX);
      const records = await expectTopicEqualsTable(topic);
      expect(records.length).toBeGreaterThanOrEqual(180);
      expect(result).toMatchObject({ output: { rows: records.length, letters: 1, behind: 0 } });
      const letters = await committedRecords(small.cluster.bootstrap, `${topic}_dlq`, 1);
      expect(letters).toHaveLength(1);
      expect(letters[0]!.key!.toString()).toBe('k');
      expect(letters[0]!.value).toEqual(bytes);
      expect(letters[0]!.headers).toMatchObject({
        reason: 'malformed',
        topic,
        partition: '1',
        offset: '90',
      });
      expect(letters[0]!.headers.detail).toBeTruthy();
      const ends = await endOffsets(small.cluster.bootstrap, topic, PARTITIONS);
      expect(await committedOffsets(small.cluster.bootstrap, topic, topic, PARTITIONS)).toEqual(ends);
    },
  );

  it('hold each row once when an engine is killed again and again', async () => {
    await makeTopics('killed');
    for (let life = 0; life < 5; life++) {
      await produceSessions('killed', life * 20, 20);
      const before = await committedEvents(small.lakeOf('killed'));
      const doomed = await engine('killed', '', ['--log-level', 'debug'], false);
      await doomed.until(
        'something is committed',
        async () => (await committedEvents(small.lakeOf('killed'))) > before,
      );
      await sleep(life * 120);
      await doomed.kill();
    }
    await (await engine('killed')).result(2 * RUN_MS_MAX);
    await expectTopicEqualsTable('killed');
  });

  it('hold each row once when another producer takes the engine’s transactional id, again and again', async () => {
    await makeTopics('fenced');
    const running = await engine('fenced', 'kafka: {instance_id: one}\n', [], false);
    for (let turn = 0; turn < 4; turn++) {
      const before = (await output('fenced')).length;
      await produceSessions('fenced', turn * 20, 20);
      await running.until('more is in the topic', async () => (await output('fenced')).length > before);
      const other = new SpineProducer(small.cluster.bootstrap, {
        'transactional.id': 'headrace/fenced/fenced/one',
      });
      await other.connect();
      await other.close();
    }
    await running.untilSays(/"output_event_lag_ms":\d+/);
    await running.stop(RUN_MS_MAX);
    expect(running.output).toMatch(/the output topic does not get on/);
    await (await engine('fenced')).result(RUN_MS_MAX);
    await expectTopicEqualsTable('fenced');
  });

  it('hold each row once when an engine is frozen, another takes its lanes, and it thaws', async () => {
    await makeTopics('frozen');
    const cold = await engine('frozen', '', [], false);
    await produceSessions('frozen', 0, 20);
    await cold.until('rows are in the topic', async () => (await output('frozen')).length > 0);
    await produceSessions('frozen', 20, 20);
    const seen = await committedEvents(small.lakeOf('frozen'));
    await cold.until('more is committed', async () => (await committedEvents(small.lakeOf('frozen'))) > seen);
    cold.signal('SIGSTOP');
    const heir = await engine('frozen', '', [], false);
    await heir.untilSays(/lanes assigned/);
    await produceSessions('frozen', 40, 20);
    await heir.until('it goes on', async () => (await committedEvents(small.lakeOf('frozen'))) >= 360);
    cold.signal('SIGCONT');
    await produceSessions('frozen', 60, 20);
    await heir.until('all is committed', async () => (await committedEvents(small.lakeOf('frozen'))) >= 480);
    await Promise.all([cold, heir].map((each) => each.stop(RUN_MS_MAX)));
    await (await engine('frozen')).result(RUN_MS_MAX);
    await expectTopicEqualsTable('frozen');
  });

  it('hold each row once while engines join and leave', async () => {
    await makeTopics('shared');
    const lake = small.lakeOf('shared');
    const first = await engine('shared', '', [], false);
    await produceSessions('shared', 0, 20);
    await first.until('something is committed', async () => (await committedEvents(lake)) > 0);
    const second = await engine('shared', '', [], false);
    for (let turn = 1; turn < 8; turn++) await produceSessions('shared', turn * 20, 20);
    await second.untilSays(/lanes assigned/);
    await produceSessions('shared', 160, 20);
    await first.stop(RUN_MS_MAX);
    await produceSessions('shared', 180, 20);
    await second.until('all is committed', async () => (await committedEvents(lake)) >= 1_200);
    await second.stop(RUN_MS_MAX);
    await (await engine('shared')).result(RUN_MS_MAX);
    await expectTopicEqualsTable('shared');
  });

  it('that are not there are named with the command that makes them, and the lake goes on', async () => {
    await small.createTopic('alone', PARTITIONS);
    await produceSessions('alone', 0, 10);
    const running = await engine('alone', '', [], false);
    await running.untilSays(
      /kafka-topics\.sh[^\n]*--create --topic alone_enriched[^\n]*alone_positions[^\n]*cleanup\.policy=compact/,
    );
    await running.until(
      'all is committed',
      async () => (await committedEvents(small.lakeOf('alone'))) === 60,
    );
    await small.createTopic('alone_positions', 1);
    await small.createTopic('alone_enriched', 3);
    await small.createTopic('alone_dlq', 1);
    await running.untilSays(
      /OUTPUT_UNFIT[^\n]*kafka-configs\.sh[^\n]*alone_positions --add-config cleanup\.policy=compact/,
    );
    await deleteTopic('alone_positions');
    await makePositions('alone');
    await running.untilSays(/is back/);
    await running.stop(RUN_MS_MAX);
    await (await engine('alone')).result(RUN_MS_MAX);
    await expectTopicEqualsTable('alone');
  });

  it('whose positions are gone halt by name, and go on where the operator says', async () => {
    await makeTopics('gone');
    await produceSessions('gone', 0, 10);
    await (await engine('gone')).result(RUN_MS_MAX);
    const before = await output('gone');
    await deleteTopic('gone_positions');
    await makePositions('gone');
    await produceSessions('gone', 10, 10);
    const halted = await engine('gone');
    expect(await halted.exit(RUN_MS_MAX)).toMatchObject({ code: 75 });
    expect(halted.output).toMatch(/OUTPUT_HALTED[^\n]*gone_positions[^\n]*--missing-position latest/);
    expect(await output('gone')).toEqual(before);
    await (await engine('gone', '', ['--missing-position', 'latest'])).result(RUN_MS_MAX);
    expect(await output('gone')).toEqual(before);
    await produceSessions('gone', 20, 10);
    await (await engine('gone')).result(RUN_MS_MAX);
    expect((await output('gone')).length).toBeGreaterThan(before.length);
  });
});
