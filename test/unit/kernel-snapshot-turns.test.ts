import { describe, expect, it } from 'vitest';
import { workerMemory } from '#src/config/worker-memory.js';
import { type Random, seededRandom } from '#src/random.js';
import { openBatches } from '#src/reference/batch-reader.js';
import { decodeState } from '#src/reference/state-codec.js';
import type { LaneEngine, SessionEngine, StateInTurns } from '../../workers/engines/engine.js';
import { makeEngine } from '../../workers/engines/make-engine.js';
import { compareStates } from '../fuzz/state-compare.js';
import { batchOf, model } from '../support/fake-worker-input.js';
import type { TinyEvent } from '../support/reference-lane.js';

/** A snapshot is of the place where it was begun, whatever the lane takes between its turns; times are seconds. */

const LIMITS = {
  sessionMemoryBytes: 32 * 2 ** 20,
  recordBytesMax: 2 ** 20,
  decompressedBatchBytesMax: 2 ** 23,
};
const WHERE = { topic: 'clicks', partition: 0 };
/** More than a turn takes. */
const USERS = 4_000;

function engineOf(engine: 'kernel' | 'reference'): SessionEngine {
  const ringCapacityBytes = 2 ** 16;
  const pages = workerMemory({ ...LIMITS, ringBytes: ringCapacityBytes }, engine).totalPages;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return makeEngine({ engine, model, memory, limits: LIMITS, ringCapacityBytes });
}

class Lane {
  readonly engine: SessionEngine;
  readonly lane: LaneEngine;
  #offset = 0n;

  constructor(engine: SessionEngine) {
    this.engine = engine;
    this.lane = this.engine.lane(null);
  }

  send(events: readonly TinyEvent[]): void {
    const from = this.#offset;
    this.#offset += BigInt(events.length);
    const bytes = batchOf(events, Number(from));
    const options = { fromOffset: from, limits: LIMITS, where: WHERE, aborted: [] };
    openBatches(bytes, options, this.engine.codecs, (batch) => {
      expect(this.lane.accept(batch, from, this.#offset).full).toBe(false);
    });
  }
}

function users(from: number, count: number, at: number): TinyEvent[] {
  return Array.from({ length: count }, (_, user) => ({
    user: `user ${from + user}`,
    at,
    page: `/${user % 7}`,
  }));
}

function rest(state: StateInTurns, parts: Uint8Array[] = []): Uint8Array {
  for (let some = state.next(); some !== null; some = state.next()) parts.push(...some);
  return Buffer.concat(parts);
}

/** Some users go on, some are new, and time may pass, so that sessions close and their keys go. */
function someEvents(random: Random, newest: number, at: number): TinyEvent[] {
  const old = Array.from({ length: 60 }, () => ({ user: `user ${random.below(newest)}`, at, page: '/more' }));
  return [...old, ...users(newest, random.below(300), at)];
}

describe('a snapshot in turns', () => {
  it.each([1, 2, 3, 4])('holds what the lane was when it began, seed %i', (seed) => {
    const random = seededRandom(seed);
    const [kernel, reference] = [new Lane(engineOf('kernel')), new Lane(engineOf('reference'))];
    const send = (events: readonly TinyEvent[]) => {
      kernel.send(events);
      reference.send(events);
    };
    send(users(0, USERS, 0));
    send(users(0, USERS / 2, 4));
    let newest = USERS;
    let at = 5;
    let turns = 0;
    for (let snapshot = 0; snapshot < 3; snapshot++) {
      const expected = reference.lane.snapshot();
      const state = kernel.lane.beginSnapshot();
      const parts: Uint8Array[] = [];
      for (;;) {
        if (random.below(3) === 0) at += random.below(9);
        const events = someEvents(random, newest, at);
        newest += events.length - 60;
        send(events);
        if (random.below(4) === 0) {
          const marks = [{ early: true }, { endOfInput: true }, { evictBeforeMs: 0 }][random.below(3)]!;
          kernel.lane.applyMarks(marks);
          reference.lane.applyMarks(marks);
        }
        const some = state.next();
        if (some === null) break;
        parts.push(...some);
        turns++;
      }
      compareStates(model, Buffer.concat(parts), expected);
    }
    // a mark that touches all keys ends one at once
    expect(turns).toBeGreaterThan(5);
  });

  it('holds it when another lane’s turns and sweeps of the values come between', () => {
    const [kernel, reference] = [engineOf('kernel'), engineOf('reference')];
    const lanes = [0, 1].map(() => ({ kernel: new Lane(kernel), reference: new Lane(reference) }));
    const send = (events: readonly TinyEvent[]) => {
      for (const lane of lanes) {
        lane.kernel.send(events);
        lane.reference.send(events);
      }
    };
    send(users(0, USERS, 0));
    for (let at = 1; at < 4; at++) {
      send(users(0, USERS, at).map((event, index) => ({ ...event, page: `/often/${(index + at) % 900}` })));
    }
    const states = lanes.map((lane) => ({
      expected: lane.reference.lane.snapshot(),
      state: lane.kernel.lane.beginSnapshot(),
      parts: [] as Uint8Array[],
    }));
    for (let turn = 0, left = 2; left > 0; turn++) {
      left = 0;
      for (const { state, parts } of states) {
        const some = state.next();
        if (some === null) continue;
        parts.push(...some);
        left++;
      }
      // what is changed to is pinned: a sweep comes with every four mebibytes of it
      const page = (user: number) => `${turn} ${user} `.repeat(6_000);
      send(users(0, 20, 4).map((event, user) => ({ ...event, page: page(user) })));
    }
    for (const { expected, parts } of states) {
      const content = Buffer.concat(parts);
      compareStates(model, content, expected);
      compareStates(model, kernel.lane(content).snapshot(), expected);
    }
  });

  it('is finished before the next one begins', () => {
    const { lane, engine } = new Lane(engineOf('kernel'));
    const sender = new Lane(engine);
    sender.send(users(0, USERS, 0));
    const first = sender.lane.beginSnapshot();
    sender.send(users(USERS, 10, 1));
    const second = sender.lane.beginSnapshot();
    expect(decodeState(model, rest(second)).keys).toHaveLength(USERS + 10);
    expect(decodeState(model, rest(first)).keys).toHaveLength(USERS);
    expect(first.abandoned).toBe(false);
    lane.free();
  });

  it('is given up when its lane goes, and the next lane there has one of its own', () => {
    const engine = engineOf('kernel');
    const gone = new Lane(engine);
    gone.send(users(0, USERS, 0));
    const state = gone.lane.beginSnapshot();
    gone.send(users(0, 100, 1));
    gone.lane.free();
    expect(state.next()).toBeNull();
    expect(state.abandoned).toBe(true);
    const next = new Lane(engine);
    next.send(users(0, 10, 0));
    expect(decodeState(model, rest(next.lane.beginSnapshot())).keys).toHaveLength(10);
  });
});
