import { expect, it } from 'vitest';
import { workerMemory } from '#src/config/worker-memory.js';
import type { LaneState } from '#src/reference/lane-state.js';
import { encodeState } from '#src/reference/state-codec.js';
import type { SessionEngine } from '../../workers/engines/engine.js';
import { makeEngine } from '../../workers/engines/make-engine.js';
import { LaneProbe, tinyModel } from '../support/reference-lane.js';

const MODEL = tinyModel();
const SESSIONS = 30_000;
/** Of sessions that are all open. More than the kernel takes at a time: between two portions it looks at its memory. */
const CONTENT = content();

function content(): Buffer {
  const state = new LaneProbe(MODEL).send({ user: 'u', at: 0, page: '/', price: 7 }).lane.snapshot();
  const [{ sessions }] = state.keys as [LaneState['keys'][number]];
  const keys = Array.from({ length: SESSIONS }, (_, user) => ({
    key: `user ${user}`,
    endMarkersMs: [],
    sessions,
  }));
  return Buffer.from(encodeState(MODEL, { ...state, keys }));
}

function kernelWith(sessionMemoryBytes: number): SessionEngine {
  const limits = { sessionMemoryBytes, recordBytesMax: 2 ** 20, decompressedBatchBytesMax: 2 ** 20 };
  const ringCapacityBytes = 2 ** 16;
  const pages = workerMemory({ ...limits, ringBytes: ringCapacityBytes }, 'kernel').totalPages;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return makeEngine({ engine: 'kernel', model: MODEL, memory, limits, ringCapacityBytes });
}

/** Whatever is done twice leaves as much as when it was done once: tables that all lanes share stay as large as they were. */
function expectNoTrace(engine: SessionEngine, work: () => void): void {
  work();
  const { sessionBytes } = engine;
  work();
  expect(engine.sessionBytes).toBe(sessionBytes);
}

it('a snapshot that does not fit the sessions’ memory is refused as that, and leaves no trace', () => {
  const engine = kernelWith(2 ** 20);
  expectNoTrace(engine, () => {
    expect(() => engine.lane(CONTENT)).toThrow(expect.objectContaining({ code: 'SESSION_MEMORY_FULL' }));
  });
});

it('the same snapshot is taken where there is room, and what it takes is given back with its lane', () => {
  const engine = kernelWith(2 ** 24);
  const before = engine.sessionBytes;
  expectNoTrace(engine, () => {
    const lane = engine.lane(CONTENT);
    expect(lane.openSessions).toBe(SESSIONS);
    expect(engine.sessionBytes).toBeGreaterThan(before + SESSIONS * 50);
    lane.free();
  });
});

it('an engine without lanes takes as much as a new one, however many values its sessions had', () => {
  const engine = kernelWith(2 ** 24);
  const { sessionBytes } = engine;
  const pages = Array.from({ length: 500 }, (_, i) => ({ user: 'u', at: i / 500, page: `/${i}`, price: i }));
  const probe = new LaneProbe(MODEL).send(...pages);
  const lane = engine.lane(Buffer.from(encodeState(MODEL, probe.lane.snapshot())));
  expect(engine.sessionBytes).toBeGreaterThan(sessionBytes + pages.length * 16);
  lane.free();
  expect(engine.sessionBytes).toBe(sessionBytes);
});

it.each<[string, Uint8Array, string]>([
  ['cut off', CONTENT.subarray(0, -1), 'it is cut off'],
  ['longer than its keys', Buffer.concat([CONTENT, Buffer.of(0)]), 'bytes behind the last key'],
  ['there with a key twice', twice(), 'sessions that can not be'],
])('content that is %s is an error of the content, and leaves no trace', (_, bytes, says) => {
  const engine = kernelWith(2 ** 24);
  expectNoTrace(engine, () => expect(() => engine.lane(bytes)).toThrow(new Error(says)));
});

function twice(): Uint8Array {
  const bytes = Buffer.concat([CONTENT, CONTENT.subarray(12)]);
  bytes.writeUInt32LE(2 * SESSIONS, 8);
  return bytes;
}
