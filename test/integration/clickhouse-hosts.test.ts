import { describe, expect, it } from 'vitest';
import { systemRandom } from '#src/random.js';
import { FollowerRig, type RigEngine } from '../support/follower-rig.js';
import { type HttpFaultProxy, isInsert } from '../support/http-fault-proxy.js';

/**
 * Two hosts, of which the first goes in the middle. Both are ways to one embedded ClickHouse, so what the one has the other has, as
 * replicas do; merges are off, so a row that came in twice is there twice.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? systemRandom.below(2 ** 31));
const ALL = [0, 1, 2, 3];
/** A host that hangs is given up after so long. */
const REQUEST_MS = 3_000;
const TEST_MS = 180_000;

const isFile = (request: Parameters<typeof isInsert>[0]) =>
  isInsert(request) && request.parameters.has('insert_deduplication_token');

async function twoHosts(
  seed: number,
  work: (rig: FollowerRig, engine: RigEngine, second: HttpFaultProxy) => Promise<void>,
): Promise<void> {
  await FollowerRig.with(seed, async (rig) => {
    const second = await rig.anotherHost();
    const urls = [rig.proxy.url, second.url];
    const engine = await rig.engine('engine', ALL, { urls, requestTimeoutMs: REQUEST_MS });
    await work(rig, engine, second);
  });
}

/** Lines that say that the next host is asked. */
const moves = (engine: RigEngine) => engine.log.with('going on with the next one');

async function expectEachRowOnce(rig: FollowerRig): Promise<void> {
  expect(await rig.rows('followed')).toEqual(await rig.singleInserts());
  expect(await rig.fileStates()).toEqual({ done: rig.story.files.length });
  if ((await rig.viewDifferences()).length > 0) await rig.rebuildViews();
  expect(await rig.viewDifferences()).toEqual([]);
}

describe(`of two hosts (HEADRACE_SEED=${SEED})`, () => {
  it('the first is talked to while it answers', { timeout: TEST_MS }, async () => {
    await twoHosts(SEED, async (rig, engine, second) => {
      await engine.tell(3);
      await engine.caughtUp();
      expect(second.seen).toEqual([]);
      expect(moves(engine)).toEqual([]);
      await expectEachRowOnce(rig);
    });
  });

  it('the second takes over when the first is killed among the inserts, one line says so, and each row is there once', {
    timeout: TEST_MS,
  }, async () => {
    await twoHosts(SEED + 1, async (rig, engine, second) => {
      await engine.tell(3);
      await engine.inserted(3);
      // the file is in when its host dies, and nobody has seen the answer
      const lost = rig.proxy.inject({ kind: 'drop-answer' }, { when: isFile });
      await engine.tell(3);
      await lost.struck;
      await rig.proxy.refuse();
      await engine.tell(3);
      await engine.caughtUp();
      expect(second.seen.filter(isFile).length).toBeGreaterThan(0);
      const [line, ...others] = moves(engine);
      expect(others).toEqual([]);
      expect(line?.message).toBe(
        `ClickHouse can not be reached at one host: going on with the next one, ${second.url}`,
      );
      expect(String(line?.fields.error)).toContain(`url=${rig.proxy.url}`);
      expect(engine.log.with('does not get on')).toEqual([]);
      expect(engine.log.with('ClickHouse is back')).not.toEqual([]);
      await expectEachRowOnce(rig);
    });
  });

  it('the second takes over when the first takes requests and answers none, also those that arrive all the same', {
    timeout: TEST_MS,
  }, async () => {
    await twoHosts(SEED + 2, async (rig, engine, second) => {
      await engine.tell(2);
      await engine.inserted(2);
      const hung = rig.proxy.inject({ kind: 'hold' }, { times: Number.POSITIVE_INFINITY });
      await engine.tell(3);
      await hung.struck;
      await engine.caughtUp();
      expect(second.seen.filter(isFile).length).toBeGreaterThan(0);
      expect(moves(engine)).toHaveLength(1);
      // what hung comes in at last
      hung.release();
      await engine.tell(2);
      await engine.caughtUp();
      await expectEachRowOnce(rig);
    });
  });

  it('the first is gone back to when the second goes; of neither there, the lake waits for the first that is back', {
    timeout: TEST_MS,
  }, async () => {
    await twoHosts(SEED + 3, async (rig, engine, second) => {
      await engine.tell(2);
      await engine.caughtUp();
      await Promise.all([rig.proxy.refuse(), second.refuse()]);
      await engine.tell(3);
      await expect
        .poll(() => engine.log.with('does not get on').length, { timeout: 60_000 })
        .toBeGreaterThan(0);
      expect(moves(engine)).toHaveLength(1);
      await rig.proxy.accept();
      await engine.caughtUp();
      expect(second.seen.filter(isFile)).toEqual([]);
      await expectEachRowOnce(rig);
    });
  });
});
