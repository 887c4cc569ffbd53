import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CRASH_POINTS, type CrashPoint } from '#src/crash-points.js';
import { seededRandom } from '#src/random.js';
import type { EngineProcess } from '../support/engine-process.js';
import { LedgerEye } from '../support/ledger-eye.js';
import type { OracleSession } from '../support/oracle.js';
import { promisedTooMuch } from '../support/promised-offsets.js';
import { expectEqual, report } from '../support/spine-checks.js';
import { SpineFlow } from '../support/spine-flow.js';
import { CLICKSTREAM } from '../support/spine-model.js';
import { SpinePlace } from '../support/spine-place.js';
import { readSpineTable, tablePath } from '../support/spine-table.js';
import { PARTITIONS, SpineTopic } from '../support/spine-topic.js';

/**
 * An engine on a real cluster with a real ClickHouse and output topics, killed at each named point of the protocol and at
 * moments that are nobody's choice, while events stream in. In the end the table is what the oracle's SQL says of the records
 * in Kafka, ClickHouse and the output topic have the table's rows, and no committed offset ever promised more than all of them
 * had. HEADRACE_SEED replays the events and the moments; `npm run test:fault` kills more often.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
/** Each named point has its turn, so not fewer. */
const KILLS = Math.max(25, Number(process.env.HEADRACE_KILLS ?? 25));
/** How often each named point kills. */
const ROUNDS = Math.max(1, Math.floor(KILLS / 50));
/** Of a run that ends with the topic's first half: what it lets out at its end is revised by the second. */
const BOUNDED_KILLS = Math.max(1, Math.floor((KILLS - ROUNDS * CRASH_POINTS.length) / 3));
const LIVE_KILLS = KILLS - BOUNDED_KILLS;
const REACH_MS_MAX = 300_000;
/** Of the second half. A life gets a third of them at once, and of the rest what it takes until its end. */
const EVENTS_A_KILL = 1_500;
const FEED_EVERY_MS = 250;
const HOUR_MS = 3_600_000;
/** ClickHouse takes file by file: on a busy machine hundreds that wait for it are minutes, and more kills leave more of them. */
const RUN_MS_MAX = 400_000 + 4_000 * KILLS;
const TEST_MS_MAX = RUN_MS_MAX + KILLS * 60_000;

const CONFIG = `
snapshot_interval: 1s
workers: 2
fetch: { partition_bytes: 128KiB, in_flight_bytes: 4MiB }
limits: { ring_bytes: 1MiB }
`;

let place: SpinePlace;

beforeAll(async () => {
  console.log(`HEADRACE_SEED=${SEED} HEADRACE_KILLS=${KILLS}`);
  place = await SpinePlace.open();
}, TEST_MS_MAX);

afterAll(() => place?.close());

describe.sequential('an engine that is killed again and again', { timeout: TEST_MS_MAX }, () => {
  const GROUP = 'killed';
  const random = seededRandom(SEED);
  /** What engines were at when they were killed. */
  const moments = { starting: 0, recovering: 0, working: 0 };
  let spine: SpineTopic<OracleSession>;
  let ledger: LedgerEye;
  let flow: SpineFlow;
  let flags: string[];

  beforeAll(async () => {
    const events = 2 * EVENTS_A_KILL * LIVE_KILLS;
    const profile = { seed: SEED, users: Math.ceil(events / 7), events, spanMs: 9 * HOUR_MS };
    spine = await SpineTopic.create(place, CLICKSTREAM, profile, [GROUP], [GROUP]);
    await place.clickhouse.keepAllRows(spine.databaseOf(GROUP));
    ledger = new LedgerEye(spine.lakeOf(GROUP));
    flow = new SpineFlow(spine, ledger, { paceMs: 25 });
    // a member that is known by name comes back at once, and not after its session time-out
    flags = await spine.patientFlags(
      'killed',
      `${CONFIG}cut_interval: 250ms\nkafka: { instance_id: the-one }\n${spine.outputOf(GROUP)!.yaml}`,
    );
  }, TEST_MS_MAX);

  afterAll(() => spine?.close());

  beforeEach(({ onTestFailed }) => {
    const before = spine.enginesStarted;
    onTestFailed(() => console.log(spine.tails(Math.max(before, spine.enginesStarted - 4))));
  });

  const equal = async () =>
    expectEqual(spine, GROUP, await spine.sessionsAfterHalf(), await spine.ends(), { undisturbed: false });

  /** What the comparison says, '' when all is equal. */
  async function comparison(): Promise<string> {
    try {
      await equal();
      return '';
    } catch (error) {
      const { message, actual } = error as { message: string; actual?: unknown };
      return `${message} ${actual}`;
    }
  }

  /** In its start, or when it recovers its lanes, or, most often, when it has committed and all parts of it are at work. */
  async function untilItsMoment(engine: EngineProcess, { isBounded = false } = {}): Promise<void> {
    const version = ledger.version;
    const [kind, ms] = [random.below(8), random.below(1_500)];
    const isThere = async () => {
      if (kind === 0 || (isBounded && engine.ended !== null)) return true;
      if (kind < 3 || isBounded) return engine.output.includes('lanes assigned');
      return (await ledger.refresh()) > version;
    };
    await engine.until('it is at work', isThere);
    await sleep(ms);
  }

  /** Every so often it is killed and is back at once, or not before the next engine was started without it. */
  async function hurtClickHouse(kills: number): Promise<void> {
    const { clickhouse } = place;
    if (kills % 3 === 1) {
      await clickhouse.kill();
      await clickhouse.restart();
    } else if (kills % 3 === 2) await clickhouse.kill();
    else if (!clickhouse.isUp) await clickhouse.restart();
    else return;
    await sleep(random.below(1_500));
  }

  /** The lives of the second half: the points that end one, in an order of chance, and null for a moment of chance. */
  function livesOf(): (CrashPoint | null)[] {
    const named = Array.from({ length: ROUNDS }, () => CRASH_POINTS).flat();
    const lives = [...named, ...Array<null>(LIVE_KILLS - named.length).fill(null)];
    for (let i = lives.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [lives[i], lives[j]] = [lives[j]!, lives[i]!];
    }
    return lives;
  }

  /** A life of the second half: it gets more events until it ends, and leaves the others theirs. */
  async function fed(life: number, live: () => Promise<void>): Promise<void> {
    const upTo = (life + 1) / LIVE_KILLS;
    flow.allow(upTo - 2 / (3 * LIVE_KILLS));
    // what can't be read now is read by the next one
    const feeding = setInterval(() => flow.feed(upTo).catch(() => undefined), FEED_EVERY_MS);
    try {
      await live();
    } finally {
      clearInterval(feeding);
    }
  }

  /** The engine kills itself, when it comes to the point. */
  async function killItselfAt(point: CrashPoint): Promise<void> {
    if (!place.clickhouse.isUp) await place.clickhouse.restart();
    const passage = 1 + random.below(3);
    const engine = spine.engine(GROUP, { flags, env: { HEADRACE_CRASH_AT: `${point}:${passage}` } });
    const ended = await engine.exit(REACH_MS_MAX);
    expect({ point, passage, ended }).toEqual({ point, passage, ended: { code: null, signal: 'SIGKILL' } });
  }

  async function kill(engine: EngineProcess): Promise<void> {
    // a bounded run may be done before
    if (engine.ended !== null) return expect(engine.ended).toEqual({ code: 0, signal: null });
    await engine.kill();
    const { output } = engine;
    const id = /"engine":"(\w+)"/.exec(output)?.[1];
    await ledger.refresh();
    if (id !== undefined && ledger.enginesSince(-1).has(id)) moments.working++;
    else if (output.includes('lanes assigned')) moments.recovering++;
    else moments.starting++;
  }

  async function killAnywhere(kills: number): Promise<void> {
    const engine = spine.engine(GROUP, { flags });
    await untilItsMoment(engine);
    await hurtClickHouse(kills);
    expect(engine.ended).toBeNull();
    await kill(engine);
  }

  it('loses and doubles nothing, neither in the table nor in ClickHouse, which is killed too, nor in the output topic', async () => {
    for (let kills = 0; kills < BOUNDED_KILLS; kills++) {
      const engine = spine.engine(GROUP, { flags, untilEnd: true });
      await untilItsMoment(engine, { isBounded: true });
      await kill(engine);
      expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
    }
    report('the first half', await spine.engine(GROUP, { flags, untilEnd: true }).result(RUN_MS_MAX));

    flow.start(0);
    try {
      for (const [kills, point] of livesOf().entries()) {
        await fed(kills, () => (point === null ? killAnywhere(kills) : killItselfAt(point)));
        expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
      }
    } finally {
      // what follows waits for all events, and must not wait for ever when a life has failed
      await flow.finish();
    }
    if (!place.clickhouse.isUp) await place.clickhouse.restart();
    report('the rest', await spine.engine(GROUP, { flags, untilEnd: true }).result(RUN_MS_MAX));

    const named = `${ROUNDS} × at each of ${CRASH_POINTS.length} points`;
    console.log(
      `killed: ${named}, ${JSON.stringify(moments)}, with ${ledger.version + 1} versions in the end`,
    );

    const table = await equal();
    expect(table.rows.filter(({ sign }) => sign === -1).length).toBeGreaterThan(100);
    expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
    expect(moments.starting + moments.recovering + moments.working).toBeGreaterThan(KILLS / 6);
  });

  it('would be seen to have lost a file that is left out of the ledger', async () => {
    const log = join(await tablePath(spine.lakeOf(GROUP)), '_delta_log');
    const names = await readdir(log);
    const newest = names.filter((name) => /^\d{20}\.json$/.test(name)).sort();
    // readers would begin with a checkpoint, which has the file
    const checkpoints = names.filter((name) => name.includes('checkpoint'));
    const away = join(place.folder, 'checkpoints-away');
    await mkdir(away);
    const texts = await Promise.all(newest.map((name) => readFile(join(log, name), 'utf8')));
    const at = texts.findLastIndex((text) => text.includes('{"add":'));
    const lines = texts[at]!.split('\n');
    const [added] = lines.filter((line) => line.startsWith('{"add":'));
    const file = join(log, newest[at]!);
    await Promise.all(checkpoints.map((name) => rename(join(log, name), join(away, name))));
    await writeFile(file, lines.filter((line) => line !== added).join('\n'));
    try {
      expect(await comparison()).toMatch(/missing: |not expected: |never written/);
    } finally {
      await writeFile(file, texts[at]!);
      await Promise.all(checkpoints.map((name) => rename(join(away, name), join(log, name))));
    }
    expect(await comparison()).toBe('');
  });

  it('would be seen to have committed offsets that are ahead of the ledger', async () => {
    const earlier = new LedgerEye(spine.lakeOf(GROUP));
    earlier.refresh = async () => -1;
    const found = await promisedTooMuch(spine, GROUP, earlier);
    expect(found).toHaveLength(PARTITIONS);
    expect(found[0]).toMatch(/Kafka has \d+, the ledger 0/);
  });

  it('would be seen to have a file in ClickHouse twice, or not at all', async () => {
    const metrics = `${spine.databaseOf(GROUP)}.session_metrics`;
    const [{ id }] = (await place.clickhouse.query<{ id: string }>(
      `SELECT toString(any(file_id)) AS id FROM ${metrics}`,
    )) as [{ id: string }];
    await place.clickhouse.command(
      `INSERT INTO ${metrics} SELECT * FROM ${metrics} WHERE file_id = ${id}
       SETTINGS insert_deduplication_token = 'another'`,
    );
    expect(await comparison()).toMatch(/only in ClickHouse/);
    // a file is a part as long as nothing is merged; to delete its rows would write thousands of parts anew
    const parts = await place.clickhouse.query<{ name: string }>(
      `SELECT DISTINCT _part AS name FROM ${metrics} WHERE file_id = ${id}`,
    );
    expect(parts).toHaveLength(2);
    for (const { name } of parts)
      await place.clickhouse.command(`ALTER TABLE ${metrics} DROP PART '${name}'`);
    expect(await comparison()).toMatch(/only in the table/);
    expect(await promisedTooMuch(spine, GROUP, ledger)).not.toEqual([]);
  });

  it('would be seen to have a row in the output topic twice', async () => {
    const { rows } = await readSpineTable(spine.lakeOf(GROUP));
    const output = spine.outputOf(GROUP)!;
    expect(await output.differences(rows)).toEqual([]);
    await output.sendTwice();
    expect(String(await output.differences(rows))).toMatch(/^1 × only in the output topic/);
  });
});
