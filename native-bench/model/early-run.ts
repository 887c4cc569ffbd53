import { tableFromIPC } from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import type { EncodedFile } from '#src/columnar/encode.js';
import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import type { Emitted } from '../../workers/engines/engine.js';
import { filesOf } from '../../workers/file-rows.js';
import { BenchEngine } from '../kernel/bench-engine.js';
import { type LaneBatch, LaneBatches } from '../kernel/lane-batches.js';
import { median, processCpuMs } from '../measure.js';

/**
 * What early updates cost: so many sessions, of each of which an event comes in each interval, so that each is let out at each
 * mark, and its row before is taken back. Timed is what a worker does because of the mark: rows, and the files of them. The
 * events themselves are not, nor is putting the files on a disk.
 */

export interface EarlyOptions {
  sessions: number;
  lanes: number;
  recordsPerBatch: number;
  rounds: number;
  onProgress: (text: string) => void;
}

export interface EarlyFigure {
  sessions: number;
  everyMs: number;
  /** Rows of a mark, −old and +new. */
  rows: number;
  fileBytes: number;
  /** CPU of a mark, ms: the rows, and the files. */
  rowsCpuMs: number;
  filesCpuMs: number;
  /** Of one core, when a mark comes every `everyMs`. */
  shareOfCore: number;
}

export const EARLY_MS = 10_000;
/** Of each session before the first mark that counts. */
const EVENTS_BEFORE = 12;
const START_MS = Date.UTC(2026, 0, 30, 12);
const SEAL = { createdAtMs: START_MS, batchId: 1n, fileId: 1n };

/** Throws Error unless the rows of all marks add up to the sessions with all their events. */
export function runEarly(options: EarlyOptions): EarlyFigure {
  const { sessions, rounds, onProgress } = options;
  const run = new EarlyRun(options);
  for (let event = 0; event < EVENTS_BEFORE; event++) run.letEventsCome();
  // the first mark has no row to take back, the second warms up
  const marks = Array.from({ length: rounds + 2 }, (_, round) => {
    onProgress(`mark ${round + 1} of ${rounds + 2}`);
    if (round > 0) run.letEventsCome();
    return run.mark();
  }).slice(2);
  run.prove();
  const rowsCpuMs = median(marks.map((mark) => mark.rowsCpuMs));
  const filesCpuMs = median(marks.map((mark) => mark.filesCpuMs));
  return {
    sessions,
    everyMs: EARLY_MS,
    rows: marks.at(-1)!.rows,
    fileBytes: marks.at(-1)!.fileBytes,
    rowsCpuMs,
    filesCpuMs,
    shareOfCore: median(marks.map((mark) => (mark.rowsCpuMs + mark.filesCpuMs) / EARLY_MS)),
  };
}

class EarlyRun {
  readonly #sessions: number;
  readonly #model: CompiledModel = loadModel('clickstream');
  readonly #bench: BenchEngine;
  readonly #batches: LaneBatches;
  #eventsOfEach = 0;
  /** Σ sign, and Σ sign · total_events, over all rows so far. */
  #sessionsFound = 0;
  #eventsFound = 0;

  constructor({ sessions, lanes, recordsPerBatch }: EarlyOptions) {
    this.#sessions = sessions;
    this.#bench = new BenchEngine('kernel', this.#model, lanes, sessions);
    this.#batches = new LaneBatches('clickstream', lanes, recordsPerBatch);
  }

  /** One of each session. */
  letEventsCome(): void {
    const fromMs = START_MS + this.#eventsOfEach * EARLY_MS;
    for (let user = 0; user < this.#sessions; user++) {
      const timeMs = fromMs + Math.floor((user * EARLY_MS) / this.#sessions);
      const batch = this.#batches.add({ user, timeMs });
      if (batch !== null) this.#accept(batch);
    }
    for (const batch of this.#batches.flush()) this.#accept(batch);
    this.#eventsOfEach++;
    this.#proveSilent();
  }

  mark(): { rows: number; fileBytes: number; rowsCpuMs: number; filesCpuMs: number } {
    const { lanes, engine } = this.#bench;
    const beganMs = processCpuMs();
    const emitted = lanes.map((lane) => {
      lane.applyMarks({ early: true });
      return lane.take();
    });
    const rowsMs = processCpuMs();
    const files = filesOf(daysOf(emitted)).map(({ rows }) => engine.encode(rows, SEAL));
    const endedMs = processCpuMs();
    for (const each of emitted) each.free();
    for (const file of files) this.#count(file);
    return {
      rows: files.reduce((sum, { rows }) => sum + rows, 0),
      fileBytes: files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
      rowsCpuMs: rowsMs - beganMs,
      filesCpuMs: endedMs - rowsMs,
    };
  }

  prove(): void {
    const found = [this.#bench.openSessions, this.#sessionsFound, this.#eventsFound];
    const expected = [this.#sessions, this.#sessions, this.#sessions * this.#eventsOfEach];
    if (found.some((count, at) => count !== expected[at]))
      throw new Error(`open sessions, sessions, events of the rows: ${found}, not ${expected}`);
  }

  #accept(batch: LaneBatch): void {
    this.#bench.accept({ ...batch, bytes: this.#bench.place(batch.bytes) });
  }

  /** Nothing but the marks lets a row out. */
  #proveSilent(): void {
    for (const lane of this.#bench.lanes) {
      const emitted = lane.take();
      if (emitted.rows > 0 || emitted.deadLetters.length > 0)
        throw new Error(`${emitted.rows} rows and ${emitted.deadLetters.length} dead letters without a mark`);
      emitted.free();
    }
  }

  #count({ bytes }: EncodedFile): void {
    const table = tableFromIPC(readParquet(bytes).intoIPCStream());
    const [signs, events] = [table.getChild('sign')!, table.getChild('total_events')!];
    for (let row = 0; row < table.numRows; row++) {
      const sign = Number(signs.get(row));
      this.#sessionsFound += sign;
      this.#eventsFound += sign * Number(events.get(row));
    }
  }
}

function daysOf(emitted: readonly Emitted[]) {
  return emitted.flatMap(({ days }, partition) => [...days].map(([day, rows]) => ({ day, rows, partition })));
}
