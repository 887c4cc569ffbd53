import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CutLaneEntry, LedgerEntry } from '#src/ledger/types.js';
import type { EngineProcess } from '../support/engine-process.js';
import { SpineProducer } from '../support/spine-kafka.js';
import { BASE_MS, goodRecord, SmallKafka } from '../support/spine-lane.js';
import { newestVersion, readSpineTable, tablePath } from '../support/spine-table.js';

/**
 * A partition that falls silent on a real broker: its sessions close all the same, and events that come later find what they
 * would have found had the engine never ended. The events are years old: the wall clock would close everything at once.
 */
const RUN_MS_MAX = 60_000;
const TEST_MS_MAX = 180_000;
const GAP_MS = 4_000;
const DISORDER_MS = 1_000;
const IDLE_MS = 2_000;
const SILENT = 0;
const TALKING = 1;

let kafka: SmallKafka;
let talker: SpineProducer;

beforeAll(async () => {
  kafka = await SmallKafka.start();
  const shipped = await readFile(new URL('../../config/models/clickstream.yaml', import.meta.url), 'utf8');
  const words = {
    gap: GAP_MS,
    allowed_disorder: DISORDER_MS,
    allowed_lateness: 0,
    idle_timeout: IDLE_MS,
  };
  const model = Object.entries(words).reduce(
    (text, [word, ms]) => text.replace(new RegExp(`^${word}: .*$`, 'm'), `${word}: ${ms}ms`),
    shipped,
  );
  await writeFile(join(kafka.folder, 'short.yaml'), model);
  // without snapshots a restart meets every mark again
  await writeFile(join(kafka.folder, 'run.yaml'), 'cut_interval: 200ms\nsnapshot_interval: 1h\n');
  talker = new SpineProducer(kafka.cluster.bootstrap, { 'linger.ms': 1 });
  await talker.connect();
}, TEST_MS_MAX);

afterAll(async () => {
  await talker?.close();
  await kafka?.close();
});

/** What the ledger has of a lane so far. */
async function entriesOf(lake: string, partition: number): Promise<CutLaneEntry[]> {
  if ((await newestVersion(lake)) < 0) return [];
  const log = join(await tablePath(lake), '_delta_log');
  const names = (await readdir(log)).filter((name) => /^\d{20}\.json$/.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(log, name), 'utf8')));
  return texts
    .flatMap((text) => text.split('\n').filter((line) => line.includes('"commitInfo"')))
    .flatMap((line) => (JSON.parse(line).commitInfo.headrace as LedgerEntry | undefined)?.cuts ?? [])
    .flatMap(({ lanes }) => lanes)
    .filter((lane) => lane.partition === partition);
}

const rowsOf = (entries: CutLaneEntry[]) => entries.reduce((sum, { rows }) => sum + rows, 0);
const movesOf = (entries: CutLaneEntry[]) =>
  entries.flatMap(({ marks }) => marks.idleWatermarkMs ?? []).map((atMs) => atMs - BASE_MS);

/** `user events start closed_by` of each row, start in ms after the base time. */
async function sessions(lake: string): Promise<string[]> {
  const { rows } = await readSpineTable(lake);
  return rows
    .map((row) => {
      expect(row.sign).toBe(1);
      return `${row.user_id} ${row.total_events} ${Number(row.session_start) - BASE_MS} ${row.closed_by}`;
    })
    .sort();
}

/** Events of one moment, again and again, until it is told to stop. Gives how many there were. */
function talk(topic: string): () => Promise<number> {
  let events = 0;
  let on = true;
  const talking = (async () => {
    for (; on; events++) {
      await talker.send(topic, [goodRecord('talker', 0, TALKING)]);
      await talker.flush();
      await sleep(200);
    }
  })();
  return async () => {
    on = false;
    await talking;
    return events;
  };
}

describe.each(['kernel', 'reference'])('a partition that falls silent, with the %s', (name) => {
  it('has its sessions closed by the time that passes in it, which a restart meets again', {
    timeout: TEST_MS_MAX,
  }, async () => {
    const topic = `silent-${name}`;
    const lake = kafka.lakeOf(topic);
    const model = join(kafka.folder, 'short.yaml');
    const flags = ['--config', join(kafka.folder, 'run.yaml'), '--engine', name];
    const closed = (engine: EngineProcess, partition: number, rows: number) =>
      engine.until(
        `${rows} sessions of partition ${partition}`,
        async () => rowsOf(await entriesOf(lake, partition)) >= rows,
        RUN_MS_MAX,
      );
    await kafka.createTopic(topic);
    const stopTalking = talk(topic);
    const startedMs = performance.now();
    await kafka.produce(topic, [
      goodRecord('one', 0, SILENT),
      goodRecord('two', 1_000, SILENT),
      goodRecord('one', 2_000, SILENT),
      goodRecord('two', 3_000, SILENT),
    ]);
    const first = kafka.engine(topic, { model, flags });
    await closed(first, SILENT, 2);
    const elapsedMs = performance.now() - startedMs;
    await first.kill();

    const moves = movesOf(await entriesOf(lake, SILENT));
    expect(moves).toEqual(moves.toSorted((a, b) => a - b));
    expect(moves[0]).toBeGreaterThanOrEqual(3_000 - DISORDER_MS + IDLE_MS);
    expect(moves.at(-1)).toBeLessThanOrEqual(3_000 - DISORDER_MS + elapsedMs);
    expect(movesOf(await entriesOf(lake, TALKING))).toEqual([]);
    expect(rowsOf(await entriesOf(lake, TALKING))).toBe(0);

    // one that is late by the watermark that was moved, and three that are not
    await kafka.produce(topic, [
      goodRecord('two', 2_500, SILENT),
      goodRecord('one', 60_000, SILENT),
      goodRecord('three', 61_000, SILENT),
      goodRecord('three', 62_000, SILENT),
    ]);
    const second = kafka.engine(topic, { model, flags });
    await second.untilSays(/lane recovered/);
    const said = await stopTalking();
    await closed(second, SILENT, 4);
    await closed(second, TALKING, 1);
    await second.stop(RUN_MS_MAX);
    expect(second.output).not.toContain('lane halted');
    expect(await sessions(lake)).toEqual([
      'one 1 60000 gap',
      'one 2 0 gap',
      `talker ${said} 0 gap`,
      'three 2 61000 gap',
      'two 2 1000 gap',
    ]);
    const letters = await kafka.deadLetters(topic);
    expect(letters.map(({ reason, offset }) => [reason, offset])).toEqual([['late', 4]]);

    // nothing is open any more: silence alone commits nothing
    const third = kafka.engine(topic, { model, flags });
    await third.untilSays(/lanes assigned/);
    const version = await newestVersion(lake);
    await third.untilSays(/progress[\s\S]*progress/);
    expect(await newestVersion(lake)).toBe(version);
    await third.stop(RUN_MS_MAX);
  });
});

it('an engine that stood still asks before it moves a lane: what came meanwhile keeps a session open', {
  timeout: TEST_MS_MAX,
}, async () => {
  const topic = 'stood-still';
  const lake = kafka.lakeOf(topic);
  await kafka.createTopic(topic);
  const flags = ['--config', join(kafka.folder, 'run.yaml')];
  const engine = kafka.engine(topic, { model: join(kafka.folder, 'short.yaml'), flags });
  await engine.untilSays(/lanes assigned/);
  await kafka.produce(topic, [
    goodRecord('before', 0, SILENT),
    goodRecord('one', 20_000, SILENT),
    goodRecord('one', 21_000, SILENT),
  ]);
  const rows = async () => rowsOf(await entriesOf(lake, SILENT));
  await engine.until('all is taken', async () => (await rows()) === 1, RUN_MS_MAX);
  // the broker has said at least once that nothing more is there
  await sleep(1_500);
  engine.signal('SIGSTOP');
  // 21 s, the gap and the lateness would be passed by a watermark of 20 s and so much silence
  await sleep(7_000);
  await kafka.produce(topic, [goodRecord('one', 24_000, SILENT)]);
  engine.signal('SIGCONT');
  await engine.until('the session is closed', async () => (await rows()) === 2, RUN_MS_MAX);
  await engine.stop(RUN_MS_MAX);
  expect(await sessions(lake)).toEqual(['before 1 0 gap', 'one 3 20000 gap']);
});
