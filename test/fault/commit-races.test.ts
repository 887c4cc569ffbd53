import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lakeAt } from '#src/config/lake-place.js';
import type { LakeConfig } from '#src/config/types.js';
import { DeltaLog } from '#src/lake/delta/log.js';
import { versionOf, versionPath } from '#src/lake/delta/path.js';
import { openStore } from '#src/lake/store/open-store.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { LedgerHistory } from '#src/ledger/history.js';
import { factsOf } from '#src/ledger/ledger.js';
import { type Random, seededRandom } from '#src/random.js';
import { createTable, SOURCE, TOPIC_ID } from '../support/fake-ledger.js';
import type { ProxyFault, SeenRequest } from '../support/http-fault-proxy.js';
import { withFolder } from '../support/lake-table.js';
import { S3Rig } from '../support/s3-rig.js';

/**
 * Writers in processes of their own commit against each other into one table, lose answers, and are killed and started again. In
 * the end the log has all their commits, each once, in versions without gaps, and nothing in it was ever overwritten.
 * HEADRACE_SEED replays chances; `npm run test:fault` commits more often.
 */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000);
const WRITERS = 8;
const COMMITS = Math.min(200, Number(process.env.HEADRACE_KILLS ?? 15));
const KILLS = Math.max(6, Math.floor(COMMITS / 5));
/** Of all writes: so many are answered as if they had not been, or never arrive. */
const LOSSY = 0.06;
const TEST_MS_MAX = 300_000 + COMMITS * 6_000;
const LOOK_EVERY_MS = 150;
const RACER = new URL('../fixtures/commit-racer.mjs', import.meta.url).pathname;

let rig: S3Rig;

beforeAll(async () => {
  console.log(`HEADRACE_SEED=${SEED}, ${WRITERS} writers × ${COMMITS} commits, ${KILLS} kills`);
  rig = await S3Rig.start();
});
afterAll(() => rig?.close());

interface Told {
  version: number;
  cutId: string;
  at: number;
}

class Racer {
  readonly told: Told[] = [];
  readonly #request: Record<string, unknown>;
  readonly #random: Random;
  #child: ChildProcess | null = null;
  #ended: Promise<unknown> = Promise.resolve();
  failure: string | null = null;

  constructor(request: Record<string, unknown>, random: Random) {
    this.#request = request;
    this.#random = random;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  start(): void {
    const argument = JSON.stringify({ ...this.#request, seed: this.#random.below(2 ** 31) });
    const child = fork(RACER, [argument], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let complaint = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.on('message', (message) => {
      if ('version' in (message as object)) this.told.push(message as Told);
    });
    this.#child = child;
    this.#ended = once(child, 'close').then(([code, signal]) => {
      this.#child = null;
      if (code !== 0 && signal !== 'SIGKILL') this.failure = complaint;
    });
  }

  async killAndStart(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
    this.start();
  }

  /** Until it is where it shall be. */
  async done(): Promise<void> {
    await this.#ended;
  }

  end(): void {
    this.#child?.kill('SIGKILL');
  }
}

/** Looks at the log while it grows: a version that was seen stays as it is. */
class Witness {
  readonly #store: ObjectStore;
  readonly #seen = new Map<number, string>();
  readonly changed: number[] = [];

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async look(): Promise<void> {
    for (;;) {
      const version = this.#seen.size;
      const bytes = await this.#store.get(versionPath(version));
      if (bytes === null) return;
      this.#seen.set(version, Buffer.from(bytes).toString());
    }
  }

  async lookAgain(): Promise<void> {
    for (const [version, text] of this.#seen) {
      const bytes = await this.#store.get(versionPath(version));
      if (bytes === null || Buffer.from(bytes).toString() !== text) this.changed.push(version);
    }
  }
}

async function race(place: LakeConfig, racing: LakeConfig, lossy: number, random: Random): Promise<void> {
  const store = await openStore(place);
  await createTable(store);
  const racers = Array.from(
    { length: WRITERS },
    (_, lane) =>
      new Racer({ place: racing, source: SOURCE, topicId: TOPIC_ID, lane, to: COMMITS, lossy }, random),
  );
  const witness = new Witness(store);
  try {
    for (const racer of racers) racer.start();
    let kills = 0;
    while (racers.some(({ isRunning }) => isRunning)) {
      await sleep(LOOK_EVERY_MS * (0.5 + random.float()));
      await witness.look();
      const running = racers.filter(({ isRunning }) => isRunning);
      const at = racers.reduce((sum, { told }) => sum + (told.at(-1)?.at ?? 0), 0);
      // spread over the race
      const due = Math.floor((KILLS * at) / (WRITERS * COMMITS)) + 1;
      if (kills < Math.min(KILLS, due) && running.length > 0) {
        kills++;
        await running[random.below(running.length)]!.killAndStart();
      }
    }
    for (const racer of racers) await racer.done();
    expect(racers.flatMap(({ failure }) => failure ?? [])).toEqual([]);
    expect(kills).toBeGreaterThanOrEqual(Math.floor(KILLS / 2));
    await witness.look();
    await witness.lookAgain();
    expect(witness.changed).toEqual([]);
    await expectSoundLog(store, racers);
  } finally {
    for (const racer of racers) racer.end();
  }
}

async function expectSoundLog(store: ObjectStore, racers: readonly Racer[]): Promise<void> {
  const versions = (await store.list('_delta_log/')).flatMap(({ path }) => versionOf(path) ?? []);
  // where each lane starts, and all that it moved
  expect(versions).toEqual(Array.from({ length: 1 + WRITERS * (1 + COMMITS) }, (_, version) => version));
  const history = new LedgerHistory(SOURCE);
  const ends = new Map<string, bigint>();
  const cuts = new Map<string, number>();
  const log = await DeltaLog.open(store, {
    onVersion: (version) => {
      const facts = factsOf(version);
      history.apply(facts);
      for (const { appId, version: to } of facts.txns) {
        expect(to).toBe((ends.get(appId) ?? -1n) + 1n);
        ends.set(appId, to);
      }
      for (const { id } of facts.entry?.cuts ?? []) {
        expect(cuts.has(id)).toBe(false);
        cuts.set(id, version.version);
      }
    },
  });
  expect(log?.version).toBe(versions.length - 1);
  expect([...ends.values()]).toEqual(Array(WRITERS).fill(BigInt(COMMITS)));
  // what a writer was told is where it was told
  for (const { told } of racers) for (const { version, cutId } of told) expect(cuts.get(cutId)).toBe(version);
}

describe.sequential('writers that race for versions, are killed and lose answers', {
  timeout: TEST_MS_MAX,
}, () => {
  it('in a local folder', async () => {
    await withFolder(async (folder) => {
      const place = lakeAt(`${folder}/table`);
      await race(place, place, LOSSY, seededRandom(SEED));
    });
  });

  it('in a bucket', async () => {
    const random = seededRandom(SEED + 1);
    const prefix = rig.nextPrefix();
    const isCommit = ({ method, path }: SeenRequest) => method === 'PUT' && path.includes('/_delta_log/');
    const kinds: ProxyFault[] = [
      { kind: 'drop-answer' },
      { kind: 'drop-answer', status: 500 },
      { kind: 'answer', status: 503, body: '<Error><Code>SlowDown</Code></Error>' },
      { kind: 'reset-body', afterBytes: 100 },
      { kind: 'delay', ms: 300 },
    ];
    const faults = kinds.map((kind) =>
      rig.proxy.inject(kind, {
        times: 1e9,
        when: (request) => isCommit(request) && random.float() < LOSSY / kinds.length,
      }),
    );
    const late = rig.proxy.inject(
      { kind: 'late' },
      {
        times: 1e9,
        when: (request) => isCommit(request) && random.float() < LOSSY / kinds.length,
      },
    );
    late.release();
    const racing = rig.minio.place(prefix, { endpoint: rig.proxy.url });
    await race(rig.minio.place(prefix), racing, 0, random);
    expect([...faults, late].reduce((sum, { hits }) => sum + hits, 0)).toBeGreaterThan(0);
    for (const fault of [...faults, late]) fault.remove();
  });
});
