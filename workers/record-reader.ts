import { JsonRows } from '#src/columnar/json-rows.js';
import { HeadraceError, messageOf } from '#src/errors.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { decodeDeadLetters } from '#src/ledger/dead-letter-file.js';
import { RecordPacker, type RecordRequest, type TopicRecord } from '#src/ledger/record-pack.js';
import type { LaneRows } from '#src/ledger/types.js';
import type { CompiledModel } from '#src/model/types.js';
import type { WorkerMessage } from '#src/pool/messages.js';

/**
 * Reads files of the table back as records for topics: rows as JSON, dead letters as they came. An answer holds a part of
 * a file, so that neither thread is held up for long; the last file read is kept until its end was handed over.
 */
export interface RecordReaderOptions {
  model: CompiledModel;
  store: ObjectStore;
  post(message: WorkerMessage, transfer: ArrayBuffer[]): void;
}

/** Of one answer: some 20 ms of work. */
const RECORDS_MAX = 2_000;
const BYTES_MAX = 2 * 2 ** 20;

/** A file of which no row is left has no place. */
const NOTHING = { path: '', sizeBytes: 0 };

/** The records of a file, in its order. */
interface OpenFile {
  lanes: readonly LaneRows[];
  record(index: number, partition: number): TopicRecord;
}

export class RecordReader {
  readonly #options: RecordReaderOptions;
  #open: { name: string; file: OpenFile } | null = null;

  constructor(options: RecordReaderOptions) {
    this.#options = options;
  }

  /** Answered by a message, whatever comes. */
  async read(id: number, request: RecordRequest): Promise<void> {
    const { post } = this.#options;
    try {
      const name = `${request.path} ${request.rewrite?.now?.path}`;
      if (this.#open?.name !== name) this.#open = { name, file: await this.#file(request) };
      const { file } = this.#open;
      const { packer, skipped, more } = pack(file, request);
      if (!more) this.#open = null;
      const bytes = packer.take();
      post({ type: 'records', id, error: null, bytes, skipped, more }, [bytes.buffer]);
    } catch (error) {
      this.#open = null;
      const failure =
        error instanceof HeadraceError
          ? error
          : new HeadraceError('LAKE_IO', messageOf(error), { where: { path: request.path }, cause: error });
      post({ type: 'records', id, error: failure.toPlain(), bytes: null, skipped: [], more: false }, []);
    }
  }

  async #file(request: RecordRequest): Promise<OpenFile> {
    const { laneRows, rewrite } = request;
    const { path, sizeBytes } = rewrite === undefined ? request : (rewrite.now ?? NOTHING);
    const bytes = path === NOTHING.path ? null : await this.#bytes(path, sizeBytes);
    if (laneRows === null) return letterFile(bytes!);
    const rows = bytes === null ? null : new JsonRows(this.#options.model, bytes);
    const named = laneRows.reduce((sum, lane) => sum + lane.rows, 0);
    const places = placesOf(named, rewrite?.gone ?? []);
    const there = rows?.rows ?? 0;
    const left = named - (rewrite?.gone.length ?? 0);
    if (left !== there) throw unfit(path, sizeBytes, `has ${there} rows, the ledger says ${left}`);
    return {
      lanes: laneRows,
      record: (row, partition) => {
        const place = places(row);
        if (rows === null || place === null) return { partition, key: null, value: null, headers: null };
        return { partition, key: rows.key(place), value: Buffer.from(rows.json(place)), headers: null };
      },
    };
  }

  async #bytes(path: string, sizeBytes: number): Promise<Uint8Array> {
    const bytes = await this.#options.store.get(path);
    if (bytes === null) throw unfit(path, sizeBytes, 'is not there');
    if (bytes.byteLength !== sizeBytes) throw unfit(path, sizeBytes, `has ${bytes.byteLength} bytes`);
    return bytes;
  }
}

/** Records lane by lane as the file has them, without the first ones of each lane, up to what an answer may hold. */
function pack(file: OpenFile, { skip }: RecordRequest) {
  const left = new Map(skip.map(({ partition, records }) => [partition, records]));
  const skipped = new Map<number, number>();
  const packer = new RecordPacker();
  let index = 0;
  for (const { partition, rows } of file.lanes) {
    const passed = Math.min(rows, left.get(partition) ?? rows);
    if (left.has(partition)) {
      left.set(partition, left.get(partition)! - passed);
      skipped.set(partition, (skipped.get(partition) ?? 0) + passed);
    }
    for (let at = passed; at < rows; at++) {
      if (packer.records >= RECORDS_MAX || packer.usedBytes >= BYTES_MAX)
        return { packer, skipped: [...skipped], more: true };
      packer.add(file.record(index + at, partition));
    }
    index += rows;
  }
  return { packer, skipped: [...skipped], more: false };
}

function letterFile(bytes: Uint8Array): OpenFile {
  const letters = decodeDeadLetters(bytes);
  const lanes: LaneRows[] = [];
  for (const { partition } of letters) {
    const last = lanes.at(-1);
    if (last?.partition === partition) last.rows++;
    else lanes.push({ partition, rows: 1 });
  }
  return { lanes, record: (index) => letters[index]! };
}

/** From a row of the file as it was committed to its place in what is left, null: it is gone. */
function placesOf(rows: number, gone: readonly number[]): (row: number) => number | null {
  if (gone.length === 0) return (row) => row;
  const places: (number | null)[] = [];
  const isGone = new Set(gone);
  for (let row = 0, place = 0; row < rows; row++) places.push(isGone.has(row) ? null : place++);
  return (row) => places[row]!;
}

function unfit(path: string, sizeBytes: number, what: string): HeadraceError {
  return new HeadraceError('LAKE_IO', `a file of the table ${what}`, {
    where: { path, ledger_bytes: sizeBytes },
    remedy: 'bring the file back from a copy of the table: without it the topics stay behind here',
  });
}
