import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { main } from '#src/commands/cli.js';
import { parseProfile } from '#src/kafka/profiles.js';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.js';
import { type CommandResult, runCommandLine } from '../support/run-command.js';

/** One cluster for all, in this order: what costs time is the brokers. They and Kafka's tools are many JVMs on two cores. */
vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });

let cluster: KafkaCluster;
const folder = mkdtempSync(join(tmpdir(), 'headrace-cluster-test-'));

beforeAll(async () => {
  cluster = await startKafkaCluster({ brokers: 3 });
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Difference {
  topic?: string;
  brokers?: number[];
  setting?: string;
  what?: string;
  effect?: string;
  mend: string;
}

/** A command beside the cluster, in this process: a dozen of them each starting its own would cost as much as the brokers. */
async function ran(...args: string[]): Promise<CommandResult> {
  const texts = { stdout: '', stderr: '' };
  const code = await main([...args, '--brokers', cluster.bootstrap], {
    stdout: (text) => {
      texts.stdout += text;
    },
    stderr: (text) => {
      texts.stderr += text;
    },
  });
  return { code, ...texts };
}

async function headrace<T>(...args: string[]): Promise<{ code: number | null; report: T }> {
  const { code, stdout, stderr } = await ran(...args, '--json');
  expect(stderr).toBe('');
  return { code, report: JSON.parse(stdout) as T };
}

/** Carries out `kafka-configs.sh … && kafka-configs.sh …` as somebody would who copied it. */
async function carryOut(mend: string): Promise<void> {
  for (const command of mend.split(' && ')) {
    expect(command).toMatch(/^kafka-configs\.sh /);
    await cluster.tool('kafka.admin.ConfigCommand', command.split(' ').slice(1));
  }
}

function alterTopic(topic: string, settings: string): Promise<void> {
  const what = `--entity-type topics --entity-name ${topic} --add-config ${settings}`;
  return carryOut(`kafka-configs.sh --bootstrap-server ${cluster.bootstrap} --alter ${what}`);
}

const brief = ({ topic, brokers, setting, what, effect }: Difference) =>
  topic === undefined ? `${brokers} ${setting}` : `${topic} ${effect} ${what}`;

test('three brokers hold a topic, and one that restarts comes back into the in-sync sets on its port', async () => {
  await cluster.createTopic({ name: 'clicks', partitions: 6, config: { 'max.message.bytes': 2_000_000 } });
  const before = cluster.brokers.map(({ id, port, pid }) => ({ id, port, pid }));

  await cluster.killBroker(2);
  expect(cluster.brokers[1]?.pid).toBeUndefined();
  await cluster.startBroker(2);
  await cluster.untilInSync('clicks');
  await cluster.restartBroker(3);
  await cluster.untilInSync('clicks');

  const after = cluster.brokers.map(({ id, port, pid }) => ({ id, port, pid }));
  expect(after.map(({ id, port }) => ({ id, port }))).toEqual(before.map(({ id, port }) => ({ id, port })));
  expect(after.map(({ pid }, i) => pid === before[i]?.pid)).toEqual([true, false, false]);
  const description = await cluster.tool('org.apache.kafka.tools.TopicCommand', [
    '--bootstrap-server',
    cluster.bootstrap,
    '--describe',
    '--topic',
    'clicks',
  ]);
  expect(description).toMatch(
    /PartitionCount: 6\s+ReplicationFactor: 3\s+Configs: .*max\.message\.bytes=2000000/,
  );
});

test('topics are planned, made once, raised, and lowered only by order', async () => {
  const planned = await headrace<{ topics: { differences: Difference[] }[] }>('topics', 'plan');
  expect(planned.code).toBe(0);
  const toMake = planned.report.topics.flatMap(({ differences }) => differences);
  expect(toMake.map(({ effect }) => effect)).toEqual(Array(10).fill('make'));
  const made = await headrace<{ done: Difference[]; left: Difference[] }>('topics', 'create');
  expect({ code: made.code, done: made.report.done.length, left: made.report.left }).toEqual({
    code: 0,
    done: 10,
    left: [],
  });
  const { code, stdout } = await ran('topics', 'create');
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/Nothing was to be made/) });
  expect((await headrace('topics', 'check')).code).toBe(0);

  await alterTopic('web_clicks', 'retention.ms=60000,compression.type=gzip');
  await alterTopic('web_clicks_dlq', 'retention.ms=-1');
  const differing = await headrace<{ topics: { differences: Difference[] }[] }>('topics', 'check');
  expect(differing.code).toBe(1);
  expect(differing.report.topics.flatMap(({ differences }) => differences.map(brief))).toEqual([
    'web_clicks change compression.type',
    'web_clicks raise retention.ms',
    'web_clicks_dlq lower retention.ms',
  ]);
  const raised = await headrace<{ done: Difference[]; left: Difference[] }>('topics', 'create');
  expect(raised.report.done.map(brief)).toEqual(['web_clicks raise retention.ms']);
  expect(raised.report.left.map(brief)).toEqual([
    'web_clicks change compression.type',
    'web_clicks_dlq lower retention.ms',
  ]);
  await headrace('topics', 'create', '--change-too');
  expect((await headrace('topics', 'check')).code).toBe(0);
  const described = await headrace<{ topics: object[] }>('topics', 'describe', 'web_clicks');
  expect(described.report.topics).toMatchObject([
    { topic: 'web_clicks', settings: { 'compression.type': 'producer', 'retention.ms': '604800000' } },
  ]);
});

test('a cluster is checked, and what differs is mended by the commands that are named', async () => {
  // retention is off in the test cluster; what else differs, we make so
  const [first] = cluster.brokers;
  const threads = `--entity-type brokers --entity-name ${first!.id} --add-config num.io.threads=4`;
  await carryOut(`kafka-configs.sh --bootstrap-server ${cluster.bootstrap} --alter ${threads}`);
  const found = await headrace<{ differences: Difference[]; settings: number }>('kafka', 'check');
  expect(found.code).toBe(1);
  expect(found.report.differences.map(brief).sort()).toEqual([
    '1 num.io.threads',
    '1,2,3 log.retention.hours',
  ]);
  for (const { mend } of found.report.differences) await carryOut(mend);
  const mended = await headrace<{ differences: Difference[] }>('kafka', 'check');
  expect(mended).toMatchObject({ code: 0, report: { differences: [] } });
  const other = await headrace<{ differences: Difference[] }>('kafka', 'check', '--profile', 'throughput');
  expect(other.code).toBe(1);
  expect(other.report.differences.map(({ setting }) => setting)).toContain('num.replica.fetchers');
});

test('what the Compose file gives Kafka’s image becomes the broker settings that are meant', async () => {
  const { services } = parse(readFileSync('config/compose.yaml', 'utf8'), { merge: true }) as {
    services: Record<string, { environment: Record<string, string | number> }>;
  };
  const env = Object.entries(services['kafka-2']!.environment).map(([name, value]) => [name, String(value)]);
  // the image's own code: what is mounted, and behind it what the environment adds; then it formats the data's folder
  const places = ['--default-configs-dir', folder, '--final-configs-dir', folder];
  await cluster.tool(
    'kafka.docker.KafkaDockerWrapper',
    ['setup', ...places, '--mounted-configs-dir', mounted()],
    { ...Object.fromEntries(env), KAFKA_LOG_DIRS: join(folder, 'data') },
  );
  const made = readFileSync(join(folder, 'server.properties'), 'utf8');
  const settings = Object.fromEntries(parseProfile(made).map(({ name, value }) => [name, value]));
  expect(settings).toMatchObject({
    'node.id': '2',
    'process.roles': 'broker,controller',
    'controller.quorum.voters': '1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093',
    'advertised.listeners': 'PLAINTEXT://kafka-2:9092,HOST://localhost:19093',
    'min.insync.replicas': '2',
    'num.io.threads': '8',
  });
  expect(Object.keys(settings).filter((name) => /heap|jvm|cluster\.id/.test(name))).toEqual([]);
  expect(readFileSync(join(folder, 'data', 'meta.properties'), 'utf8')).toMatch(/^node\.id=2$/m);
});

function mounted(): string {
  const place = mkdtempSync(join(folder, 'mounted-'));
  writeFileSync(join(place, 'server.properties'), readFileSync('config/kafka/standard.properties'));
  return place;
}

test('with one broker of three away the check says what is behind, and new topics are refused', async () => {
  await cluster.killBroker(3);
  await expect
    .poll(async () => (await headrace<{ topics: unknown }>('topics', 'check')).code, { timeout: 120_000 })
    .toBe(1);
  const check = await ran('kafka', 'check');
  expect(check.code).toBe(1);
  expect(check.stdout).toMatch(
    /cluster: brokers is 2, should be 3 or more\n {2}why {3}.*\n {2}mend {2}start/,
  );
  expect(check.stdout).toMatch(/topic clicks: in-sync replicas is .* without broker 3, should be/);

  const plan = join(folder, 'topics.yaml');
  writeFileSync(
    plan,
    'topics: {extra: {partitions: 2, replication_factor: 3, settings: {min.insync.replicas: 2}}}',
  );
  const refused = await ran('topics', 'create', '--file', plan);
  expect(refused).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(
      /^KAFKA_REFUSED: a topic is to have 3 copies, and 2 brokers answer — .*--development/,
    ),
  });
  const small = await headrace<{ done: Difference[] }>('topics', 'create', '--file', plan, '--development');
  expect(small).toMatchObject({ code: 0, report: { done: [{ topic: 'extra', effect: 'make' }] } });

  await cluster.startBroker(3);
  const wider = await ran('topics', 'plan', 'extra', '--reassignment', '--file', plan);
  const file = join(folder, 'extra-replicas.json');
  writeFileSync(file, wider.stdout);
  await cluster.tool('org.apache.kafka.tools.reassign.ReassignPartitionsCommand', [
    ...['--bootstrap-server', cluster.bootstrap, '--reassignment-json-file', file, '--execute'],
  ]);
  await expect
    .poll(
      async () => {
        const { report } = await headrace<{ topics: { differences: Difference[] }[] }>(
          'topics',
          'check',
          '--file',
          plan,
        );
        return report.topics.flatMap(({ differences }) => differences.map(brief));
      },
      { timeout: 120_000 },
    )
    .toEqual(['extra raise min.insync.replicas']);
});

test('brokers that are not there end it with 75', async () => {
  const ended = await runCommandLine(['kafka', 'check', '--brokers', '127.0.0.1:1']);
  expect(ended).toMatchObject({
    code: 75,
    stdout: '',
    stderr: expect.stringMatching(/^KAFKA_UNREACHABLE: no answer within/),
  });
});
