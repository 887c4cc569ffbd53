import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pack } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '#src/commands/cli.js';
import { loadModel } from '#src/model/load.js';
import { masked } from '#src/reference/mask.js';
import { committedRecords } from '../support/committed-records.js';
import type { EngineProcess } from '../support/engine-process.js';
import { eventually } from '../support/fake-time.js';
import { type CommandResult, runCommandLine } from '../support/run-command.js';
import type { ProducedRecord } from '../support/spine-kafka.js';
import { BASE_MS, goodRecord, SmallKafka } from '../support/spine-lane.js';
import { committedEvents, readSpineTable, sessionsIn } from '../support/spine-table.js';

/** Dead letters on a real broker: counted, looked at, sent again once, and a lane that stops before there are too many. */
const RUN_MS_MAX = 90_000;
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let kafka: SmallKafka;

beforeAll(async () => {
  kafka = await SmallKafka.start();
});

afterAll(() => kafka?.close());

/** In this process, which is quicker; with an environment of its own as a process of its own. */
async function dlq(
  command: string,
  topic: string,
  words: string[],
  env?: NodeJS.ProcessEnv,
): Promise<CommandResult> {
  const named = ['--brokers', kafka.cluster.bootstrap, '--topic', topic, '--group', topic];
  const model = ['--model', modelOf.get(topic) ?? 'clickstream'];
  const lake = ['--lake', kafka.lakeOf(topic)];
  const args = ['dlq', command, ...(command === 'replay' ? [...named, ...model] : []), ...lake, ...words];
  if (env !== undefined) return await runCommandLine(args, env);
  const result = { stdout: '', stderr: '' };
  const code = await main(args, {
    stdout: (text) => {
      result.stdout += text;
    },
    stderr: (text) => {
      result.stderr += text;
    },
  });
  return { code, ...result };
}

/** A command in this process that may go on for a while. */
function cli(args: string[]) {
  const said = { stdout: '', stderr: '' };
  const into = (name: 'stdout' | 'stderr') => (text: string) => {
    said[name] += text;
  };
  const done = main(args, { stdout: into('stdout'), stderr: into('stderr') }).then((code) => ({
    code,
    ...said,
  }));
  const lines = async () => {
    const { code, stdout, stderr } = await done;
    expect(code, stderr).toBe(0);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
  };
  return { said, done, lines };
}

const modelOf = new Map<string, string>();

async function json<T>(result: Promise<CommandResult>): Promise<T> {
  const { code, stdout, stderr } = await result;
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

interface Listed {
  letters: number;
  counts: { reason: string; partition: number; letters: number; firstOffset: number; lastOffset: number }[];
  newest: { partition: number; offset: number; item: number | null; reason: string; detail: string }[];
}
interface Replayed {
  done: boolean;
  notesMissing: string | null;
  reasons: { reason: string; letters: number; sent: number; replayedBefore: number; refused: number }[];
}

const bad = (value: string | Uint8Array, partition: number, key = 'bad'): ProducedRecord => ({
  key,
  value,
  timestampMs: BASE_MS,
  partition,
});
/** An event whose record was stamped a day before it: too far ahead then, and not any more now. */
const ahead = (user: string, page: number): ProducedRecord => ({
  ...goodRecord(user, page, 1),
  timestampMs: BASE_MS - DAY_MS,
});

async function makeNotes(topic: string, policy = 'compact'): Promise<void> {
  const config = { 'cleanup.policy': policy };
  await kafka.cluster.createTopic({ name: `${topic}_dlq_replays`, partitions: 1, config });
}

async function runToEnd(topic: string, flags: string[] = []): Promise<EngineProcess> {
  const model = modelOf.get(topic);
  const engine = kafka.engine(topic, {
    untilEnd: true,
    flags: ['--cut-interval', '200ms', ...flags],
    ...(model === undefined ? {} : { model }),
  });
  await engine.result(RUN_MS_MAX);
  return engine;
}

const sessionsOf = (topic: string) => sessionsIn(kafka.lakeOf(topic));

describe.sequential('dead letters', () => {
  const topic = 'letters';

  it('are counted by reason and partition, and the newest are listed', async () => {
    await kafka.createTopic(topic);
    await kafka.produce(topic, [
      ...[0, 1, 2].map((page) => goodRecord('good', page, 1)),
      bad('{"timestamp":"2024-03-01T10:00:00Z","user_id":"u",}', 0),
      bad('{"timestamp":"2024-03-01T10:00:00Z","event_type":"page_view"}', 0),
      bad(Buffer.of(0xff, 0x7b), 1, 'k\u001b[31m'),
      ...[10, 11, 12, 13].map((page) => ahead('late-clock', page)),
    ]);
    await runToEnd(topic);
    const listed = await json<Listed>(dlq('list', topic, ['--json']));
    expect(listed).toMatchObject({
      letters: 7,
      counts: [
        { reason: 'future', partition: 1, letters: 4, firstOffset: 4, lastOffset: 7 },
        { reason: 'malformed', partition: 0, letters: 1, firstOffset: 0 },
        { reason: 'missing_field', partition: 0, letters: 1, firstOffset: 1 },
        { reason: 'malformed', partition: 1, letters: 1, firstOffset: 3 },
      ],
    });
    expect(listed.newest).toHaveLength(7);
    const some = await json<Listed>(
      dlq('list', topic, [
        '--json',
        '--reason',
        'malformed',
        '--partition',
        '0,1',
        '--from',
        '1',
        '--newest',
        '1',
      ]),
    );
    expect(some).toMatchObject({ letters: 1, newest: [{ partition: 1, offset: 3, reason: 'malformed' }] });
    const { stdout } = await dlq('list', topic, []);
    expect(stdout).toMatch(/^future +1 +4 +4 +7 /m);
    expect(stdout).toMatch(/^ +1:3 .* malformed +not UTF-8 +k·\[31m$/m);
    const none = await dlq('list', topic, ['--reason', 'late']);
    expect(none).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/No dead letters, or none of those/),
    });
  });

  it('are shown one by one, with the place of the problem', async () => {
    const cut = await dlq('show', topic, ['0:0']);
    expect(cut.stdout).toMatch(/▲ character \d+: not JSON from here on/);
    expect(cut.stdout).toMatch(/reason +malformed: .*\n.*\n.*what to do/);
    const missing = await dlq('show', topic, ['0:1']);
    expect(missing.stdout).toMatch(/^\{ {3}◀── user_id is missing$/m);
    const whole = await json<object>(dlq('show', topic, ['1:4', '--json']));
    expect(whole).toMatchObject({
      reason: 'future',
      partition: 1,
      offset: 4,
      headers: { reason: 'future', topic, partition: '1', offset: '4' },
      event: { user_id: 'late-clock' },
    });
    const unknown = await dlq('show', topic, ['1:0']);
    expect(unknown).toMatchObject({ code: 64, stderr: expect.stringMatching(/has no dead letter 1:0/) });
  });

  it('go back to their partition once, however often and wherever a replay was killed', async () => {
    const shown = await json<Replayed>(dlq('replay', topic, ['--json']));
    expect(shown).toMatchObject({
      done: false,
      notesMissing: expect.stringMatching(/kafka-topics\.sh .*_dlq_replays/),
    });
    expect(shown.reasons).toMatchObject([
      { reason: 'future', letters: 4, sent: 4, refused: 0 },
      { reason: 'malformed', letters: 2, sent: 0, refused: 2 },
      { reason: 'missing_field', letters: 1, sent: 0, refused: 1 },
    ]);
    const early = await dlq('replay', topic, ['--yes']);
    expect(early).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/--create --topic letters_dlq_replays/),
    });
    await makeNotes(topic);
    const only = ['--reason', 'future', '--yes', '--json'];
    const before = await dlq('replay', topic, only, { HEADRACE_CRASH_AT: 'replay.before-commit' });
    expect(before.code).not.toBe(0);
    expect(await replayedRecords(topic)).toEqual([]);
    const behind = await dlq('replay', topic, [...only, '--to', '5'], {
      HEADRACE_CRASH_AT: 'replay.after-commit',
    });
    expect(behind.code).not.toBe(0);
    // two at a time: one takes the other's transactional id, which ends it in order
    const both = await Promise.all([dlq('replay', topic, only, {}), dlq('replay', topic, only, {})]);
    for (const { code, stderr } of both) expect([0, 75], stderr).toContain(code);
    expect((await dlq('replay', topic, only)).code).toBe(0);
    const last = await json<Replayed>(dlq('replay', topic, only));
    expect(last.reasons).toMatchObject([{ letters: 4, sent: 0, replayedBefore: 4 }]);
    expect(await replayedRecords(topic)).toEqual([
      '1 late-clock letters:1:4',
      '1 late-clock letters:1:5',
      '1 late-clock letters:1:6',
      '1 late-clock letters:1:7',
    ]);
    await runToEnd(topic);
    expect(await sessionsOf(topic)).toEqual(['good 3', 'late-clock 4']);
    expect((await json<Listed>(dlq('list', topic, ['--json']))).letters).toBe(7);
  });

  it('their events and their sessions are looked at by taps, of which no group hears', async () => {
    const groups = async () => {
      const look = [
        'monitor',
        '--brokers',
        kafka.cluster.bootstrap,
        '--once',
        '--json',
        '--interval',
        '100ms',
      ];
      const { stdout } = await cli(look).done;
      return (JSON.parse(stdout) as { groups: { id: string }[] }).groups.map(({ id }) => id);
    };
    const before = await groups();
    const table = ['--group', topic, '--lake', kafka.lakeOf(topic)];
    const engine = ['--brokers', kafka.cluster.bootstrap, '--topic', topic, ...table, '--json'];
    const ours = [...engine, '--model', 'clickstream'];

    const live = cli(['tap', 'events', ...ours, '--limit', '2', '--filter', 'user_id=tapped']);
    await eventually(
      'the tap begins',
      () => /2 partitions, what comes from now on/.test(live.said.stderr),
      60_000,
    );
    await kafka.produce(topic, [
      goodRecord('other', 30, 1),
      ...[0, 1].map((page) => goodRecord('tapped', 30 + page, page)),
    ]);
    const events = (await live.lines()) as {
      partition: number;
      refused: null;
      event: { page_url: string };
    }[];
    expect(events.map(({ event }) => event.page_url).sort()).toEqual(['/30', '/31']);
    expect(events.map(({ refused }) => refused)).toEqual([null, null]);

    const early = ['--from', 'earliest'];
    const refused = cli(['tap', 'events', ...ours, ...early, '--limit', '3', '--filter', 'partition=0']);
    expect(await refused.lines()).toMatchObject([
      { offset: 0, refused: { reason: 'malformed' }, event: null, text: expect.stringContaining('user_id') },
      { offset: 1, refused: { reason: 'missing_field', detail: 'user_id is missing' } },
      { offset: 2, refused: null, event: { user_id: 'tapped' } },
    ]);
    const masks = join(kafka.folder, 'masks.yaml');
    await writeFile(join(kafka.folder, 'salt'), 'sixteen bytes at least');
    await writeFile(masks, MASKS_MODEL);
    const kept = masked('good', 'hash', loadModel(masks));
    const hidden = cli([
      'tap',
      'events',
      ...engine,
      '--model',
      masks,
      ...early,
      '--limit',
      '2',
      '--filter',
      'user_id=good',
    ]);
    expect(await hidden.lines()).toMatchObject(
      [0, 1].map((offset) => ({ offset, key: '(masked)', event: { user_id: kept } })),
    );

    const rows = cli([
      'tap',
      'sessions',
      ...table.slice(2),
      ...early,
      '--json',
      '--limit',
      '1',
      '--filter',
      'user_id=good',
    ]);
    expect(await rows.lines()).toMatchObject([{ session: { user_id: 'good', total_events: 3, sign: 1 } }]);
    const letters = cli([
      'tap',
      'dead-letters',
      ...ours,
      ...early,
      '--limit',
      '4',
      '--filter',
      'reason=future',
    ]);
    expect(await letters.lines()).toMatchObject(
      [4, 5, 6, 7].map((offset) => ({ partition: 1, offset, event: { user_id: 'late-clock' } })),
    );
    expect(await groups()).toEqual(before);
  });

  it('are not replayed where that could double them', async () => {
    await kafka.createTopic('careless');
    await kafka.produce('careless', [bad('{', 0)]);
    await runToEnd('careless');
    await makeNotes('careless', 'delete');
    const forgets = await dlq('replay', 'careless', ['--yes']);
    expect(forgets).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/OUTPUT_UNFIT.*cleanup\.policy=compact/),
    });
    const file = join(kafka.folder, 'careless.yaml');
    await writeFile(file, 'kafka: {isolation: read_uncommitted}\n');
    const dirty = await dlq('replay', 'careless', ['--config', file, '--yes']);
    expect(dirty).toMatchObject({ code: 64, stderr: expect.stringMatching(/kafka\.isolation/) });
  });

  it('of one event of several go back without the others', async () => {
    const several = 'several';
    const file = join(kafka.folder, 'messages.yaml');
    await writeFile(file, MESSAGES_MODEL);
    modelOf.set(several, file);
    await kafka.createTopic(several);
    await makeNotes(several);
    const event = (user: string, atMs: number) => ({ user, at: new Date(BASE_MS + atMs) });
    const list = [event('a', 0), event('b', DAY_MS), { ...event('c', 0), user: 7 }, event('a', 1)];
    await kafka.produce(several, [bad(pack(list), 0), bad(pack(event('a', 2)), 0)]);
    await runToEnd(several);
    const listed = await json<Listed>(dlq('list', several, ['--json']));
    expect(listed.newest.map(({ offset, item, reason }) => [offset, item, reason])).toEqual([
      [0, 2, 'wrong_type'],
      [0, 1, 'future'],
    ]);
    const shown = await dlq('show', several, ['0:0:2']);
    expect(shown.stdout).toMatch(/"user": 7,? {3}◀── event 2: user is not of type string/);
    expect(shown.stdout).toMatch(/same message +0:0:1$/m);
    const replayed = await json<Replayed>(dlq('replay', several, ['--yes', '--json']));
    expect(replayed.reasons.find(({ reason }) => reason === 'future')).toMatchObject({ sent: 1 });
    await runToEnd(several);
    const { standing } = await readSpineTable(kafka.lakeOf(several));
    expect(standing.map((row) => `${row.user} ${row.events}`).sort()).toEqual(['a 3', 'b 1']);
  });
});

describe('a broken producer', () => {
  it('stops its partition before a day of it has become dead letters; without the limit it goes on from the ledger', async () => {
    const topic = 'broken';
    await kafka.createTopic(topic);
    const visits = (first: number) =>
      Array.from({ length: 60 }, (_, i) => goodRecord(`u${i % 3}`, first + i * 60_000, 0));
    await kafka.produce(topic, [...visits(0), goodRecord('v', 0, 1)]);
    const file = join(kafka.folder, 'broken.yaml');
    await writeFile(file, 'quality: {min: 0.9, events: 50}\ncut_interval: 200ms\n');
    const engine = kafka.engine(topic, { flags: ['--config', file] });
    const lake = kafka.lakeOf(topic);
    await engine.until('the good ones are committed', async () => (await committedEvents(lake)) === 61);
    await kafka.produce(topic, [
      ...Array.from({ length: 200 }, () => bad('{"user_id":', 0)),
      goodRecord('v', HOUR_MS, 1),
    ]);
    await engine.untilSays(
      /QUALITY_LOW.*usable.*quality\.min asks for 0\.9.*partition=0 offsets=60-.*malformed=/,
    );
    await engine.until('the other partition goes on', async () => (await committedEvents(lake)) >= 62);
    await engine.stop(RUN_MS_MAX);
    // at most what one cut between two looks may hold
    const before = await json<Listed>(dlq('list', topic, ['--json']));
    expect(before.letters).toBeLessThan(50);
    await runToEnd(topic, ['--config', file, '--quality-min', 'off']);
    const all = await json<Listed>(dlq('list', topic, ['--json']));
    expect(all).toMatchObject({
      letters: 200,
      counts: [{ reason: 'malformed', firstOffset: 60, lastOffset: 259 }],
    });
    expect(await sessionsOf(topic)).toEqual(['u0 20', 'u1 20', 'u2 20', 'v 1', 'v 1']);
  });
});

/** Committed records that say that they are a replay, as `partition key of`. */
async function replayedRecords(topic: string): Promise<string[]> {
  const records = await committedRecords(kafka.cluster.bootstrap, topic, 2);
  return records
    .filter(({ headers }) => headers['headrace-replay'] !== undefined)
    .map(({ partition, key, headers }) => `${partition} ${key} ${headers['headrace-replay']}`);
}

const MASKS_MODEL = `
name: masks
key: user_id
time: { field: timestamp, format: iso8601 }
mask_salt_file: salt
fields:
  user_id: { type: string, required: true, mask: hash }
  timestamp: { type: time, required: true }
columns:
  session_id: { op: session_id, template: "{key}:{start_ms}" }
  user: { op: key }
  session_start: { op: session_start }
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`;

const MESSAGES_MODEL = `
name: messages
key: user
time: { field: at, format: epoch_ms }
value: msgpack
fields:
  user: { type: string, required: true }
  at: { type: time, required: true }
columns:
  session_id: { op: session_id, template: "{key}:{start_ms}" }
  user: { op: key }
  session_start: { op: session_start }
  session_end: { op: session_end }
  events: { op: count }
  created_at: { op: created_at }
  batch_id: { op: batch_id }
  file_id: { op: file_id }
  closed_by: { op: closed_by }
  revision: { op: revision }
  sign: { op: sign }
`;
