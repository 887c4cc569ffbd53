import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '#src/clock.js';
import { Supervisor } from '#src/commands/run/supervisor.js';
import type { EngineFacts } from '#src/metrics/facts.js';
import { engineFacts, laneFacts } from '../support/engine-facts.js';
import { FakeLog } from '../support/fake-log.js';
import { eventually } from '../support/fake-time.js';
import { NotifySocket } from '../support/notify-socket.js';

/** Whether systemd is told that the engine lives: facts and time are the test's, the messages go over a socket as systemd's. */
const TEST_MS_MAX = 180_000;
const WATCHDOG_MS = 240_000;
const STEP_MS = 10_000;

/** Time passes when it is told to. */
class SteppedClock implements Clock {
  #ms = 0;
  #wake: (() => void)[] = [];

  nowMs = () => this.#ms;
  monotonicMs = () => this.#ms;
  sleep = () => new Promise<void>((resolve) => this.#wake.push(resolve));

  /** Resolves when who slept has looked and sleeps again. */
  async step(ms: number): Promise<void> {
    this.#ms += ms;
    for (const wake of this.#wake.splice(0)) wake();
    await eventually('it sleeps again', () => this.#wake.length > 0);
  }
}

let folder: string;
let socket: NotifySocket;
let clock: SteppedClock;
let log: FakeLog;
let facts: EngineFacts;
let supervisor: Supervisor;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headrace-watchdog-'));
  socket = await NotifySocket.open(join(folder, 'notify'));
  process.env.NOTIFY_SOCKET = socket.path;
  [clock, log, facts] = [new SteppedClock(), new FakeLog(), quiet()];
  supervisor = new Supervisor({
    ...{ socket: socket.path, watchdogMs: WATCHDOG_MS, clock, log },
    readiness: () => ({ ready: true, reasons: [], warnings: [] }),
    facts: () => facts,
  });
}, TEST_MS_MAX);

afterEach(async () => {
  delete process.env.NOTIFY_SOCKET;
  socket?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Two lanes that have read all there is, and a worker with nothing before it. */
function quiet(): EngineFacts {
  const facts = engineFacts();
  const lanes = [3, 4].map((partition) => laneFacts(partition, { lag: 0, waitsFor: 'records' }));
  return { ...facts, lanes, workers: facts.workers.map((worker) => ({ ...worker, ringUsedBytes: 0 })) };
}

/** Lane 3 stands at an offset with records behind it. */
function lane3(more: Parameters<typeof laneFacts>[1]): EngineFacts {
  return { ...quiet(), lanes: [laneFacts(3, { position: 1_204, lag: 77, ...more }), quiet().lanes[1]!] };
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) await clock.step(STEP_MS);
}

/** How often it was fed so far: messages arrive in order, so those before one that is sent now are all there are. */
async function fed(): Promise<number> {
  const before = socket.messages.length;
  supervisor.reloaded();
  await eventually('it was told', () => socket.messages.includes('READY=1', before), TEST_MS_MAX);
  return socket.messages.filter((message) => message === 'WATCHDOG=1').length;
}

const TOLD = 'lanes have records to read and get no further';

describe('the watchdog', { timeout: TEST_MS_MAX }, () => {
  it('is fed while lanes are idle, for as long as they are', async () => {
    await pass(4 * WATCHDOG_MS);
    // once in a third of its time
    expect(await fed()).toBeGreaterThanOrEqual(12);
    expect(log.lines).toEqual([]);
  });

  it('is not fed any more when a lane is frozen, with one line that says which, where, and what happens', async () => {
    facts = lane3({ waitsFor: null });
    await pass(WATCHDOG_MS / 2 + STEP_MS);
    const before = await fed();
    expect(before).toBeGreaterThanOrEqual(1);
    expect(log.with(TOLD)).toEqual([
      {
        level: 'error',
        fields: { topic: 'clicks', partition: '3', offset: '1204', lag: '77' },
        message: expect.stringMatching(
          /the watchdog is not fed, so that systemd starts the engine anew; nothing is lost/,
        ),
      },
    ]);
    await pass(2 * WATCHDOG_MS);
    expect(await fed()).toBe(before);
    expect(log.with(TOLD)).toHaveLength(1);
    // it got on after all
    facts = lane3({ waitsFor: null, position: 1_205 });
    await pass(STEP_MS);
    expect(await fed()).toBe(before + 1);
  });

  it('is fed while a sink is down: what is held back for it is no fault of a lane', async () => {
    facts = { ...lane3({ waitsFor: 'cuts' }), isLakeInTrouble: true };
    await pass(10 * WATCHDOG_MS);
    expect(await fed()).toBeGreaterThanOrEqual(30);
    // ClickHouse holds nothing back
    const followers = facts.followers.map((each) => ({ ...each, isInTrouble: true }));
    facts = { ...quiet(), followers };
    await pass(4 * WATCHDOG_MS);
    expect(await fed()).toBeGreaterThanOrEqual(42);
    expect(log.lines).toEqual([]);
  });

  it('is fed while a lane replays and gets on', async () => {
    for (let second = 0; second < 1_500; second += 100) {
      facts = lane3({
        state: 'recovering',
        waitsFor: null,
        position: 1_204 + second,
        replayingSeconds: second,
      });
      await pass(100_000);
    }
    expect(await fed()).toBeGreaterThanOrEqual(15);
    expect(log.lines).toEqual([]);
  });

  it('is not fed either when a worker takes nothing, as before', async () => {
    const [worker] = quiet().workers;
    facts = { ...quiet(), workers: [{ ...worker!, ringUsedBytes: 64 }] };
    await pass(WATCHDOG_MS / 2 + STEP_MS);
    const before = await fed();
    await pass(2 * WATCHDOG_MS);
    expect(await fed()).toBe(before);
    expect(log.with('workers take nothing any more')).toHaveLength(1);
  });
});
