import { HeadraceError } from '#src/errors.js';
import type { ObjectInfo, ObjectStore } from '#src/lake/store/store.js';
import type { Random } from '#src/random.js';
import { MemoryStore, PUT_FAULTS, type PutFault } from '../../support/fake-store.js';
import { latencyMs, type SimProcess } from './sim-process.js';
import type { ToyLetter, ToyRow } from './toy-sessions.js';

/** The lake: what is in it does not depend on who asks. */
export interface SimLake {
  /** The log and the snapshots, as bytes. */
  objects: MemoryStore;
  /** Versions that were cleaned up, by path: what they said still counts, whatever was put in their places since. */
  archive: Map<string, Uint8Array>;
  /** Data files, as rows: the log says which of them count. */
  files: Map<string, ToyRow[]>;
  /** Files of dead letters. */
  letters: Map<string, SimLetter[]>;
  /** How often a request goes wrong, 0 to 1. */
  faults: number;
}

/** The whole log, as it would be without clean-up. */
export function truthOf(lake: SimLake): MemoryStore {
  if (lake.archive.size === 0) return lake.objects;
  const whole = new MemoryStore();
  for (const [path, bytes] of [...lake.objects.objects, ...lake.archive]) whole.objects.set(path, bytes);
  return whole;
}

/** The system writes to the disk what nobody asked it to. */
const WRITTEN_BACK_MS = 8_000;

export interface SimLetter extends ToyLetter {
  partition: number;
}

const LATE_MS_MAX = 8_000;

/**
 * An engine's way to the lake. A request that is under way arrives whatever becomes of the engine; its answer reaches the
 * engine when it runs.
 */
export class StoreLine implements ObjectStore {
  readonly url = 'memory://lake';
  readonly #lake: SimLake;
  readonly #process: SimProcess;
  readonly #random: Random;

  /** Data files that are not on the disk yet. */
  readonly #inMemory = new Set<string>();
  readonly #fsyncs: boolean;
  readonly #unseen: RegExp | null;

  /** `fsyncs`: what is written is on the disk when that is answered. `unseen`: what the engine has no eyes for. */
  constructor(
    lake: SimLake,
    process: SimProcess,
    random: Random,
    { fsyncs, unseen }: { fsyncs: boolean; unseen: RegExp | null },
  ) {
    this.#unseen = unseen;
    this.#fsyncs = fsyncs;
    this.#lake = lake;
    this.#process = process;
    this.#random = random;
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<'created' | 'exists' | 'unknown'> {
    const fault = this.#putFault();
    if (fault === 'late') this.#landLater(path, bytes);
    const applied = fault === 'fails' || fault === 'unanswered' || fault === 'late' ? null : bytes;
    const outcome = await this.#request(async () =>
      applied === null ? ('unknown' as const) : await this.#lake.objects.putIfAbsent(path, applied),
    );
    if (fault === 'fails' || fault === 'fails-after') throw broken(path);
    return fault === 'none' ? outcome : 'unknown';
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.#request(() => this.#lake.objects.put(path, bytes));
    this.#mayFail(path);
  }

  /** A data file. */
  async putFile(path: string, rows: ToyRow[]): Promise<void> {
    await this.#request(async () => {
      this.#lake.files.set(path, rows);
      if (this.#fsyncs) return;
      this.#inMemory.add(path);
      this.#process.timeline.after(WRITTEN_BACK_MS, () => this.#inMemory.delete(path));
    });
    this.#mayFail(path);
  }

  /** The machine goes down: what is not on its disk was never there. */
  machineDown(): void {
    for (const path of this.#inMemory) this.#lake.files.delete(path);
  }

  async putLetters(path: string, letters: SimLetter[]): Promise<void> {
    await this.#request(async () => this.#lake.letters.set(path, letters));
    this.#mayFail(path);
  }

  async get(path: string): Promise<Uint8Array | null> {
    const bytes = await this.#request(() => this.#lake.objects.get(path));
    if (this.#unseen?.test(path)) return null;
    this.#mayFail(path);
    return bytes;
  }

  async list(prefix: string, startAfter?: string): Promise<ObjectInfo[]> {
    return await this.#request(() => this.#lake.objects.list(prefix, startAfter));
  }

  async delete(path: string): Promise<void> {
    await this.#request(() => this.#lake.objects.delete(path));
  }

  #putFault(): PutFault {
    if (this.#random.float() >= this.#lake.faults) return 'none';
    return PUT_FAULTS[1 + this.#random.below(PUT_FAULTS.length - 1)]!;
  }

  #mayFail(path: string): void {
    if (this.#random.float() < this.#lake.faults / 3) throw broken(path);
  }

  #landLater(path: string, bytes: Uint8Array): void {
    const lateMs = this.#random.below(LATE_MS_MAX);
    this.#process.timeline.after(lateMs, () => void this.#lake.objects.putIfAbsent(path, bytes));
  }

  async #request<T>(work: () => Promise<T>): Promise<T> {
    const { timeline } = this.#process;
    return await new Promise<T>((resolve, reject) => {
      timeline.after(latencyMs(this.#random), () => {
        work().then(
          (answer) => this.#process.after(latencyMs(this.#random), () => resolve(answer)),
          (error: unknown) => this.#process.after(0, () => reject(error)),
        );
      });
    });
  }
}

function broken(path: string): HeadraceError {
  return new HeadraceError('LAKE_IO', 'the line is broken', { where: { path } });
}
