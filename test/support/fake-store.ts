import { setImmediate } from 'node:timers/promises';
import { HeadraceError } from '#src/errors.js';
import type { ObjectInfo, ObjectStore } from '#src/lake/store/store.js';
import type { Random } from '#src/random.js';

/** Objects in memory; several clients may share one. */
export class MemoryStore implements ObjectStore {
  readonly url = 'memory://table';
  readonly objects = new Map<string, Uint8Array>();
  readonly #modifiedMs = new Map<string, number>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => 0) {
    this.#nowMs = nowMs;
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'unknown'> {
    if (this.objects.has(path)) return 'exists';
    await this.put(path, bytes);
    return 'created';
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    this.objects.set(path, bytes.slice());
    this.#modifiedMs.set(path, this.#nowMs());
  }

  modifiedMs(path: string): number {
    return this.#modifiedMs.get(path) ?? 0;
  }

  async get(path: string): Promise<Uint8Array | null> {
    return this.objects.get(path)?.slice() ?? null;
  }

  async list(prefix: string, startAfter = ''): Promise<ObjectInfo[]> {
    return [...this.objects]
      .filter(([path]) => path.startsWith(prefix) && path > startAfter)
      .map(([path, bytes]) => ({ path, sizeBytes: bytes.byteLength, modifiedMs: this.modifiedMs(path) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async delete(path: string): Promise<void> {
    this.objects.delete(path);
  }
}

/**
 * What becomes of a put-if-absent: it works; fails or is not answered, before or after it landed; or lands some turns
 * after `unknown` was the answer.
 */
export type PutFault = 'none' | 'fails' | 'fails-after' | 'unanswered' | 'unanswered-after' | 'late';
export const PUT_FAULTS: readonly PutFault[] = [
  'none',
  'fails',
  'fails-after',
  'unanswered',
  'unanswered-after',
  'late',
];

export interface Faults {
  /** Asked at each put-if-absent, before anything happens. */
  onPut?(path: string): PutFault;
  /** True: the read fails. */
  onGet?(path: string): boolean;
  /** Turns of the event loop that an operation takes. */
  turns?(): number;
  /** Turns until a late put lands. */
  lateTurns?(): number;
}

/** One client's way to a store, with its faults. */
export class FaultyStore implements ObjectStore {
  readonly url = 'memory://faulty';
  readonly #store: ObjectStore;
  readonly #faults: Faults;
  /** Puts that have yet to land. */
  readonly #late = new Set<Promise<unknown>>();
  #cut = false;

  constructor(store: ObjectStore, faults: Faults = {}) {
    this.#store = store;
    this.#faults = faults;
  }

  /** The client is gone: nothing is answered any more. What is on its way may land all the same. */
  cutOff(): void {
    this.#cut = true;
  }

  /** Resolves when nothing is on its way any more. */
  async landed(): Promise<void> {
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'unknown'> {
    await this.#pass();
    const fault = this.#faults.onPut?.(path) ?? 'none';
    if (fault === 'fails') throw broken(path);
    if (fault === 'unanswered') return 'unknown';
    if (fault === 'late') {
      this.#landLater(path, bytes.slice());
      return 'unknown';
    }
    const outcome = await this.#store.putIfAbsent(path, bytes);
    await this.#pass();
    if (fault === 'fails-after') throw broken(path);
    return fault === 'unanswered-after' ? 'unknown' : outcome;
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#pass();
    await this.#store.put(path, bytes);
  }

  async get(path: string): Promise<Uint8Array | null> {
    await this.#pass();
    if (this.#faults.onGet?.(path)) throw broken(path);
    const bytes = await this.#store.get(path);
    await this.#pass();
    return bytes;
  }

  async list(prefix: string, startAfter?: string): Promise<ObjectInfo[]> {
    await this.#pass();
    return await this.#store.list(prefix, startAfter);
  }

  async delete(path: string): Promise<void> {
    await this.#pass();
    await this.#store.delete(path);
  }

  #landLater(path: string, bytes: Uint8Array): void {
    const landing = turns(this.#faults.lateTurns?.() ?? 3)
      .then(() => this.#store.putIfAbsent(path, bytes))
      .finally(() => this.#late.delete(landing));
    this.#late.add(landing);
  }

  async #pass(): Promise<void> {
    await turns(this.#faults.turns?.() ?? 0);
    if (this.#cut) await new Promise<never>(() => {});
  }
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}

/** A fault now and then; `share` of the puts and reads fail in some way. */
export function randomFaults(random: Random, share: number): Faults {
  return {
    onPut: () => (random.float() < share ? PUT_FAULTS[1 + random.below(PUT_FAULTS.length - 1)]! : 'none'),
    onGet: () => random.float() < share / 2,
    turns: () => random.below(3),
    lateTurns: () => random.below(30),
  };
}

function broken(path: string): HeadraceError {
  return new HeadraceError('LAKE_IO', 'the line is broken', { where: { path } });
}
