import { systemClock } from '#src/clock.js';
import { encodeRows, groupByDate } from '#src/columnar/encode.js';
import { HeadraceError, messageOf } from '#src/errors.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { CutLane, SealedFile, SealedLane, SealedReport, SnapshotRef } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel, DeadLetter, Row } from '#src/model/types.js';
import type { CutCommand, WorkerMessage } from '#src/pool/messages.js';
import { systemRandom } from '#src/random.js';
import { encodeSnapshot } from '#src/reference/snapshot.js';
import { deadLetterCounter, type WorkerCounters } from '#src/telemetry/counters.js';
import { encodeDeadLetters } from './dead-letter-file.js';
import type { Emitted, LaneSlot } from './lane-slot.js';

/**
 * Turns what the lanes emitted up to a cut into durable files and reports them. The cut itself (marks, taking the rows,
 * copying the open sessions) is synchronous, in its place among the data; writing goes on behind it, cut by cut, while the
 * lanes take further events.
 */
export interface SealerOptions {
  worker: number;
  topic: string;
  model: CompiledModel;
  store: ObjectStore;
  counters: WorkerCounters;
  post(message: WorkerMessage): void;
  /** A defect of our own while sealing: the worker must end. */
  fail(error: unknown): void;
}

interface Cut {
  command: CutCommand;
  lanes: { sealed: SealedLane; emitted: Emitted; snapshot: Uint8Array | null }[];
}

const RETRY_MS_MAX = 5_000;

export class Sealer {
  readonly #options: SealerOptions;
  #tail: Promise<void> = Promise.resolve();

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Cuts the lanes that take part. The report follows when the files are durable. */
  cut(command: CutCommand, slots: ReadonlyMap<number, LaneSlot>): void {
    const cut: Cut = { command, lanes: [] };
    for (const wanted of command.lanes) {
      const slot = slots.get(wanted.partition);
      if (slot === undefined || slot.incarnation !== wanted.incarnation || !slot.sealable) continue;
      const marks = marksAt(slot.nextOffset, wanted);
      slot.applyMarks(marks);
      const emitted = slot.take();
      const snapshot = wanted.snapshot ? this.#snapshot(command.cutId, slot) : null;
      cut.lanes.push({
        emitted,
        snapshot,
        sealed: {
          partition: slot.partition,
          incarnation: slot.incarnation,
          to: slot.nextOffset,
          watermarkMs: slot.watermarkMs,
          marks,
          rows: emitted.rows.length,
          deadLetters: emitted.deadLetters.length,
          crc: emitted.crc,
          openSessions: slot.openSessions,
          snapshot: snapshot === null ? null : this.#snapshotRef(command.cutId, slot, snapshot.byteLength),
        },
      });
    }
    this.#tail = this.#tail.then(() => this.#write(cut)).catch((error: unknown) => this.#options.fail(error));
  }

  /** Resolves when every cut so far is reported. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  async #write(cut: Cut): Promise<void> {
    const { cutId } = cut.command;
    const report: SealedReport = {
      cutId,
      worker: this.#options.worker,
      lanes: cut.lanes.map((lane) => lane.sealed),
      files: [],
      deadLetterFile: null,
    };
    const rows: Row[] = [];
    const partitionOf = new Map<Row, number>();
    for (const lane of cut.lanes) {
      for (const row of lane.emitted.rows) {
        rows.push(row);
        partitionOf.set(row, lane.sealed.partition);
      }
    }
    for (const [date, dated] of groupByDate(this.#options.model, rows)) {
      report.files.push(await this.#writeRows(cut.command, date, dated, partitionOf));
    }
    report.deadLetterFile = await this.#writeDeadLetters(cut);
    for (const lane of cut.lanes) {
      if (lane.snapshot !== null) await this.#put(cutId, lane.sealed.snapshot!.path, lane.snapshot);
    }
    this.#count(report, cut);
    this.#options.post({ type: 'sealed', report });
  }

  #count(report: SealedReport, cut: Cut): void {
    const { counters } = this.#options;
    counters.add('cuts', 1);
    for (const file of report.files) {
      counters.add('files', 1);
      counters.add('rows', file.rows);
      counters.add('parquetBytes', file.sizeBytes);
    }
    for (const lane of cut.lanes) {
      for (const letter of lane.emitted.deadLetters) counters.add(deadLetterCounter(letter.reason), 1);
    }
  }

  async #writeRows(
    command: CutCommand,
    date: string,
    rows: readonly Row[],
    partitionOf: ReadonlyMap<Row, number>,
  ): Promise<SealedFile> {
    const fileId = systemRandom.id63();
    const seal = { createdAtMs: command.createdAtMs, batchId: BigInt(command.cutId), fileId };
    const startedMs = performance.now();
    const encoded = encodeRows(this.#options.model, rows, seal);
    this.#options.counters.add('sealNs', Math.round((performance.now() - startedMs) * 1e6));
    const column = this.#options.model.partitionColumn;
    const path = `${column}=${date}/part-${command.cutId}-${this.#options.worker}-${fileId}.parquet`;
    await this.#put(command.cutId, path, encoded.bytes);
    return {
      path,
      partitionValues: { [column]: date },
      sizeBytes: encoded.bytes.byteLength,
      rows: rows.length,
      stats: encoded.stats,
      lanes: [...new Set(rows.map((row) => partitionOf.get(row)!))].sort((a, b) => a - b),
    };
  }

  async #writeDeadLetters(cut: Cut): Promise<SealedReport['deadLetterFile']> {
    const letters: { partition: number; letter: DeadLetter }[] = [];
    for (const lane of cut.lanes) {
      for (const letter of lane.emitted.deadLetters)
        letters.push({ partition: lane.sealed.partition, letter });
    }
    if (letters.length === 0) return null;
    const bytes = encodeDeadLetters(this.#options.topic, letters);
    const { cutId } = cut.command;
    const path = `_headrace/dead-letters/${cutId}-${this.#options.worker}-${systemRandom.id63()}.jsonl`;
    await this.#put(cutId, path, bytes);
    const lanes = [...new Set(letters.map((letter) => letter.partition))];
    return { path, sizeBytes: bytes.byteLength, letters: letters.length, lanes };
  }

  /** Writes durably, trying for ever: what is sealed can't be given up, and a full disk may be emptied. */
  async #put(cutId: string, path: string, bytes: Uint8Array): Promise<void> {
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        await this.#options.store.put(path, bytes);
        return;
      } catch (error) {
        const plain =
          error instanceof HeadraceError
            ? error.toPlain()
            : new HeadraceError('LAKE_IO', messageOf(error), { where: { path } }).toPlain();
        this.#options.post({ type: 'seal-retry', cutId, worker: this.#options.worker, error: plain });
        await systemClock.sleep(waitMs);
      }
    }
  }

  #snapshot(cutId: string, slot: LaneSlot): Uint8Array {
    return encodeSnapshot(slot.snapshot(), {
      modelHash: this.#options.model.hash,
      appId: slot.appId,
      partition: slot.partition,
      offset: slot.nextOffset,
      cutId,
    });
  }

  /** `_headrace/snapshots/<topic id>/<partition>/<offset>-<cut>.snap` (rule 11: named by lane, offset and cut). */
  #snapshotRef(cutId: string, slot: LaneSlot, sizeBytes: number): SnapshotRef {
    const topicId = slot.appId.split('/').at(-2)!;
    const offset = slot.nextOffset.toString().padStart(20, '0');
    const path = `_headrace/snapshots/${topicId}/${slot.partition}/${offset}-${cutId}.snap`;
    return { path, sizeBytes, offset: slot.nextOffset, cutId };
  }
}

/** The marks that hold where the lane stands. */
function marksAt(nextOffset: bigint, wanted: CutLane): Marks {
  if (wanted.endOffset === undefined || nextOffset >= wanted.endOffset) return wanted.marks;
  const { endOfInput: _, ...others } = wanted.marks;
  return others;
}
