import { execFile } from 'node:child_process';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CutLaneEntry, LedgerEntry } from '#src/ledger/types.js';
import { deltaRsPython } from '../../config/setup/delta-rs.mjs';
import { readDeltaRs } from '../support/delta-rs.js';
import type { EngineProcess } from '../support/engine-process.js';
import { addPartitions, deleteBelow, deleteTopic, resetGroupOffset } from '../support/kafka-admin.js';
import { type CommandResult, runCommandLine } from '../support/run-command.js';
import type { ProducedRecord } from '../support/spine-kafka.js';
import { BASE_MS, goodRecord, SmallKafka } from '../support/spine-lane.js';
import { sessionsIn, tablePath } from '../support/spine-table.js';

/** What an operator does and reads, on a real broker: the ledger's commands, and what engines say of what is not right. */
const RUN_MS_MAX = 90_000;
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const QUICK = ['--cut-interval', '200ms'];

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
});

afterAll(() => kafka?.close());

function ledger(command: string, topic: string, ...more: string[]): Promise<CommandResult> {
  const named = ['--brokers', kafka.cluster.bootstrap, '--topic', topic, '--group', topic];
  const table = ['--model', 'clickstream', '--lake', kafka.lakeOf(topic)];
  return runCommandLine([
    'ledger',
    command,
    ...(command === 'snapshot' ? [] : named),
    ...tableOf(command, table),
    ...more,
  ]);
}

function tableOf(command: string, table: string[]): string[] {
  return command === 'snapshot' ? table.slice(2) : table;
}

/** Visits of some users in both partitions, an hour apart: all but each user's last one close. */
function visits(count: number, firstMs = 0): ProducedRecord[] {
  return Array.from({ length: count }, (_, visit) =>
    [0, 1].flatMap((partition) =>
      ['a', 'b', 'c'].flatMap((user) =>
        [0, 1, 2].map((page) =>
          goodRecord(`${user}${partition}`, firstMs + visit * HOUR_MS + page * MINUTE_MS, partition),
        ),
      ),
    ),
  ).flat();
}

const sessionsOf = (topic: string) => sessionsIn(kafka.lakeOf(topic));

const allCommitted = (engine: EngineProcess, topic: string, events: number) =>
  kafka.untilCommitted(engine, topic, events);

/** Of the table's snapshots, by partition, the newest last. */
async function snapshotsOf(topic: string, partition: number): Promise<string[]> {
  const folder = join(await tablePath(kafka.lakeOf(topic)), '_headrace', 'snapshots');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.snap'));
  return names
    .filter((name) => name.includes(`/${partition}/`))
    .sort()
    .map((name) => join(folder, name));
}

/** A partition's entries in the ledger, in order. */
async function entriesOf(topic: string, partition: number): Promise<CutLaneEntry[]> {
  const folder = join(await tablePath(kafka.lakeOf(topic)), '_delta_log');
  const names = (await readdir(folder)).filter((name) => /^\d{20}\.json$/.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.flatMap((text) => {
    const info = JSON.parse(text.split('\n')[0]!) as { commitInfo: { headrace: LedgerEntry } };
    const lanes = info.commitInfo.headrace.cuts.flatMap((cut) => cut.lanes);
    return lanes.filter((lane) => lane.partition === partition);
  });
}

const linesSaying = (engine: EngineProcess, pattern: RegExp) =>
  engine.output.split('\n').filter((line) => pattern.test(line));

describe('a table and its ledger', () => {
  const topic = 'looked-at';
  const script = `import sys, pyarrow.parquet as pq, pyarrow as pa
path = sys.argv[1]
table = pq.ParquetFile(path).read()
at = table.column_names.index("total_events")
values = table.column(at).to_pylist()
values[0] += 1
pq.write_table(table.set_column(at, table.schema.field(at), pa.array(values, table.schema.field(at).type)), path)`;

  beforeAll(async () => {
    await kafka.createTopic(topic);
    await kafka.produce(topic, visits(5));
    const engine = kafka.engine(topic, { flags: QUICK });
    await allCommitted(engine, topic, 90);
    await kafka.produce(topic, visits(3, 5 * HOUR_MS));
    await allCommitted(engine, topic, 144);
    await engine.stop(RUN_MS_MAX);
  });

  it('are equal to Kafka by the reference, also from a snapshot on, and the status says how far all are', async () => {
    const all = await ledger('verify', topic);
    expect(all.code, all.stdout + all.stderr).toBe(0);
    expect(all.stdout).toMatch(/Equal\.\n$/);
    expect(all.stdout).toMatch(/^ +0 +0 +72 +72 +21 +21 +0$/m);
    const late = await ledger('verify', topic, '--partition', '1', '--from', '72', '--json');
    expect(JSON.parse(late.stdout).lanes).toMatchObject([
      { partition: 1, from: '72', rows: 0, problem: null },
    ]);
    const status = await ledger('status', topic);
    expect(status.code, status.stderr).toBe(0);
    expect(status.stdout).toMatch(new RegExp(`group ${topic}`));
    expect(status.stdout).toMatch(/^ +1 +72 *$/m);
  });

  it('that differ in one value are told apart, with session, column and both values', async () => {
    const folder = await tablePath(kafka.lakeOf(topic));
    const file = (await readdir(folder, { recursive: true }))
      .filter((name) => name.endsWith('.parquet'))
      .sort()[0]!;
    const before = await readFile(join(folder, file));
    await promisify(execFile)(deltaRsPython(), ['-c', script, join(folder, file)]);
    const found = await ledger('verify', topic);
    expect(found.code, found.stdout + found.stderr).toBe(1);
    expect(found.stdout).toMatch(/total_events +4 +3/);
    await writeFile(join(folder, file), before);
    expect((await ledger('verify', topic)).code).toBe(0);
  });

  it('can’t be compared without brokers: 75', async () => {
    const { code, stderr } = await runCommandLine(
      ['ledger', 'verify', '--brokers', '127.0.0.1:1', '--topic', topic, '--group', topic].concat([
        '--model',
        'clickstream',
        '--lake',
        kafka.lakeOf(topic),
      ]),
    );
    expect(code).toBe(75);
    expect(stderr).toMatch(/KAFKA_UNREACHABLE.*127\.0\.0\.1:1/);
  });

  it('committed offsets that somebody moved are told of, and move nothing', async () => {
    await resetGroupOffset(kafka.cluster.bootstrap, topic, topic, 0, 3);
    const engine = kafka.engine(topic, { untilEnd: true });
    await engine.result(RUN_MS_MAX);
    expect(linesSaying(engine, /headrace ledger reset moves partitions/)).toHaveLength(1);
    expect((await sessionsOf(topic)).length).toBe(48);
  });

  it('another table under the same group is refused', async () => {
    const engine = kafka.engine(topic, { lake: kafka.lakeOf('another-table') });
    expect(await engine.exit(RUN_MS_MAX), engine.tail()).toMatchObject({ code: 78 });
    expect(engine.output).toMatch(/LAKE_NOT_OURS: the consumer group works for another table.*--group/);
  });

  it('another model is refused with what differs', async () => {
    const shipped = fileURLToPath(new URL('../../config/models/clickstream.yaml', import.meta.url));
    const model = join(kafka.folder, 'longer.yaml');
    await writeFile(model, (await readFile(shipped, 'utf8')).replace('gap: 30m', 'gap: 45m'));
    const engine = kafka.engine(topic, { model });
    expect(await engine.exit(RUN_MS_MAX), engine.tail()).toMatchObject({ code: 78 });
    expect(engine.output).toMatch(/LAKE_NOT_OURS.*gap \(ms\) was 1800000, is 2700000/);
  });
});

describe('snapshots', () => {
  const topic = 'snapshots';
  /** None comes by itself meanwhile, however long the tests take. */
  const rarely = () => [...QUICK, '--config', join(kafka.folder, 'rarely.yaml')];

  it('are taken when they are asked for, and found where nothing has moved since', async () => {
    await writeFile(join(kafka.folder, 'rarely.yaml'), 'snapshot_interval: 1h\n');
    await kafka.createTopic(topic);
    await kafka.produce(topic, visits(2));
    const engine = kafka.engine(topic, { flags: rarely() });
    await allCommitted(engine, topic, 36);
    const taken = await ledger('snapshot', topic);
    expect(taken.code, taken.stdout + taken.stderr).toBe(0);
    expect(taken.stdout.match(/taken now/g)).toHaveLength(2);
    await engine.stop(RUN_MS_MAX);
    const again = await ledger('snapshot', topic);
    expect(again.code, again.stdout + again.stderr).toBe(0);
    expect(again.stdout).toMatch(/Nothing had to be taken/);
  });

  it('that are damaged are passed over for the one before, by name', async () => {
    const engine = kafka.engine(topic, { flags: rarely() });
    await kafka.produce(topic, visits(1, 2 * HOUR_MS));
    await allCommitted(engine, topic, 54);
    await engine.stop(RUN_MS_MAX);
    const newest = (await snapshotsOf(topic, 0)).at(-1)!;
    await truncate(newest, (await readFile(newest)).length - 7);
    const next = kafka.engine(topic, { untilEnd: true });
    await next.result(RUN_MS_MAX);
    const [line] = linesSaying(next, /a snapshot can not be used/);
    expect(line).toContain(newest.slice(newest.indexOf('_headrace')));
    expect(next.output).toMatch(/recovery is done/);
    expect(await sessionsOf(topic)).toHaveLength(18);
    expect((await ledger('verify', topic)).code).toBe(0);
  });
});

describe('a reset', () => {
  const topic = 'moved';

  it('is shown first, and what makes no sense is refused', async () => {
    await kafka.createTopic(topic);
    await kafka.produce(topic, visits(3));
    await kafka.engine(topic, { untilEnd: true }).result(RUN_MS_MAX);
    const plan = await ledger('reset', topic, '--partition', '0', '--to', 'earliest');
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
    expect(plan.stdout).toMatch(/Nothing was changed\. --yes does it/);
    expect(plan.stdout).toMatch(/up to 9 rows are then there twice/);
    for (const [to, says] of [
      ['28', /goes from 0 to 27/],
      ['yesterday', /--to must be an offset/],
    ] as const) {
      const refused = await ledger('reset', topic, '--partition', '0', '--to', to, '--yes');
      expect(refused.code).toBe(64);
      expect(refused.stderr).toMatch(says);
    }
    expect((await ledger('reset', topic, '--partition', '7', '--to', 'latest')).stderr).toMatch(
      /does not know/,
    );
    expect((await ledger('reset', topic, '--partition', 'all', '--to', '5')).stderr).toMatch(
      /of one partition/,
    );
    expect(await sessionsOf(topic)).toHaveLength(18);
  });

  it('is taken up by an engine that runs: the events are read again, the other partition is left alone', async () => {
    const engine = kafka.engine(topic, { flags: QUICK });
    await engine.untilSays(/lanes assigned/);
    const done = await ledger('reset', topic, '--partition', '0', '--to', 'earliest', '--yes');
    expect(done.code, done.stdout + done.stderr).toBe(0);
    await engine.until('the events were read again', async () => {
      const entries = await entriesOf(topic, 0);
      const reset = entries.findIndex((entry) => entry.reset === true);
      return reset >= 0 && reset < entries.length - 1 && entries.at(-1)!.to === 27;
    });
    await engine.stop(RUN_MS_MAX);
    const rows = (await readDeltaRs(await tablePath(kafka.lakeOf(topic)))).rows;
    const standing = (user: string) =>
      rows.filter((row) => row.user_id === user).reduce((sum, row) => sum + Number(row.sign), 0);
    // of three visits of each user two have closed, which were written before; the third was let out then, and is open again
    expect(standing('a0')).toBe(5);
    expect(standing('a1')).toBe(3);
    const verified = await ledger('verify', topic);
    expect(verified.code, verified.stdout).toBe(0);
    expect((await ledger('status', topic)).stdout).toMatch(/Partition 0 was started over by an operator/);
  });
});

describe('where partitions begin', () => {
  it('of a new table: at a time; partitions that are added later: at their first record', async () => {
    const topic = 'begins';
    await kafka.createTopic(topic, 1);
    await kafka.produce(
      topic,
      [0, 1, 2].map((hour) => goodRecord(`h${hour}`, hour * HOUR_MS, 0)),
    );
    const start = ['--start', new Date(BASE_MS + HOUR_MS).toISOString()];
    await kafka.engine(topic, { untilEnd: true, flags: start }).result(RUN_MS_MAX);
    expect(await sessionsOf(topic)).toEqual(['h1 1', 'h2 1']);
    await addPartitions(kafka.cluster.bootstrap, topic, 2);
    await kafka.produce(topic, [goodRecord('added', 0, 1)]);
    await kafka.engine(topic, { untilEnd: true, flags: start }).result(RUN_MS_MAX);
    expect(await sessionsOf(topic)).toEqual(['added 1', 'h1 1', 'h2 1']);
  });
});

describe('offsets that are gone', () => {
  const topic = 'gone';

  it('halt their partition with the flag that accepts them, and with it sessions go on across them', async () => {
    await kafka.createTopic(topic);
    await kafka.produce(
      topic,
      [0, 1].map((page) => goodRecord('kept', page * MINUTE_MS, 0)),
    );
    const first = kafka.engine(topic, { flags: QUICK });
    await allCommitted(first, topic, 2);
    await first.stop(RUN_MS_MAX);
    await kafka.produce(
      topic,
      [2, 3, 4].map((page) => goodRecord('kept', page * MINUTE_MS, 0)),
    );
    await kafka.produce(topic, [goodRecord('kept', 5 * MINUTE_MS, 0)]);
    await deleteBelow(kafka.cluster.bootstrap, topic, 0, 5);
    const halted = kafka.engine(topic, { untilEnd: true });
    expect(await halted.exit(RUN_MS_MAX), halted.tail()).toMatchObject({ code: 75 });
    expect(linesSaying(halted, /OFFSET_OUT_OF_RANGE/)[0]).toMatch(/offsets 2 to 4 .*--accept-gap 0:2-4/);
    // another gap than the one that is there is not accepted
    const other = kafka.engine(topic, { untilEnd: true, flags: ['--accept-gap', '0:2-3'] });
    expect(await other.exit(RUN_MS_MAX), other.tail()).toMatchObject({ code: 75 });
    const passing = kafka.engine(topic, { flags: [...QUICK, '--accept-gap', '0:2-4'] });
    await passing.untilSays(/offsets that are gone were passed over/);
    await passing.until('a snapshot lies behind the gap', async () =>
      (await snapshotsOf(topic, 0)).some((path) => path.includes('00006-')),
    );
    passing.signal('SIGKILL');
    await passing.exit(RUN_MS_MAX);
    // the ledger knows it now
    await kafka.engine(topic, { untilEnd: true }).result(RUN_MS_MAX);
    expect(await sessionsOf(topic)).toEqual(['kept 3']);
  });
});

describe('a topic that was made again', () => {
  it('is refused until its id is named', async () => {
    const topic = 'again';
    await kafka.createTopic(topic);
    await kafka.produce(topic, [goodRecord('old', 0, 0)]);
    await kafka.engine(topic, { untilEnd: true }).result(RUN_MS_MAX);
    await deleteTopic(kafka.cluster.bootstrap, topic);
    await kafka.createTopic(topic);
    await kafka.produce(topic, [goodRecord('new', 0, 0)]);
    const refused = kafka.engine(topic, { untilEnd: true });
    expect(await refused.exit(RUN_MS_MAX), refused.tail()).toMatchObject({ code: 75 });
    const id = /--accept-topic ([0-9a-f]{32})/.exec(refused.output)?.[1];
    expect(id, refused.tail()).toBeDefined();
    await kafka.engine(topic, { untilEnd: true, flags: ['--accept-topic', id!] }).result(RUN_MS_MAX);
    await kafka.engine(topic, { untilEnd: true }).result(RUN_MS_MAX);
    expect(await sessionsOf(topic)).toEqual(['new 1', 'old 1']);
  });
});
