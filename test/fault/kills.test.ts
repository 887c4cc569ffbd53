import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '#src/random.js';
import type { EngineProcess } from '../support/engine-process.js';
import { LedgerEye } from '../support/ledger-eye.js';
import type { OracleSession } from '../support/oracle.js';
import type { WebClickSession } from '../support/oracle-web-clicks.js';
import { promisedTooMuch } from '../support/promised-offsets.js';
import { expectEqual, report } from '../support/spine-checks.js';
import { CLICKSTREAM, WEB_CLICKS } from '../support/spine-model.js';
import { SpinePlace } from '../support/spine-place.js';
import { tablePath } from '../support/spine-table.js';
import { PARTITIONS, SpineTopic } from '../support/spine-topic.js';

/**
 * Real engines on a real cluster with a real ClickHouse, killed, frozen, added and removed while events stream in. In the end
 * the table is what the oracle's SQL says of the records in Kafka, ClickHouse has the table's rows, and no committed offset
 * ever promised more than both had. HEADRACE_SEED replays the events and the moments; `npm run test:fault` kills more often.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
const KILLS = Number(process.env.HEADRACE_KILLS ?? 16);
/** Of a run that ends with the topic's first half: what it lets out at its end is revised by the second. */
const BOUNDED_KILLS = Math.min(10, Math.floor(KILLS / 4));
const LIVE_KILLS = KILLS - BOUNDED_KILLS;
const EVENTS_A_KILL = 1_500;
const HOUR_MS = 3_600_000;
/** ClickHouse takes file by file: on a busy machine hundreds that wait for it are minutes. */
const RUN_MS_MAX = 400_000;
const TEST_MS_MAX = 600_000 + KILLS * 20_000;

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

/** Each change row stays where it can be seen, over restarts of the server too, in as many parts as come. */
async function keepAllRows(database: string): Promise<void> {
  await place.clickhouse.command(
    `ALTER TABLE ${database}.session_metrics MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1,
     parts_to_delay_insert = 1000000, parts_to_throw_insert = 1000000, max_avg_part_size_for_too_many_parts = 1`,
  );
}

/** How fast the second half comes: up to a share, and then it waits. */
class Flow {
  #share = 0;
  #paceMs: number;

  constructor(paceMs: number) {
    this.#paceMs = paceMs;
  }

  allow(share: number): void {
    this.#share = Math.max(this.#share, share);
  }

  /** All the rest, at once. */
  open(): void {
    this.#share = 1;
    this.#paceMs = 0;
  }

  async chunk(share: number): Promise<void> {
    await sleep(this.#paceMs);
    while (share > this.#share) await sleep(20);
  }
}

describe.sequential('an engine that is killed again and again', { timeout: TEST_MS_MAX }, () => {
  const GROUP = 'killed';
  const random = seededRandom(SEED);
  /** What engines were at when they were killed. */
  const moments = { starting: 0, recovering: 0, working: 0 };
  let spine: SpineTopic<OracleSession>;
  let ledger: LedgerEye;
  let flags: string[];

  beforeAll(async () => {
    const events = 2 * EVENTS_A_KILL * LIVE_KILLS;
    const profile = { seed: SEED, users: Math.ceil(events / 7), events, spanMs: 9 * HOUR_MS };
    spine = await SpineTopic.create(place, CLICKSTREAM, profile, [GROUP]);
    await keepAllRows(spine.databaseOf(GROUP));
    ledger = new LedgerEye(spine.lakeOf(GROUP));
    // a member that is known by name comes back at once, and not after its session time-out
    flags = await spine.configFlags(
      'killed',
      `${CONFIG}cut_interval: 250ms\nkafka: { instance_id: the-one }\n`,
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
    if (kills % 6 === 2) {
      await clickhouse.kill();
      await clickhouse.restart();
    } else if (kills % 6 === 4) await clickhouse.kill();
    else if (!clickhouse.isUp) await clickhouse.restart();
    else return;
    await sleep(random.below(1_500));
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

  it('loses and doubles nothing, neither in the table nor in ClickHouse, which is killed too', async () => {
    for (let kills = 0; kills < BOUNDED_KILLS; kills++) {
      const engine = spine.engine(GROUP, { flags, untilEnd: true });
      await untilItsMoment(engine, { isBounded: true });
      await kill(engine);
      expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
    }
    report('the first half', await spine.engine(GROUP, { flags, untilEnd: true }).result(RUN_MS_MAX));

    const flow = new Flow(25);
    const producing = spine.produceSecondHalf((share) => flow.chunk(share), 25);
    // what a failure leaves of it ends with the topic
    producing.catch(() => undefined);
    for (let kills = 0; kills < LIVE_KILLS; kills++) {
      flow.allow((kills + 1) / LIVE_KILLS);
      const engine = spine.engine(GROUP, { flags });
      await untilItsMoment(engine);
      await hurtClickHouse(kills);
      expect(engine.ended).toBeNull();
      await kill(engine);
      expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
    }
    flow.open();
    await producing;
    if (!place.clickhouse.isUp) await place.clickhouse.restart();
    report('the rest', await spine.engine(GROUP, { flags, untilEnd: true }).result(RUN_MS_MAX));

    console.log(`killed: ${JSON.stringify(moments)}, with ${ledger.version + 1} versions in the end`);

    const table = await equal();
    expect(table.rows.filter(({ sign }) => sign === -1).length).toBeGreaterThan(100);
    expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
    expect(moments.working).toBeGreaterThan(KILLS / 3);
  });

  it('would be seen to have lost a file that is left out of the ledger', async () => {
    const log = join(await tablePath(spine.lakeOf(GROUP)), '_delta_log');
    const newest = (await readdir(log)).filter((name) => /^\d{20}\.json$/.test(name)).sort();
    const texts = await Promise.all(newest.map((name) => readFile(join(log, name), 'utf8')));
    const at = texts.findLastIndex((text) => text.includes('{"add":'));
    const lines = texts[at]!.split('\n');
    const [added] = lines.filter((line) => line.startsWith('{"add":'));
    const file = join(log, newest[at]!);
    await writeFile(file, lines.filter((line) => line !== added).join('\n'));
    try {
      expect(await comparison()).toMatch(/missing: |not expected: |never written/);
    } finally {
      await writeFile(file, texts[at]!);
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
    await place.clickhouse.command(`DELETE FROM ${metrics} WHERE file_id = ${id}`);
    expect(await comparison()).toMatch(/only in the table/);
    expect(await promisedTooMuch(spine, GROUP, ledger)).not.toEqual([]);
  });
});

describe.sequential('two engines of web_clicks in one group', { timeout: TEST_MS_MAX }, () => {
  const GROUP = 'pair';
  const EVENTS = 90_000;
  const SESSION_TIMEOUT_MS = 6_000;
  const random = seededRandom(SEED + 1);
  let spine: SpineTopic<WebClickSession>;
  let ledger: LedgerEye;
  let flags: string[];

  beforeAll(async () => {
    const profile = { seed: SEED, users: 9_750, events: EVENTS, spanMs: 9 * HOUR_MS };
    spine = await SpineTopic.create(place, WEB_CLICKS, profile, [GROUP]);
    await keepAllRows(spine.databaseOf(GROUP));
    ledger = new LedgerEye(spine.lakeOf(GROUP));
    flags = await spine.configFlags('pair', `${CONFIG}cut_interval: 500ms\nkafka: { session_timeout: 6s }\n`);
  }, TEST_MS_MAX);

  afterAll(() => spine?.close());

  beforeEach(({ onTestFailed }) => {
    const before = spine.enginesStarted;
    onTestFailed(() => console.log(spine.tails(before)));
  });

  const start = () => spine.engine(GROUP, { flags });

  /** So many engines have put versions from now on, and each lane was moved. */
  async function untilShared(observed: EngineProcess, engines: number): Promise<void> {
    const since = await ledger.refresh();
    await observed.until(`${engines} engines committed, each lane moved`, async () => {
      await ledger.refresh();
      const owners = ledger.ownersSince(since);
      return owners.size === PARTITIONS && new Set(owners.values()).size >= engines;
    });
    expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
  }

  it('killed, frozen and thawed, added and removed under load, they lose and double nothing', async () => {
    const flow = new Flow(50);
    flow.allow(1);
    const producing = spine.produceSecondHalf((share) => flow.chunk(share), 25);
    producing.catch(() => undefined);
    const [first, second] = [start(), start()];
    await untilShared(first, 2);

    await sleep(random.below(1_000));
    await second.kill();
    const third = start();
    await untilShared(third, 2);

    await sleep(random.below(1_000));
    first.signal('SIGSTOP');
    await sleep(SESSION_TIMEOUT_MS);
    await untilShared(third, 1);
    await sleep(random.below(1_000));
    first.signal('SIGCONT');
    await sleep(random.below(2_000));
    const added = start();
    await untilShared(first, 3);

    await third.stop(RUN_MS_MAX);
    await untilShared(first, 2);
    await first.kill();
    flow.open();
    await producing;
    await added.stop(RUN_MS_MAX);
    report('web_clicks, the rest', await spine.engine(GROUP, { flags, untilEnd: true }).result(RUN_MS_MAX));

    await expectEqual(spine, GROUP, await spine.sessions(), await spine.ends(), { undisturbed: false });
    expect(ledger.enginesSince(-1).size).toBeGreaterThanOrEqual(4);
    expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
  });
});
