import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EngineProcess } from '../support/engine-process.js';
import {
  type HttpFaultProxy,
  isInsert,
  type SeenRequest,
  startHttpFaultProxy,
} from '../support/http-fault-proxy.js';
import { LedgerEye, versionFile } from '../support/ledger-eye.js';
import type { OracleSession } from '../support/oracle.js';
import type { WebClickSession } from '../support/oracle-web-clicks.js';
import { promisedTooMuch } from '../support/promised-offsets.js';
import { SmallDisk } from '../support/small-disk.js';
import { expectEqual, report } from '../support/spine-checks.js';
import { clickHouseConfig } from '../support/spine-clickhouse.js';
import { SpineFlow } from '../support/spine-flow.js';
import { CLICKSTREAM, WEB_CLICKS } from '../support/spine-model.js';
import { SpinePlace } from '../support/spine-place.js';
import { SpineTopic } from '../support/spine-topic.js';

/**
 * What an engine writes to goes wrong. A ClickHouse, in every way: the lake goes on, and in the end ClickHouse has each row
 * once. The lake's disk, which fills up: nothing is given up, and the engine goes on when there is room. HEADRACE_SEED replays
 * the events; in `npm run test:fault` ClickHouse is down for a full minute.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
const IS_LONG = process.env.HEADRACE_KILLS !== undefined;
const DOWN_MS = IS_LONG ? 60_000 : 8_000;
const HOUR_MS = 3_600_000;
const RUN_MS_MAX = 300_000;
const STEP_MS_MAX = 300_000;
const TEST_MS_MAX = 1_200_000;

/** Files that ClickHouse may be behind while events come. */
const BACKLOG_FILES_MAX = 30;
const LOOK_MS = 500;

const isFile = (request: SeenRequest) =>
  isInsert(request) && request.parameters.has('insert_deduplication_token');

let place: SpinePlace;

beforeAll(async () => {
  console.log(`HEADRACE_SEED=${SEED}`);
  place = await SpinePlace.open();
}, TEST_MS_MAX);

afterAll(() => place?.close());

describe.sequential('an engine that follows into ClickHouse', { timeout: TEST_MS_MAX }, () => {
  const GROUP = 'followed';
  let spine: SpineTopic<OracleSession>;
  let proxy: HttpFaultProxy;
  let ledger: LedgerEye;
  let flags: string[];
  let engine: EngineProcess;
  let flow: SpineFlow;
  /** Versions are wanted, whatever ClickHouse has. */
  let hungry = false;
  let filesSeen = 0;

  beforeAll(async () => {
    const profile = { seed: SEED, users: 6_000, events: 40_000, spanMs: 9 * HOUR_MS };
    spine = await SpineTopic.create(place, CLICKSTREAM, profile, [GROUP], [GROUP]);
    await place.clickhouse.keepAllRows(spine.databaseOf(GROUP));
    proxy = await startHttpFaultProxy(place.clickhouse.url);
    ledger = new LedgerEye(spine.lakeOf(GROUP));
    const yaml = `cut_interval: 300ms\nsnapshot_interval: 2s\nworkers: 2\nkafka: { instance_id: one }\n`;
    const config = await spine.patientFlags('followed', `${yaml}${spine.outputOf(GROUP)!.yaml}`);
    flags = [...config, '--clickhouse', proxy.url];
    flow = new SpineFlow(spine, ledger, {
      isWanted: () => hungry || ledger.files - filesSeen < BACKLOG_FILES_MAX,
    });
    flow.start();
    engine = spine.engine(GROUP, { flags });
    await untilFilesAreIn(1);
  }, TEST_MS_MAX);

  afterAll(async () => {
    await spine?.close();
    await proxy?.close();
  });

  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(engine.tail()));
  });

  async function filesIn(): Promise<number> {
    const [row] = await place.clickhouse.query<{ files: string }>(
      `SELECT toString(uniqExact(file_id)) AS files FROM ${spine.databaseOf(GROUP)}.session_metrics`,
    );
    return Number(row!.files);
  }

  /** Waits; meanwhile events come, as long as ClickHouse is not too far behind. */
  async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    let lookedMs = Number.NEGATIVE_INFINITY;
    const looksAndHolds = async () => {
      if (place.clickhouse.isUp && performance.now() - lookedMs >= LOOK_MS) {
        filesSeen = await filesIn();
        lookedMs = performance.now();
      }
      return await holds();
    };
    await engine.until(what, looksAndHolds, STEP_MS_MAX);
  }

  async function untilFilesAreIn(more: number): Promise<void> {
    const wanted = (await filesIn()) + more;
    await until(`${more} more files are in ClickHouse`, () => filesSeen >= wanted);
  }

  /** The lake goes on, whatever ClickHouse does. */
  async function untilCommitted(versions: number): Promise<void> {
    const wanted = (await ledger.refresh()) + versions;
    hungry = true;
    await until(`${versions} more versions`, async () => (await ledger.refresh()) >= wanted);
    hungry = false;
  }

  /** Behind this length of output. */
  async function untilSays(pattern: RegExp, since: number): Promise<void> {
    await until(`it says ${pattern}`, () => pattern.test(engine.output.slice(since)));
  }

  it('goes on when each answer takes seconds', async () => {
    const slow = proxy.inject({ kind: 'delay', ms: 1_500 }, { times: 12 });
    await untilCommitted(2);
    await until('all were slow', () => slow.hits === 12);
    await untilFilesAreIn(1);
  });

  it('says so when it is answered 500, and is back when that is over', async () => {
    const since = engine.output.length;
    const refusing = proxy.inject({ kind: 'answer' }, { times: 6 });
    await untilSays(/ClickHouse (does not get on|did not take a file)/, since);
    await untilCommitted(1);
    await until('all were refused', () => refusing.hits === 6);
    await untilFilesAreIn(1);
  });

  it('asks again when answers are lost behind inserts that were applied', async () => {
    const lost = proxy.inject({ kind: 'drop-answer' }, { times: 4, when: isFile });
    await until('four answers are lost', () => lost.hits === 4);
    const cut = proxy.inject({ kind: 'cut-answer' }, { times: 2, when: isFile });
    await until('two are cut', () => cut.hits === 2);
    await untilFilesAreIn(2);
  });

  it('is killed when an answer was lost, and the next one finds the file there', async () => {
    const lost = proxy.inject({ kind: 'drop-answer' }, { when: isFile });
    await until('an answer is lost', () => lost.hits === 1);
    await lost.struck;
    await engine.kill();
    expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
    engine = spine.engine(GROUP, { flags });
    await untilFilesAreIn(1);
  });

  it('catches up when it was down for long', async () => {
    const since = engine.output.length;
    await place.clickhouse.kill();
    await untilSays(/CLICKHOUSE_UNREACHABLE/, since);
    await Promise.all([sleep(DOWN_MS), untilCommitted(5)]);
    await place.clickhouse.restart();
    await untilSays(/ClickHouse is back: catching up from the lake/, since);
    await untilFilesAreIn(3);
  });

  it('puts back what an older backup lacks', async () => {
    await place.clickhouse.backup();
    await untilFilesAreIn(3);
    const since = engine.output.length;
    await place.clickhouse.restore();
    await untilSays(/ClickHouse was set back, as by a restored backup/, since);
    await untilFilesAreIn(4);
  });

  it('halts by name when a backup is older than what the ledger still has; the lake goes on', async () => {
    await place.clickhouse.backup();
    await untilFilesAreIn(3);
    const since = engine.output.length;
    const log = join(spine.lakeOf(GROUP), '_delta_log');
    const aside = join(spine.folder, 'older-log-files');
    await mkdir(aside);
    const newest = await ledger.refresh();
    const names = (await readdir(log)).filter((name) => name > versionFile(0) && name < versionFile(newest));
    for (const name of names) await rename(join(log, name), join(aside, name));
    try {
      await place.clickhouse.restore();
      await untilSays(
        /CLICKHOUSE_RESTORED[^\n]*older log files[^\n]*not followed any more; the lake goes on/,
        since,
      );
      await untilCommitted(2);
    } finally {
      for (const name of names) await rename(join(aside, name), join(log, name));
    }
    await engine.stop(RUN_MS_MAX);
  });

  it('has each row once in the end', async () => {
    await flow.finish();
    report('after all of it', await spine.engine(GROUP, { flags, untilEnd: true }).result(RUN_MS_MAX));
    await expectEqual(spine, GROUP, await spine.sessions(), await spine.ends(), { undisturbed: false });
    expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
  });
});

describe.sequential('an engine whose disk fills up', { timeout: TEST_MS_MAX }, () => {
  const GROUP = 'full';
  const NO_ROOM =
    /LAKE_IO: could not (write|create): no space is left on the device[^\n]*path=[^\n]* code=ENOSPC\)[^\n]*free space/;
  const disks = {} as Record<'files' | 'log' | 'snapshots', SmallDisk>;
  let spine: SpineTopic<WebClickSession>;
  let ledger: LedgerEye;
  let flags: string[];
  /** With all the time for its followers. */
  let lastFlags: string[];
  let engine: EngineProcess;
  let flow: SpineFlow;

  beforeAll(async () => {
    const profile = { seed: SEED, users: 6_000, events: 40_000, spanMs: 9 * HOUR_MS };
    spine = await SpineTopic.create(place, WEB_CLICKS, profile, [GROUP], [GROUP]);
    await place.clickhouse.keepAllRows(spine.databaseOf(GROUP));
    const lake = spine.lakeOf(GROUP);
    disks.files = await SmallDisk.mount(lake, 64);
    disks.log = await SmallDisk.mount(join(lake, '_delta_log'), 64);
    disks.snapshots = await SmallDisk.mount(join(lake, '_headrace', 'snapshots'), 64);
    ledger = new LedgerEye(lake);
    const yaml = `cut_interval: 300ms\nsnapshot_interval: 1s\nworkers: 2\nkafka: { instance_id: one }\n`;
    const config = `${yaml}${spine.outputOf(GROUP)!.yaml}`;
    flags = await spine.patientFlags('full', `${config}drain_timeout: 4s\n`);
    lastFlags = await spine.patientFlags('full-last', `${config}drain_timeout: 5m\n`);
    flow = new SpineFlow(spine, ledger);
    flow.start();
    engine = spine.engine(GROUP, { flags });
  }, TEST_MS_MAX);

  afterAll(async () => {
    await spine?.close();
    for (const disk of [disks.snapshots, disks.log, disks.files]) disk?.unmount();
  });

  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(engine.tail()));
  });

  async function untilCommitted(versions: number): Promise<void> {
    const wanted = (await ledger.refresh()) + versions;
    await engine.until(
      `${versions} more versions`,
      async () => (await ledger.refresh()) >= wanted,
      STEP_MS_MAX,
    );
  }

  async function untilNoRoom(): Promise<void> {
    const since = engine.output.length;
    await engine.until(
      'it says that there is no room',
      () => NO_ROOM.test(engine.output.slice(since)),
      STEP_MS_MAX,
    );
  }

  it.each([
    ['a data file', 'files', /the files of cuts are written again/],
    ['a commit', 'log', /the ledger is written again/],
    ['a snapshot', 'snapshots', /the files of cuts are written again/],
  ] as const)(
    'while it writes %s waits, says so, and goes on when there is room',
    async (_, where, again) => {
      await untilCommitted(2);
      const since = engine.output.length;
      await disks[where].fill();
      try {
        await untilNoRoom();
        // a version that is under way may still come, and one of what was sealed meanwhile
        const before = await ledger.refresh();
        await untilNoRoom();
        expect(await ledger.refresh()).toBeLessThanOrEqual(before + 2);
      } finally {
        // the next test has a disk of its own to fill, and needs room on this one
        await disks[where].empty();
      }
      await untilCommitted(2);
      expect(engine.output.slice(since)).toMatch(again);
    },
  );

  it('can be stopped, does not start, and does when there is room', async () => {
    await disks.files.fill();
    await untilNoRoom();
    engine.signal('SIGTERM');
    expect(await engine.exit(STEP_MS_MAX)).toEqual({ code: 75, signal: null });
    expect(engine.output).toMatch(/LAKE_IO: the orderly stop took longer than it may[^\n]*nothing is lost/);
    engine = spine.engine(GROUP, { flags });
    expect(await engine.exit(STEP_MS_MAX)).toEqual({ code: 75, signal: null });
    expect(engine.output).toMatch(NO_ROOM);
    await disks.files.empty();
    engine = spine.engine(GROUP, { flags });
    await untilCommitted(2);
  });

  it('has each row once in the end', async () => {
    await engine.kill();
    await flow.finish();
    const last = spine.engine(GROUP, { flags: lastFlags, untilEnd: true });
    report('after all of it', await last.result(RUN_MS_MAX));
    await expectEqual(spine, GROUP, await spine.sessions(), await spine.ends(), { undisturbed: false });
    expect(await promisedTooMuch(spine, GROUP, ledger)).toEqual([]);
  });
});

describe.sequential('a broken protocol', { timeout: TEST_MS_MAX }, () => {
  const CONFIG = 'cut_interval: 250ms\nworkers: 2\nkafka: { instance_id: one }\n';
  let spine: SpineTopic<OracleSession>;
  let proxy: HttpFaultProxy;
  let flags: string[];

  beforeAll(async () => {
    const profile = { seed: SEED, users: 2_000, events: 12_000, spanMs: 9 * HOUR_MS };
    const model = { ...CLICKSTREAM, topic: 'canaries' };
    spine = await SpineTopic.create(place, model, profile, ['token', 'early', 'sound', 'thawed']);
    proxy = await startHttpFaultProxy(place.clickhouse.url);
    flags = [...(await spine.patientFlags('canaries', CONFIG)), '--clickhouse', proxy.url];
  }, TEST_MS_MAX);

  afterAll(async () => {
    await spine?.close();
    await proxy?.close();
  });

  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => console.log(spine.tails(0)));
  });

  const preload = (name: string) => ({
    NODE_OPTIONS: `--import ${new URL(`canaries/${name}.mjs`, import.meta.url)}`,
  });

  /** What the comparison of the first half says, '' when all is equal. */
  async function comparison(group: string): Promise<string> {
    const expected = await spine.halfSessions();
    return await expectEqual(spine, group, expected, spine.halfEnds, { undisturbed: false }).then(
      () => '',
      ({ message, actual }: { message: string; actual?: unknown }) => `${message} ${actual}`,
    );
  }

  it('whose inserts have no token is seen to have rows twice', async () => {
    const lost = proxy.inject({ kind: 'drop-answer' }, { when: isFile });
    const env = preload('no-token');
    await spine.engine('token', { flags, env, untilEnd: true }).result(RUN_MS_MAX);
    expect(lost.hits).toBe(1);
    expect(await comparison('token')).toMatch(/only in ClickHouse/);
  });

  it('whose follower is ahead of the commit is seen to have rows that nobody committed', async () => {
    const target = clickHouseConfig(place.clickhouse.url, spine.databaseOf('early'));
    const env = {
      ...preload('before-commit'),
      HEADRACE_CANARY_TARGET: JSON.stringify(target),
      // where the lanes start is the first
      HEADRACE_CRASH_AT: 'commit.before-put:2',
    };
    const ended = await spine.engine('early', { flags, env }).exit(RUN_MS_MAX);
    expect(ended).toEqual({ code: null, signal: 'SIGKILL' });
    await spine.engine('early', { flags, untilEnd: true }).result(RUN_MS_MAX);
    expect(await comparison('early')).toMatch(/only in ClickHouse/);
  });

  it.each([
    ['sound', 'late-news', /^$/],
    ['thawed', 'offset-compared', /stands twice/],
  ])(
    '(%s) whose frozen engine thaws behind marks of another, with %s, says so',
    async (group, canary, says) => {
      const ledger = new LedgerEye(spine.lakeOf(group));
      const disk = await SmallDisk.mount(join(spine.lakeOf(group), '_delta_log'), 16);
      try {
        const ownFlags = await spine.patientFlags(
          group,
          'cut_interval: 250ms\nworkers: 2\nkafka: { session_timeout: 6s }\n',
        );
        // everything is read and committed: what is left to say at the end moves no offset
        const reader = spine.engine(group, { flags: ownFlags });
        const isRead = async () => {
          await ledger.refresh();
          return spine.halfEnds.every((end, partition) => ledger.offset(partition) === end);
        };
        await reader.until('all is committed', isRead, STEP_MS_MAX);
        await reader.stop(RUN_MS_MAX);

        await disk.fill();
        const frozen = spine.engine(group, { flags: ownFlags, env: preload(canary), untilEnd: true });
        await frozen.untilSays(/could not write the ledger/, STEP_MS_MAX);
        frozen.signal('SIGSTOP');
        await disk.empty();
        await spine.engine(group, { flags: ownFlags, untilEnd: true }).result(RUN_MS_MAX);
        const version = await ledger.refresh();
        frozen.signal('SIGCONT');
        const isDecided = async () =>
          (await ledger.refresh()) > version || /another engine committed lanes of ours/.test(frozen.output);
        await frozen.until('it has tried', isDecided, STEP_MS_MAX);
        await frozen.kill();
        expect(await comparison(group)).toMatch(says);
      } finally {
        disk.unmount();
      }
    },
  );
});
