import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '#src/random.js';
import { type OracleSession, queryChdb } from '../support/oracle.js';
import type { WebClickSession } from '../support/oracle-web-clicks.js';
import { closings, expectEqual, expectNoRevisions, report } from '../support/spine-checks.js';
import { CLICKSTREAM, WEB_CLICKS } from '../support/spine-model.js';
import { SpinePlace } from '../support/spine-place.js';
import { committedEvents, OUTSIDE } from '../support/spine-table.js';
import { SMALL_SETTINGS, SpineTopic } from '../support/spine-topic.js';

/**
 * The whole way of the data on a real cluster, to both sinks: what delta-rs reads from the table is what the oracle's SQL says
 * of the records in Kafka, and ClickHouse has the table's rows, every column of every one. HEADRACE_SEED replays a run's events and moments.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
const EVENTS = 300_000;
const WEB_EVENTS = 60_000;
const HOUR_MS = 3_600_000;
const RUN_MS_MAX = 150_000;
const TEST_MS_MAX = 300_000;

let place: SpinePlace;
let spine: SpineTopic<OracleSession>;

beforeAll(async () => {
  console.log(`HEADRACE_SEED=${SEED}`);
  place = await SpinePlace.open();
  const profile = { seed: SEED, users: 40_000, events: EVENTS, spanMs: 9 * HOUR_MS };
  const groups = ['half', 'live', 'whole', 'restart', 'pair', 'join'];
  spine = await SpineTopic.create(place, CLICKSTREAM, profile, groups);
}, TEST_MS_MAX);

afterAll(async () => {
  await spine?.close();
  await place?.close();
});

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

describe.sequential('the spine on a real 3-broker Kafka', { timeout: TEST_MS_MAX }, () => {
  beforeEach(({ onTestFailed }) => {
    const before = spine.enginesStarted;
    onTestFailed(() => console.log(spine.tails(before)));
  });

  it('a bounded run ends at the offsets that were the last, and its table equals the oracle', async () => {
    const result = await spine.engine('half', { untilEnd: true }).result(RUN_MS_MAX);
    report('first half', result);
    const expected = await spine.halfSessions();
    const table = await expectEqual(spine, 'half', expected, spine.halfEnds);
    expectNoRevisions(table);
    expect(closings(table)).toEqual(new Set(['gap', 'end_of_input']));
    expect(result).toMatchObject({
      events: spine.halfEnds.reduce((sum, end) => sum + end, 0),
      rows: table.rows.length,
      deadLetters: 0,
    });
  });

  it('stopped and started while events stream in, it loses and doubles nothing', async () => {
    const flags = await spine.configFlags('small', SMALL_SETTINGS);
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

    const table = await expectEqual(spine, 'live', await spine.sessions(), await spine.ends());
    expectNoRevisions(table);
    expect(closings(table)).toEqual(new Set(['gap', 'end_of_input']));
  });

  it('a second bounded run goes on where the first had ended and revises the sessions that went on', async () => {
    await spine.produceSecondHalf();
    report('second half', await spine.engine('half', { untilEnd: true }).result(RUN_MS_MAX));
    const expected = await spine.sessionsAfterHalf();
    const table = await expectEqual(spine, 'half', expected, await spine.ends());
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
    const table = await expectEqual(spine, 'whole', await spine.sessions(), await spine.ends());
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
    const same = await expectEqual(spine, 'whole', await spine.sessions(), await spine.ends());
    expect(same.rows.length).toBe(table.rows.length);
  });

  it('a broker restarted during the run changes nothing', async () => {
    await spine.produceSecondHalf();
    const flags = await spine.configFlags('small', SMALL_SETTINGS);
    const lake = spine.lakeOf('restart');
    const engine = spine.engine('restart', { untilEnd: true, flags });
    await engine.until('something is committed', async () => (await committedEvents(lake)) > 0);
    await place.cluster.killBroker(2, 'SIGKILL');
    const atKill = await committedEvents(lake);
    await place.cluster.startBroker(2);
    report('broker restarted', await engine.result(RUN_MS_MAX));
    expect(atKill).toBeLessThan(EVENTS);
    await place.cluster.untilInSync(CLICKSTREAM.topic);
    const table = await expectEqual(spine, 'restart', await spine.sessions(), await spine.ends(), {
      undisturbed: false,
    });
    expectNoRevisions(table);
  });

  it('two engines with identical flags share the lanes and write every session once', async () => {
    await spine.produceSecondHalf();
    const engines = [0, 1].map(() => spine.engine('pair', { untilEnd: true }));
    const results = await Promise.all(engines.map((engine) => engine.result(RUN_MS_MAX)));
    for (const result of results) report('one of two', result);
    const table = await expectEqual(spine, 'pair', await spine.sessions(), await spine.ends(), {
      undisturbed: false,
    });
    expectNoRevisions(table);
  });

  it('an engine that joins takes lanes over with their open sessions, and one that leaves hands them on', async () => {
    await spine.produceSecondHalf();
    const flags = await spine.configFlags('small', SMALL_SETTINGS);
    const lake = spine.lakeOf('join');
    const first = spine.engine('join', { flags });
    await first.until('something is committed', async () => (await committedEvents(lake)) > 0);
    const second = spine.engine('join', { flags });
    await second.until('most is committed', async () => (await committedEvents(lake)) > EVENTS / 2);
    await first.stop(RUN_MS_MAX);
    await second.until('nearly all is committed', async () => (await committedEvents(lake)) > 0.9 * EVENTS);
    await second.stop(RUN_MS_MAX);
    report('after two', await spine.engine('join', { untilEnd: true }).result(RUN_MS_MAX));
    const table = await expectEqual(spine, 'join', await spine.sessions(), await spine.ends(), {
      undisturbed: false,
    });
    expectNoRevisions(table);
  });
});

describe.sequential('the spine of web_clicks, in snappy', { timeout: TEST_MS_MAX }, () => {
  let web: SpineTopic<WebClickSession>;

  beforeAll(async () => {
    const profile = { seed: SEED, users: 6_500, events: WEB_EVENTS, spanMs: 9 * HOUR_MS };
    web = await SpineTopic.create(place, WEB_CLICKS, profile, ['half', 'live']);
  }, TEST_MS_MAX);

  afterAll(() => web?.close());

  beforeEach(({ onTestFailed }) => {
    const before = web.enginesStarted;
    onTestFailed(() => console.log(web.tails(before)));
  });

  it('ended in the middle and gone on with, its table equals the oracle both times, and ClickHouse the table', async () => {
    report('web_clicks, first half', await web.engine('half', { untilEnd: true }).result(RUN_MS_MAX));
    const half = await expectEqual(web, 'half', await web.halfSessions(), web.halfEnds);
    expectNoRevisions(half);
    expect(closings(half)).toEqual(new Set(['gap', 'end_event', 'end_of_input']));

    await web.produceSecondHalf();
    report('web_clicks, second half', await web.engine('half', { untilEnd: true }).result(RUN_MS_MAX));
    const whole = await expectEqual(web, 'half', await web.sessionsAfterHalf(), await web.ends());
    expect(whole.rows.filter(({ sign }) => sign === -1).length).toBeGreaterThan(100);
  });

  it('with many small cuts, stopped and started again, it loses and doubles nothing in either sink', async () => {
    await web.produceSecondHalf();
    const flags = await web.configFlags('small', SMALL_SETTINGS);
    const lake = web.lakeOf('live');
    const first = web.engine('live', { flags });
    await first.until('half is committed', async () => (await committedEvents(lake)) > WEB_EVENTS / 2);
    await first.stop(RUN_MS_MAX);
    await web.engine('live', { flags, untilEnd: true }).result(RUN_MS_MAX);
    expectNoRevisions(await expectEqual(web, 'live', await web.sessions(), await web.ends()));
  });
});
