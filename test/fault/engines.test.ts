import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '#src/random.js';
import type { EngineProcess } from '../support/engine-process.js';
import { LedgerEye } from '../support/ledger-eye.js';
import type { OracleRow } from '../support/oracle.js';
import { promisedTooMuch } from '../support/promised-offsets.js';
import { expectEqual, report } from '../support/spine-checks.js';
import { SpineFlow } from '../support/spine-flow.js';
import { CLICKSTREAM, type SpineModel, WEB_CLICKS } from '../support/spine-model.js';
import { SpinePlace } from '../support/spine-place.js';
import { PARTITIONS, SpineTopic } from '../support/spine-topic.js';

/**
 * Several engines in one group, under load, with both sinks: killed, frozen and thawed, added and removed, in both group
 * protocols; and brokers that go under them, one after the other and all at once. HEADRACE_SEED replays events and moments.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
/** `npm run test:fault`: with both group protocols, and with an engine that starts while no broker is there. */
const IS_LONG = process.env.HEADRACE_KILLS !== undefined;
const SESSION_TIMEOUT_MS = 6_000;
const HOUR_MS = 3_600_000;
const RUN_MS_MAX = 400_000;
const STEP_MS_MAX = 300_000;
/** How much of what comes under load comes by itself; the rest is for steps that wait when it has come. */
const FLOWING_SHARE = 0.6;
const TEST_MS_MAX = 1_200_000;

const BROKERS = {
  // what members of KIP-848 groups are held to is the broker's
  'group.consumer.min.session.timeout.ms': SESSION_TIMEOUT_MS,
  'group.consumer.session.timeout.ms': SESSION_TIMEOUT_MS,
  'group.consumer.min.heartbeat.interval.ms': 1_000,
  'group.consumer.heartbeat.interval.ms': 1_000,
  // a transaction that nobody ends is ended soon behind its time-out
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1_000,
};

const CONFIG = `
snapshot_interval: 1s
cut_interval: 500ms
workers: 2
fetch: { partition_bytes: 128KiB, in_flight_bytes: 4MiB }
limits: { ring_bytes: 1MiB }
`;

let place: SpinePlace;

beforeAll(async () => {
  console.log(`HEADRACE_SEED=${SEED}`);
  place = await SpinePlace.open({ properties: BROKERS });
}, TEST_MS_MAX);

afterAll(() => place?.close());

/** A topic under load, and the engines of a group that share it. */
class Load<Session extends OracleRow> {
  readonly ledger: LedgerEye;
  readonly #flow: SpineFlow;

  private constructor(
    readonly spine: SpineTopic<Session>,
    readonly group: string,
    readonly flags: readonly string[],
  ) {
    this.ledger = new LedgerEye(spine.lakeOf(group));
    this.#flow = new SpineFlow(spine, this.ledger, { paceMs: 25 });
    this.#flow.start(FLOWING_SHARE);
  }

  static async start<Session extends OracleRow>(
    model: SpineModel<Session>,
    group: string,
    kafka: string,
    events: number,
  ): Promise<Load<Session>> {
    const profile = { seed: SEED, users: Math.ceil(events / 7), events, spanMs: 9 * HOUR_MS };
    const spine = await SpineTopic.create(place, model, profile, [group], [group]);
    await place.clickhouse.keepAllRows(spine.databaseOf(group));
    const yaml = `${CONFIG}kafka: { ${kafka} }\n${spine.outputOf(group)!.yaml}`;
    return new Load(spine, group, await spine.patientFlags(group, yaml));
  }

  engine(): EngineProcess {
    return this.spine.engine(this.group, { flags: this.flags });
  }

  /** So many engines at least have put versions from now on, and each lane was moved. */
  async untilShared(observed: EngineProcess, engines: number): Promise<void> {
    const { ledger } = this;
    const since = await ledger.refresh();
    const isShared = async () => {
      // a lane moves by events alone: a slow scenario must not wait for what does not come any more
      await this.#flow.feed();
      const owners = ledger.ownersSince(since);
      return owners.size === PARTITIONS && new Set(owners.values()).size >= engines;
    };
    await observed.until(`${engines} engines committed, each lane moved`, isShared, STEP_MS_MAX);
    await this.expectKept();
  }

  async expectKept(): Promise<void> {
    expect(await promisedTooMuch(this.spine, this.group, this.ledger)).toEqual([]);
  }

  /** The rest of the events, the orderly end of these engines, and a last run that ends with the topic. */
  async finish(engines: readonly EngineProcess[]): Promise<void> {
    const { spine, group, flags } = this;
    await this.#flow.finish();
    for (const engine of engines) await engine.stop(RUN_MS_MAX);
    report(`${group}, the rest`, await spine.engine(group, { flags, untilEnd: true }).result(RUN_MS_MAX));
    await expectEqual(spine, group, await spine.sessions(), await spine.ends(), { undisturbed: false });
    await this.expectKept();
  }
}

const CLASSIC = ['classic', `session_timeout: ${SESSION_TIMEOUT_MS}ms`] as const;
const KIP_848 = ['consumer', 'group_protocol: consumer'] as const;

describe.sequential.each(IS_LONG ? [CLASSIC, KIP_848] : [CLASSIC])(
  'three engines in one group (protocol %s)',
  { timeout: TEST_MS_MAX },
  (protocol, kafka) => {
    const random = seededRandom(SEED + 1);
    let load: Load<OracleRow>;

    beforeAll(async () => {
      const model = { ...WEB_CLICKS, topic: `web_clicks_${protocol}` } as unknown as SpineModel<OracleRow>;
      load = await Load.start(model, `three_${protocol}`, kafka, 60_000);
    }, TEST_MS_MAX);

    afterAll(() => load?.spine.close());

    beforeEach(({ onTestFailed }) => {
      onTestFailed(() => console.log(load.spine.tails(0)));
    });

    it('killed, frozen and thawed, added and removed under load, they lose and double nothing', async () => {
      const [first, second, third] = [load.engine(), load.engine(), load.engine()];
      await load.untilShared(first, 3);

      await sleep(random.below(1_000));
      await second.kill();
      await load.untilShared(first, 2);

      await sleep(random.below(1_000));
      first.signal('SIGSTOP');
      await sleep(SESSION_TIMEOUT_MS);
      await load.untilShared(third, 1);
      await sleep(random.below(1_000));
      first.signal('SIGCONT');
      await sleep(random.below(2_000));
      const added = load.engine();
      await load.untilShared(first, 3);

      await third.stop(RUN_MS_MAX);
      await load.untilShared(first, 2);
      await first.kill();
      await load.finish([added]);
      expect(load.ledger.enginesSince(-1).size).toBeGreaterThanOrEqual(5);
    });
  },
);

describe.sequential('brokers that go', { timeout: TEST_MS_MAX }, () => {
  const ALL = [1, 2, 3];
  let load: Load<OracleRow>;

  beforeAll(async () => {
    const model = { ...CLICKSTREAM, topic: 'clickstream_brokers' } as unknown as SpineModel<OracleRow>;
    load = await Load.start(model, 'brokers', 'session_timeout: 10s', 60_000);
  }, TEST_MS_MAX);

  afterAll(() => load?.spine.close());

  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(load.spine.tails(0)));
  });

  const restart = (ids: readonly number[]) => Promise.all(ids.map((id) => place.cluster.startBroker(id)));
  const kill = (ids: readonly number[]) => Promise.all(ids.map((id) => place.cluster.killBroker(id)));
  const inSync = () => place.cluster.untilInSync(load.spine.model.topic);

  it('one or all, with and without an engine, cost no row and double none', async () => {
    const first = load.engine();
    let second = load.engine();
    await load.untilShared(first, 2);

    const leader = await place.cluster.leaderOf(load.spine.model.topic, 0);
    await kill([leader]);
    await load.untilShared(first, 1);
    await restart([leader]);
    await inSync();
    await load.untilShared(first, 2);

    // with the engine, which nobody replaces before the broker
    await Promise.all([kill([1]), second.kill()]);
    second = load.engine();
    await restart([1]);
    await inSync();
    await load.untilShared(first, 2);

    await kill(ALL);
    await restart(ALL);
    await load.untilShared(first, 2);

    if (IS_LONG) {
      // and an engine that starts while nobody is there
      await kill(ALL);
      await second.kill();
      second = load.engine();
      await restart(ALL);
      await load.untilShared(first, 2);
    }

    await load.finish([first, second]);
  });
});
