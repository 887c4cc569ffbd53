import type { Random } from '#src/random.js';
import { type BatchSpec, buildBatch, repairCrc } from './batch-builder.js';
import type { AbortedEntry } from './completed-fetch.js';

/**
 * Random logs of one partition, written by many producers with and without transactions, and what a broker answers of
 * them: batches from a position on, up to the last stable offset, with the aborted transactions that reach into them.
 */

export interface LogBatch {
  baseOffset: number;
  lastOffset: number;
  /** −1: none. */
  producerId: number;
  transactional: boolean;
  /** Type of its control record: 0 ABORT, 1 COMMIT; null: it holds data. */
  control: number | null;
  /** Of its records. Compaction leaves holes, or none. */
  offsets: number[];
  /** Its data was aborted in the end. */
  aborted: boolean;
}

/** What a broker keeps of an aborted transaction. */
interface AbortedIndexEntry extends AbortedEntry {
  /** Of its marker. */
  lastOffset: number;
}

export interface TransactionalLog {
  batches: LogBatch[];
  index: AbortedIndexEntry[];
  /** The last stable offset: where the first open transaction begins. */
  stableEnd: number;
}

interface OpenTransaction {
  firstOffset: number;
  batches: LogBatch[];
}

const ABORT = 0;
const COMMIT = 1;

export function randomLog(random: Random): TransactionalLog {
  const writer = new LogWriter(random);
  const steps = 3 + random.below(12);
  for (let step = 0; step < steps; step++) writer.step();
  const log = writer.finish();
  if (random.below(3) === 0) compact(random, log);
  return log;
}

class LogWriter {
  readonly #random: Random;
  readonly #producers: number;
  readonly #open = new Map<number, OpenTransaction>();
  readonly #batches: LogBatch[] = [];
  readonly #index: AbortedIndexEntry[] = [];
  #end: number;

  constructor(random: Random) {
    this.#random = random;
    this.#producers = 1 + random.below(4);
    this.#end = random.below(5);
  }

  step(): void {
    const producerId = this.#random.below(this.#producers);
    const what = this.#random.below(16);
    if (what < 7) this.#transactional(producerId);
    else if (what < 12) this.#endTransaction(producerId, this.#random.below(2));
    else if (what < 13) this.#append({ producerId: -1 }, 1 + this.#random.below(3));
    // the same producer, before it began to use transactions
    else if (what < 14 && !this.#open.has(producerId))
      this.#append({ producerId }, 1 + this.#random.below(3));
    // a marker of a transaction that wrote nothing here
    else if (what < 15 && !this.#open.has(producerId)) this.#marker(producerId, this.#random.below(2));
    else this.#marker(this.#random.below(this.#producers + 1) - 1, [2, 5, 77, -1][this.#random.below(4)]!);
  }

  finish(): TransactionalLog {
    const firsts = [...this.#open.values()].map(({ firstOffset }) => firstOffset);
    return { batches: this.#batches, index: this.#index, stableEnd: Math.min(this.#end, ...firsts) };
  }

  #transactional(producerId: number): void {
    const batch = this.#append({ producerId, transactional: true }, 1 + this.#random.below(3));
    const open = this.#open.get(producerId) ?? { firstOffset: batch.baseOffset, batches: [] };
    open.batches.push(batch);
    this.#open.set(producerId, open);
  }

  #endTransaction(producerId: number, type: number): void {
    const open = this.#open.get(producerId);
    if (open === undefined) return;
    this.#open.delete(producerId);
    const marker = this.#marker(producerId, type);
    if (type === COMMIT) return;
    for (const batch of open.batches) batch.aborted = true;
    this.#index.push({ producerId, firstOffset: open.firstOffset, lastOffset: marker.lastOffset });
  }

  #marker(producerId: number, control: number): LogBatch {
    return this.#append({ producerId, control, transactional: true }, 1);
  }

  #append(batch: Partial<LogBatch> & { producerId: number }, records: number): LogBatch {
    const baseOffset = this.#end;
    this.#end += records;
    const whole: LogBatch = {
      transactional: false,
      control: null,
      aborted: false,
      ...batch,
      baseOffset,
      lastOffset: this.#end - 1,
      offsets: Array.from({ length: records }, (_, index) => baseOffset + index),
    };
    this.#batches.push(whole);
    return whole;
  }
}

/**
 * Takes away records and whole batches, as a broker may: a marker's record goes only when nothing is left of its
 * transaction, and with it what the broker knows of the transaction.
 */
function compact(random: Random, log: TransactionalLog): void {
  const goes = new Set<LogBatch>();
  for (const batch of log.batches) {
    if (batch.control !== null) continue;
    if (random.below(3) === 0) goes.add(batch);
    else batch.offsets = batch.offsets.filter(() => random.below(4) > 0);
  }
  for (const entry of [...log.index]) {
    const rest = log.batches.some(
      (batch) =>
        !goes.has(batch) &&
        batch.aborted &&
        batch.producerId === entry.producerId &&
        batch.baseOffset >= entry.firstOffset &&
        batch.lastOffset < entry.lastOffset,
    );
    if (rest || random.below(2) === 0) continue;
    const marker = log.batches.find((batch) => batch.lastOffset === entry.lastOffset)!;
    marker.offsets = [];
    log.index.splice(log.index.indexOf(entry), 1);
  }
  // the last batch stays, so that the log's end does
  goes.delete(log.batches.at(-1)!);
  log.batches = log.batches.filter((batch) => !goes.has(batch));
}

export interface Answer {
  batches: LogBatch[];
  aborted: AbortedEntry[];
}

/** What a broker answers to a fetch from `position`: at most `batchesMax` batches. */
export function answerOf(log: TransactionalLog, position: number, batchesMax: number): Answer {
  const batches = log.batches
    .filter(({ baseOffset, lastOffset }) => lastOffset >= position && baseOffset < log.stableEnd)
    .slice(0, batchesMax);
  const upperBound = (batches.at(-1)?.lastOffset ?? -1) + 1;
  const aborted = log.index.filter(
    ({ firstOffset, lastOffset }) => lastOffset >= position && firstOffset < upperBound,
  );
  return { batches, aborted };
}

/** Offsets of the records that a reader from `position` on must get. */
export function committedOffsets(log: TransactionalLog, position: number): number[] {
  return log.batches
    .filter(({ control, aborted, baseOffset }) => control === null && !aborted && baseOffset < log.stableEnd)
    .flatMap(({ offsets }) => offsets)
    .filter((offset) => offset >= position);
}

/** Batches of the same form differ in a few fields of the header only. */
const templates = new Map<string, Uint8Array>();

/** As a broker sends them; offsets from `baseOffset` on. */
export function encodeBatches(batches: readonly LogBatch[], base: bigint): Uint8Array {
  return new Uint8Array(Buffer.concat(batches.map((batch) => encodeBatch(batch, base))));
}

function encodeBatch(batch: LogBatch, base: bigint): Uint8Array {
  const deltas = batch.offsets.map((offset) => offset - batch.baseOffset);
  const { control, transactional } = batch;
  const form = `${control} ${transactional} ${batch.lastOffset - batch.baseOffset} ${deltas}`;
  let template = templates.get(form);
  if (template === undefined) {
    template = buildBatch(specOf(batch, deltas));
    templates.set(form, template);
  }
  const bytes = Uint8Array.from(template);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, base + BigInt(batch.baseOffset));
  view.setBigInt64(43, BigInt(batch.producerId));
  repairCrc(bytes);
  return bytes;
}

function specOf(batch: LogBatch, deltas: readonly number[]): BatchSpec {
  const { control, transactional, baseOffset, lastOffset } = batch;
  return {
    transactional,
    control: control !== null,
    lastOffsetDelta: lastOffset - baseOffset,
    records: deltas.map((offsetDelta) => ({
      offsetDelta,
      ...(control === null ? { key: 'k', value: 'v' } : { key: controlKey(control), value: Buffer.alloc(6) }),
    })),
  };
}

/** Types that are not ours come with another version. */
export function controlKey(type: number): Uint8Array {
  const key = Buffer.alloc(4);
  key.writeInt16BE(type === ABORT || type === COMMIT ? 0 : 1, 0);
  key.writeInt16BE(type, 2);
  return key;
}
