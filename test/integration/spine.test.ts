import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '#src/random.js';
import type { RunResult } from '../support/engine-process.js';
import { type OracleSession, queryChdb } from '../support/oracle.js';
import { committedOffsets } from '../support/spine-kafka.js';
import {
  committedEvents,
  differences,
  OUTSIDE,
  readSpineTable,
  type SpineTable,
} from '../support/spine-table.js';
import { PARTITIONS, SpineTopic, TOPIC } from '../support/spine-topic.js';

/**
 * The whole way of the data on a real cluster: what delta-rs reads from the table is what the oracle's SQL says of the
 * records in Kafka. HEADRACE_SEED replays a run's events and moments.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
const EVENTS = 300_000;
const HOUR_MS = 3_600_000;
const RUN_MS_MAX = 150_000;
const TEST_MS_MAX = 300_000;

/** Everything small: rings and fetches that fill up, many cuts and snapshots. */
const SMALL = `
cut_interval: 200ms
snapshot_interval: 1s
workers: 2
fetch: { partition_bytes: 128KiB, in_flight_bytes: 4MiB }
limits: { ring_bytes: 1MiB }
`;

let spine: SpineTopic;

beforeAll(async () => {
  console.log(`HEADRACE_SEED=${SEED}`);
  spine = await SpineTopic.create({ seed: SEED, users: 40_000, events: EVENTS, spanMs: 9 * HOUR_MS });
}, TEST_MS_MAX);

afterAll(() => spine?.close());

function report(name: string, result: RunResult): void {
  const { events, rows, eventsPerSecond, cpuUsPerEvent, cpuSeconds, peakRssBytes } = result;
  const shares = `main ${cpuSeconds.main} s, workers ${cpuSeconds.workers.join(' + ')} s, of ${cpuSeconds.total} s`;
  console.log(
    `${name}: ${events} events, ${rows} rows, ${eventsPerSecond} events/s, ${cpuUsPerEvent} µs CPU an event ` +
      `(${shares}), ${Math.round(peakRssBytes / 2 ** 20)} MiB at most`,
  );
}

/** The ledger says, lane by lane without a gap, that everything up to `ends` is done, and nothing lies beside it. */
async function expectSoundLedger(table: SpineTable, group: string, ends: number[]): Promise<void> {
  const ids = table.appIds.map((id) => /^headrace\/(.+)\/(.+)\/([^/]+)\/(\d+)$/.exec(id)!);
  expect(new Set(ids.map(([, g, t]) => `${g} ${t}`))).toEqual(new Set([`${group} ${TOPIC}`]));
  expect(new Set(ids.map(([, , , topicId]) => topicId)).size).toBe(1);
  const done = ids.map(([appId, , , , partition]) => [Number(partition), table.delta.txns[appId]]);
  expect(new Map(done as [number, number][])).toEqual(new Map(ends.map((end, p) => [p, end])));

  const lanes = ends.map((_, p) => table.lanes.filter(({ partition }) => partition === p));
  for (const [partition, entries] of lanes.entries()) {
    let at = { to: 0, version: -1 };
    for (const entry of entries) {
      const { from, parent } = entry;
      expect({ partition, from }).toEqual({ partition, from: at.to });
      // cuts of one version follow one another; across versions each names the one before
      if (entry.version !== at.version)
        expect({ partition, parent }).toEqual({ partition, parent: at.version });
      at = entry;
    }
    expect({ partition, to: at.to }).toEqual({ partition, to: ends[partition] });
  }
  const total = (count: 'rows' | 'deadLetters') => table.lanes.reduce((sum, lane) => sum + lane[count], 0);
  expect(total('rows')).toBe(table.rows.length);
  expect(total('deadLetters')).toBe(0);
  expect(table.deadLetterFiles).toEqual([]);
  expect(await committedOffsets(spine.cluster.bootstrap, group, TOPIC, PARTITIONS)).toEqual(ends);
}

/** `undisturbed`: no lane was taken away with files written and not committed, which are left behind. */
function expectSoundFiles(table: SpineTable, undisturbed: boolean): void {
  const left = table.parquetFiles.length - table.delta.files.length;
  expect(left).toBeGreaterThanOrEqual(0);
  if (undisturbed) expect(left).toBe(0);
  expect(table.delta.partitionColumns).toEqual(['session_date']);
  const cuts = new Set(table.lanes.map(({ cutId }) => cutId)).size;
  const workersMax = 2;
  const dates = new Set(table.rows.map(({ session_date }) => session_date)).size;
  expect(table.delta.files.length).toBeLessThanOrEqual(cuts * workersMax * dates);
  const fileIds = new Set(table.rows.map(({ file_id }) => file_id));
  expect(fileIds.size).toBe(table.delta.files.length);
}

async function expectEqual(
  group: string,
  expected: OracleSession[],
  ends: number[],
  { undisturbed = true } = {},
): Promise<SpineTable> {
  const table = await readSpineTable(spine.lakeOf(group));
  expect(differences(table.standing, expected)).toEqual([]);
  const events = expected.reduce((sum, { total_events }) => sum + total_events, 0);
  expect(table.rows.reduce((sum, row) => sum + Number(row.sign) * Number(row.total_events), 0)).toBe(events);
  await expectSoundLedger(table, group, ends);
  expectSoundFiles(table, undisturbed);
  return table;
}

/** Every session was written once and for all. */
function expectNoRevisions(table: SpineTable): void {
  expect(new Set(table.rows.map(({ revision, sign }) => `${revision} ${sign}`))).toEqual(new Set(['0 1']));
}

/** Opens when what the first call of `open` starts is done. */
class Gate {
  #start: ((done: () => Promise<void>) => void) | null = null;
  readonly opened: Promise<void>;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#start = (done) => resolve(done());
    });
  }

  open(done: () => Promise<void>): void {
    this.#start?.(done);
    this.#start = null;
  }
}

const closings = (table: SpineTable) => new Set(table.rows.map(({ closed_by }) => closed_by));

describe.sequential('the spine on a real 3-broker Kafka', { timeout: TEST_MS_MAX }, () => {
  beforeEach(({ onTestFailed }) => {
    const before = spine.enginesStarted;
    onTestFailed(() => console.log(spine.tails(before)));
  });

  it('a bounded run ends at the offsets that were the last, and its table equals the oracle', async () => {
    const result = await spine.engine('half', { untilEnd: true }).result(RUN_MS_MAX);
    report('first half', result);
    const expected = await spine.halfSessions();
    const table = await expectEqual('half', expected, spine.halfEnds);
    expectNoRevisions(table);
    expect(closings(table)).toEqual(new Set(['gap', 'end_of_input']));
    expect(result).toMatchObject({
      events: spine.halfEnds.reduce((sum, end) => sum + end, 0),
      rows: table.rows.length,
      deadLetters: 0,
    });
  });

  it('stopped and started while events stream in, it loses and doubles nothing', async () => {
    const flags = await spine.configFlags('small', SMALL);
    const lake = spine.lakeOf('live');
    const random = seededRandom(SEED);
    const stopAt = 0.05 + 0.4 * random.float();
    const first = spine.engine('live', { flags });
    await first.until('something is committed', async () => (await committedEvents(lake)) > 0);

    // the second half streams in while one engine stops and the next one starts; its last part waits for the third
    const firstStopped = new Gate();
    const thirdStarted = new Gate();
    const producing = spine.produceSecondHalf(async (share) => {
      await sleep(20);
      if (share >= stopAt) firstStopped.open(() => first.stop(RUN_MS_MAX));
      if (share >= 0.7) await thirdStarted.opened;
    });
    await Promise.race([firstStopped.opened, producing]);
    const before = await committedEvents(lake);

    const second = spine.engine('live', { flags });
    await second.until('more is committed', async () => (await committedEvents(lake)) > before + EVENTS / 10);
    await sleep(random.below(500));
    await second.stop(RUN_MS_MAX);

    const third = spine.engine('live', { flags });
    thirdStarted.open(() => third.untilSays(/lanes assigned/));
    await producing;
    await third.until('half is committed', async () => (await committedEvents(lake)) > EVENTS / 2);
    await third.stop(RUN_MS_MAX);
    report('live, the rest', await spine.engine('live', { flags, untilEnd: true }).result(RUN_MS_MAX));

    const table = await expectEqual('live', await spine.sessions(), await spine.ends());
    expectNoRevisions(table);
    expect(closings(table)).toEqual(new Set(['gap', 'end_of_input']));
  });

  it('a second bounded run goes on where the first had ended and revises the sessions that went on', async () => {
    await spine.produceSecondHalf();
    report('second half', await spine.engine('half', { untilEnd: true }).result(RUN_MS_MAX));
    const expected = await spine.sessionsAfterHalf();
    const table = await expectEqual('half', expected, await spine.ends());
    const taken = table.rows.filter(({ sign }) => sign === -1);
    expect(taken.length).toBeGreaterThan(100);
    expect(new Set(taken.map(({ closed_by }) => closed_by))).toEqual(new Set(['end_of_input']));
    // sessions whose start moved and sessions that became one were among them
    const ids = new Map(expected.map((session) => [session.session_id, session]));
    expect(expected.some((s) => s.session_id !== `${s.user_id}:${s.session_start}`)).toBe(true);
    expect(taken.some((row) => !ids.has(row.session_id as string))).toBe(true);
  });

  it('the whole topic at once equals the oracle, and running it again adds no rows', async () => {
    await spine.produceSecondHalf();
    report('whole topic', await spine.engine('whole', { untilEnd: true }).result(RUN_MS_MAX));
    const table = await expectEqual('whole', await spine.sessions(), await spine.ends());
    expectNoRevisions(table);
    expect(closings(table)).toEqual(new Set(['gap', 'end_of_input']));
    expect(new Set(table.delta.columns)).toEqual(
      new Set([
        ...Object.keys((await spine.sessions())[0]!).filter((name) => name !== 'partition'),
        ...OUTSIDE,
      ]),
    );

    const [chdb] = await queryChdb<{ rows: number; events: number }>(
      spine.folder,
      `SELECT toFloat64(count()) AS rows, toFloat64(sum(sign * total_events)) AS events
       FROM deltaLakeLocal('${table.path}') FORMAT JSONEachRow`,
    );
    expect(chdb).toEqual({ rows: table.rows.length, events: EVENTS });

    const again = await spine.engine('whole', { untilEnd: true }).result(RUN_MS_MAX);
    expect(again).toMatchObject({ rows: 0, deadLetters: 0 });
    const same = await expectEqual('whole', await spine.sessions(), await spine.ends());
    expect(same.rows.length).toBe(table.rows.length);
  });

  it('a broker restarted during the run changes nothing', async () => {
    await spine.produceSecondHalf();
    const flags = await spine.configFlags('small', SMALL);
    const lake = spine.lakeOf('restart');
    const engine = spine.engine('restart', { untilEnd: true, flags });
    await engine.until('something is committed', async () => (await committedEvents(lake)) > 0);
    await spine.cluster.killBroker(2, 'SIGKILL');
    const atKill = await committedEvents(lake);
    await spine.cluster.startBroker(2);
    report('broker restarted', await engine.result(RUN_MS_MAX));
    expect(atKill).toBeLessThan(EVENTS);
    await spine.cluster.untilInSync(TOPIC);
    const table = await expectEqual('restart', await spine.sessions(), await spine.ends(), {
      undisturbed: false,
    });
    expectNoRevisions(table);
  });

  it('two engines with identical flags share the lanes and write every session once', async () => {
    await spine.produceSecondHalf();
    const engines = [0, 1].map(() => spine.engine('pair', { untilEnd: true }));
    const results = await Promise.all(engines.map((engine) => engine.result(RUN_MS_MAX)));
    for (const result of results) report('one of two', result);
    const table = await expectEqual('pair', await spine.sessions(), await spine.ends(), {
      undisturbed: false,
    });
    expectNoRevisions(table);
  });

  it('an engine that joins takes lanes over with their open sessions, and one that leaves hands them on', async () => {
    await spine.produceSecondHalf();
    const flags = await spine.configFlags('small', SMALL);
    const lake = spine.lakeOf('join');
    const first = spine.engine('join', { flags });
    await first.until('something is committed', async () => (await committedEvents(lake)) > 0);
    const second = spine.engine('join', { flags });
    await second.until('most is committed', async () => (await committedEvents(lake)) > EVENTS / 2);
    await first.stop(RUN_MS_MAX);
    await second.until('nearly all is committed', async () => (await committedEvents(lake)) > 0.9 * EVENTS);
    await second.stop(RUN_MS_MAX);
    report('after two', await spine.engine('join', { untilEnd: true }).result(RUN_MS_MAX));
    const table = await expectEqual('join', await spine.sessions(), await spine.ends(), {
      undisturbed: false,
    });
    expectNoRevisions(table);
  });
});
