import { systemClock } from '#src/clock.js';
import { encodeRows } from '#src/columnar/encode.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { CommitDraft, Ledger } from '#src/ledger/ledger.js';
import type { CutLaneEntry, SealedFile } from '#src/ledger/types.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import type { Random } from '#src/random.js';

/** Commits as an engine makes them, a second each: one file a worker, with rows of that worker's lanes. */
export interface CatchupLakeOptions {
  store: ObjectStore;
  ledger: Ledger;
  model: CompiledModel;
  /** Sessions of one day that files take in turn, each time under another id. */
  sessions: readonly Row[];
  day: string;
  rowsACommit: number;
  workers: number;
  lanes: number;
  random: Random;
}

export interface WrittenCut {
  id: string;
  files: { worker: number; sealed: SealedFile; bytes: Uint8Array }[];
}

/** Rows and files that are committed are counted. */
export class CatchupLake {
  readonly #options: CatchupLakeOptions;
  #serial = 0;
  #rows = 0;
  #files = 0;

  constructor(options: CatchupLakeOptions) {
    this.#options = options;
  }

  get rows(): number {
    return this.#rows;
  }

  get files(): number {
    return this.#files;
  }

  /** The files of one version: they lie in the table's folder, and nobody knows of them yet. */
  async write(): Promise<WrittenCut> {
    const id = this.#options.random.id63();
    const files: WrittenCut['files'] = [];
    for (let worker = 0; worker < this.#options.workers; worker++) files.push(await this.#write(id, worker));
    return { id: `${id}`, files };
  }

  /** The next version. */
  async commit({ id, files }: WrittenCut): Promise<void> {
    const { ledger, lanes } = this.#options;
    const sealed = files.map((file) => file.sealed);
    const createdAtMs = systemClock.nowMs();
    await ledger.commit(() => draftOf(ledger, { id, createdAtMs, lanes, files: sealed }));
    this.#files += files.length;
    for (const { rows } of sealed) this.#rows += rows;
  }

  async #write(batchId: bigint, worker: number) {
    const { model, store, random, rowsACommit, workers, lanes, day } = this.#options;
    const fileId = random.id63();
    const count = Math.floor(rowsACommit / workers);
    const rows = Array.from({ length: count }, () => this.#row(this.#serial++));
    const encoded = encodeRows(model, rows, { createdAtMs: systemClock.nowMs(), batchId, fileId });
    const path = `${model.partitionColumn}=${day}/part-${batchId}-${worker}-${fileId}.parquet`;
    await store.put(path, encoded.bytes);
    const own = Array.from({ length: lanes }, (_, lane) => lane).filter((lane) => lane % workers === worker);
    const sealed: SealedFile = {
      path,
      partitionValues: { [model.partitionColumn]: day },
      rows: count,
      lanes: own,
      laneRows: laneRowsOf(own, count),
      sizeBytes: encoded.bytes.byteLength,
      stats: encoded.stats,
    };
    return { worker, sealed, bytes: encoded.bytes };
  }

  #row(serial: number): Row {
    const { sessions, model } = this.#options;
    const id = model.columns.findIndex(({ name }) => name === 'session_id');
    const row = [...sessions[serial % sessions.length]!];
    row[id] = `${row[id]}-${serial}`;
    return row;
  }
}

function laneRowsOf(lanes: readonly number[], rows: number) {
  const each = Math.floor(rows / lanes.length);
  return lanes.map((partition, i) => ({
    partition,
    rows: i === 0 ? rows - each * (lanes.length - 1) : each,
  }));
}

function draftOf(
  ledger: Ledger,
  cut: { id: string; createdAtMs: number; lanes: number; files: readonly SealedFile[] },
): CommitDraft {
  const entries = Array.from({ length: cut.lanes }, (_, partition): CutLaneEntry => {
    const known = ledger.lane(partition);
    const from = Number(known?.committedTo ?? 0n);
    return {
      partition,
      from,
      to: from + 1,
      watermarkMs: cut.createdAtMs,
      marks: {},
      rows: 0,
      deadLetters: 0,
      crc: 0,
      parent: known?.version ?? -1,
      ...(known === undefined ? { start: true as const, to: from } : {}),
    };
  });
  const files = cut.files.map(({ path, rows, lanes, laneRows = [] }) => ({ path, rows, lanes, laneRows }));
  return {
    files: cut.files,
    lanes: entries.map(({ partition, to }) => ({ partition, to: BigInt(to) })),
    cuts: [{ id: cut.id, createdAtMs: cut.createdAtMs, lanes: entries, deadLetterFiles: [], files }],
  };
}
