import { systemClock } from '#src/clock.js';
import { encodeRows } from '#src/columnar/encode.js';
import { groupByDate } from '#src/columnar/session-date.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { Ledger } from '#src/ledger/ledger.js';
import type { CutEntry, SealedFile } from '#src/ledger/types.js';
import type { CompiledModel, Row } from '#src/model/types.js';
import { type Random, seededRandom } from '#src/random.js';
import { clickstreamRow } from './columnar-model.js';
import { laneEntry, openLedger } from './fake-ledger.js';

/**
 * Sessions that begin, change and merge, cut by cut, in a real table: files as workers write them (one a worker and day, with
 * the rows of several lanes), versions as the coordinator commits them.
 */
export interface WrittenFile {
  path: string;
  bytes: Uint8Array;
  worker: number;
}

const DAY_MS = 86_400_000;

export class SessionStory {
  readonly store: ObjectStore;
  /** Paths of all files, in the ledger's order. */
  readonly files: string[] = [];
  readonly #model: CompiledModel;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #lanes: number;
  readonly #workers: number;
  /** By lane: the rows that stand. */
  readonly #standing: Row[][];
  #serial = 0;

  private constructor(
    store: ObjectStore,
    model: CompiledModel,
    ledger: Ledger,
    options: { random: Random; lanes: number; workers: number },
  ) {
    this.store = store;
    this.#model = model;
    this.#ledger = ledger;
    this.#random = options.random;
    this.#lanes = options.lanes;
    this.#workers = options.workers;
    this.#standing = Array.from({ length: options.lanes }, () => []);
  }

  static async begin(
    store: ObjectStore,
    model: CompiledModel,
    { seed, lanes, workers }: { seed: number; lanes: number; workers: number },
  ): Promise<SessionStory> {
    const random = seededRandom(seed);
    const ledger = await openLedger(store, { engineId: 'storyteller', clock: systemClock, random });
    return new SessionStory(store, model, ledger, { random, lanes, workers });
  }

  /** One cut of all lanes, in a version of its own. */
  async cut(): Promise<WrittenFile[]> {
    const id = this.#random.id63();
    const written: (WrittenFile & { sealed: SealedFile })[] = [];
    const lanes: number[] = [];
    for (let worker = 0; worker < this.#workers; worker++) {
      const rows = new Map<Row, number>();
      for (let lane = worker; lane < this.#lanes; lane += this.#workers) {
        const changes = this.#changes(lane);
        if (changes.length > 0) lanes.push(lane);
        for (const row of changes) rows.set(row, lane);
      }
      for (const [date, dated] of groupByDate(this.#model, [...rows.keys()])) {
        written.push(
          await this.#write(worker, id, date, dated, [...new Set(dated.map((row) => rows.get(row)!))]),
        );
      }
    }
    await this.#commit(
      id,
      lanes,
      written.map(({ sealed }) => sealed),
    );
    return written;
  }

  /** −old +new for sessions that changed, −a −b +ab for two that met, + for new ones. */
  #changes(lane: number): Row[] {
    const standing = this.#standing[lane]!;
    const rows: Row[] = [];
    for (let change = this.#random.below(4); change > 0 && standing.length > 0; change--) {
      const old = standing.splice(this.#random.below(standing.length), 1)[0]!;
      rows.push(this.#with(old, { sign: -1 }));
      if (standing.length > 0 && this.#random.below(3) === 0) {
        rows.push(this.#with(standing.splice(this.#random.below(standing.length), 1)[0]!, { sign: -1 }));
      }
      const { revision } = this.#model.columnIndex;
      const changed = this.#with(old, { revision: (old[revision] as number) + 1 });
      standing.push(changed);
      rows.push(changed);
    }
    for (let count = this.#random.below(5); count > 0; count--) {
      const row = clickstreamRow(this.#random, ++this.#serial);
      const start = this.#model.columnIndex.session_start;
      row[start] = (row[start] as number) + this.#random.below(2) * DAY_MS;
      standing.push(row);
      rows.push(row);
    }
    return rows;
  }

  #with(row: Row, { sign, revision }: { sign?: number; revision?: number }): Row {
    const copy = [...row];
    if (sign !== undefined) copy[this.#model.columnIndex.sign] = sign;
    if (revision !== undefined) copy[this.#model.columnIndex.revision] = revision;
    return copy;
  }

  async #write(worker: number, cutId: bigint, date: string, rows: Row[], lanes: number[]) {
    const fileId = this.#random.id63();
    const { bytes, stats } = encodeRows(this.#model, rows, { createdAtMs: DAY_MS, batchId: cutId, fileId });
    const path = `session_date=${date}/part-${cutId}-${worker}-${fileId}.parquet`;
    await this.store.put(path, bytes);
    this.files.push(path);
    const partitionValues = { session_date: date };
    const sealed = { path, partitionValues, sizeBytes: bytes.byteLength, rows: rows.length, stats, lanes };
    return { path, bytes, worker, sealed };
  }

  async #commit(id: bigint, lanes: readonly number[], files: SealedFile[]): Promise<void> {
    const moved = lanes.map((lane) => {
      const from = Number(this.#ledger.lane(lane)?.committedTo ?? 0n);
      return laneEntry(lane, from, from + 10, this.#ledger.lane(lane)?.version ?? -1);
    });
    const cut: CutEntry = {
      id: id.toString(),
      createdAtMs: DAY_MS,
      lanes: moved,
      deadLetterFiles: [],
      files: files.map(({ path, rows, lanes: own }) => ({ path, rows, lanes: own })),
    };
    await this.#ledger.commit(() => ({
      files,
      lanes: moved.map(({ partition, to }) => ({ partition, to: BigInt(to) })),
      cuts: [cut],
    }));
  }
}
