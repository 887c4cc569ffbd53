import { isUnknownOutcome } from '#src/clickhouse/errors.js';
import type { InsertFile } from '#src/clickhouse/file.js';
import { FileInsert } from '#src/clickhouse/insert.js';
import type { ClickHouseTarget } from '#src/clickhouse/target.js';
import { type Clock, systemClock } from '#src/clock.js';
import { crashPoint } from '#src/crash-points.js';
import { HeadraceError, messageOf } from '#src/errors.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { CompiledModel } from '#src/model/types.js';
import type { WorkerMessage } from '#src/pool/messages.js';
import type { WorkerCounters } from '#src/telemetry/counters.js';
import { probeOf } from './row-probe.js';

/**
 * Inserts files of the table into ClickHouse when the main thread says so, beside the lanes: all of it waits for sockets.
 * Files that this worker wrote are kept in memory until then, up to a bound; others are read from the table. Either way it
 * is the same bytes, which the ledger's size is compared with.
 */
export interface InserterOptions {
  target: ClickHouseTarget;
  model: CompiledModel;
  store: ObjectStore;
  counters: WorkerCounters;
  post(message: WorkerMessage): void;
  clock?: Clock;
}

export class Inserter {
  readonly #options: InserterOptions;
  readonly #insert: FileInsert;
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #kept = new Map<string, Uint8Array>();
  #keptBytes = 0;
  readonly #running = new Map<number, AbortController>();

  constructor(options: InserterOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#insert = new FileInsert(options.target, options.model);
  }

  /** These bytes are on disk; they will be inserted when their commit is. */
  keep(path: string, bytes: Uint8Array): void {
    this.#kept.set(path, bytes);
    this.#keptBytes += bytes.byteLength;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= this.#options.target.keptBytes) break;
      this.forget([oldest]);
    }
    this.#options.counters.set('clickhouseKeptBytes', this.#keptBytes);
  }

  forget(paths: readonly string[]): void {
    for (const path of paths) {
      this.#keptBytes -= this.#kept.get(path)?.byteLength ?? 0;
      this.#kept.delete(path);
    }
    this.#options.counters.set('clickhouseKeptBytes', this.#keptBytes);
  }

  /** Answered by a message, whatever comes. */
  async insert(id: number, file: InsertFile): Promise<void> {
    const { counters, post } = this.#options;
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const bytes = await this.#bytesOf(file);
      const beganMs = this.#clock.monotonicMs();
      await this.#insert.insert(file, bytes, abort.signal);
      crashPoint('clickhouse.after-insert');
      counters.add('clickhouseFiles', 1);
      counters.add('clickhouseRows', file.rows);
      counters.add('clickhouseBytes', bytes.byteLength);
      counters.observe('clickhouseInsertNs', Math.round((this.#clock.monotonicMs() - beganMs) * 1e6));
      counters.observe('clickhouseInsertBytes', bytes.byteLength);
      counters.observe('clickhouseInsertRows', file.rows);
      this.forget([file.path]);
      post({ type: 'inserted', id, error: null, unknown: false });
    } catch (error) {
      counters.add('clickhouseErrors', 1);
      const unknown = abort.signal.aborted || isUnknownOutcome(error);
      post({ type: 'inserted', id, error: plainOf(error, file.path), unknown });
    } finally {
      this.#running.delete(id);
    }
  }

  cancel(id: number): void {
    this.#running.get(id)?.abort();
  }

  /** Answered by a message, whatever comes. */
  async probe(id: number, file: InsertFile): Promise<void> {
    const { post } = this.#options;
    try {
      post({ type: 'probed', id, error: null, probe: probeOf(await this.#bytesOf(file)) });
    } catch (error) {
      post({ type: 'probed', id, error: plainOf(error, file.path), probe: null });
    }
  }

  async close(): Promise<void> {
    for (const abort of this.#running.values()) abort.abort();
    await this.#insert.close();
  }

  async #bytesOf({ path: committed, sizeBytes: size, now }: InsertFile): Promise<Uint8Array> {
    const { path, sizeBytes } = now ?? { path: committed, sizeBytes: size };
    const bytes = this.#kept.get(path) ?? (await this.#options.store.get(path));
    if (bytes !== null && bytes.byteLength === sizeBytes) return bytes;
    const what = bytes === null ? 'is not there' : `has ${bytes.byteLength} bytes`;
    throw new HeadraceError('LAKE_IO', `a file of the table ${what}`, {
      where: { table: this.#options.store.url, path, ledger_bytes: sizeBytes },
      remedy: 'bring the file back from a copy of the table: without it ClickHouse stays behind here',
    });
  }
}

function plainOf(error: unknown, path: string) {
  if (error instanceof HeadraceError) return error.toPlain();
  return new HeadraceError('INVARIANT', messageOf(error), { where: { path }, cause: error }).toPlain();
}
