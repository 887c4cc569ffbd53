import { loadModel } from '#src/model/load.js';
import type { CompiledModel } from '#src/model/types.js';
import { measureJsonParse } from '../json-parse.js';
import { median, processCpuMs } from '../measure.js';
import { BenchEngine, type EngineName } from './bench-engine.js';
import type { BenchModel } from './event-templates.js';
import { type LaneBatch, LaneBatches } from './lane-batches.js';
import { UserStream } from './user-stream.js';

/**
 * One number of open sessions, from the first event on: warm-up until event time has gone on for an hour, then rounds that
 * are timed. Timed is what a worker's thread does with fetched bytes, up to rows: CRC, LZ4, walk, scan, sessions, closing,
 * rows and their sums. Making and placing the bytes is not.
 */

export interface RunOptions {
  engine: EngineName;
  model: BenchModel;
  /** Another model over the same events. */
  compiled?: CompiledModel;
  openSessions: number;
  lanes: number;
  recordsPerBatch: number;
  rounds: number;
  eventsPerRound: number;
  /** Event time, in hours, that goes on at least: for the memory of a session over a day. */
  hours: number;
  onProgress: (text: string) => void;
}

/** Memory at a point of event time. */
export interface MemoryPoint {
  hours: number;
  openSessions: number;
  bytesPerOpenSession: number;
}

/** Snapshots of all lanes, one after the other, made in turns as a worker makes them. */
export interface SnapshotFigure {
  /** CPU, without compressing and writing. */
  cpuUsPerSession: number;
  /** The longest that the lanes stood: to begin a snapshot, or for a part of one. */
  stopMsMax: number;
  /** Before compressing. */
  bytesPerSession: number;
}

export interface OpenSessionsFigure {
  openSessions: number;
  /** From the first on, warm-up included. */
  events: number;
  sessions: number;
  valueBytesMean: number;
  lz4Ratio: number;
  cpuUsPerEvent: number;
  jsonParseUs: number;
  ratioToJsonParse: number;
  bytesPerOpenSession: number;
  /** Records that the kernel handed to the reference. */
  undecided: number;
  snapshot: SnapshotFigure;
  memory: MemoryPoint[];
}

const WARM_MINUTES = 60;
const MINUTES_PER_HOUR = 60;
const MINUTE_MS = 60_000;
const START_MS = Date.UTC(2026, 0, 30);
/** Between two calls of `take`: a cut a second at some 200,000 events/s. */
const EVENTS_PER_CUT = 200_000;
const SAMPLE_EVENTS_MAX = 20_000;
/** Asking for the CPU that was used costs as much as reading some ten events. */
const BATCHES_A_TURN = 64;

export function runOpenSessions(options: RunOptions): OpenSessionsFigure {
  const { engine: name, lanes, openSessions, rounds, eventsPerRound, hours, onProgress } = options;
  const model = options.compiled ?? loadModel(options.model);
  const bench = new BenchEngine(name, model, lanes, openSessions);
  const run = new Run(bench, model, options);
  while (run.stream.minute < WARM_MINUTES) {
    run.goOnTo(run.stream.minute + 5);
    onProgress(
      `warming up, minute ${run.stream.minute} of ${WARM_MINUTES}, ${bench.openSessions} open sessions`,
    );
  }
  const memory = [run.memoryPoint()];
  run.compress();
  const sample = run.sampleValues(Math.min(SAMPLE_EVENTS_MAX, eventsPerRound));
  measureJsonParse(sample);
  run.goOn(eventsPerRound); // the compressed way warms up too
  const costs: { us: number; jsonParseUs: number }[] = [];
  for (let round = 1; round <= rounds; round++) {
    onProgress(`round ${round} of ${rounds}, ${bench.openSessions} open sessions`);
    costs.push({ us: run.goOn(eventsPerRound), jsonParseUs: measureJsonParse(sample) });
  }
  const open = bench.openSessions;
  memory.push(run.memoryPoint());
  const snapshot = run.snapshots();
  while (run.stream.minute < hours * MINUTES_PER_HOUR) {
    run.goOnTo((memory.at(-1)!.hours + 1) * MINUTES_PER_HOUR);
    memory.push(run.memoryPoint());
    onProgress(`hour ${Math.round(memory.at(-1)!.hours)} of ${hours}`);
  }
  run.prove();
  return {
    openSessions: open,
    events: run.stream.events,
    sessions: run.stream.sessions,
    valueBytesMean: run.valueBytesMean,
    lz4Ratio: run.lz4Ratio,
    cpuUsPerEvent: median(costs.map(({ us }) => us)),
    jsonParseUs: median(costs.map(({ jsonParseUs }) => jsonParseUs)),
    ratioToJsonParse: median(costs.map(({ us, jsonParseUs }) => us / jsonParseUs)),
    bytesPerOpenSession: memory[1]!.bytesPerOpenSession,
    undecided: bench.engine.undecided,
    snapshot,
    memory,
  };
}

class Run {
  readonly stream: UserStream;
  readonly #bench: BenchEngine;
  readonly #model: CompiledModel;
  readonly #batches: LaneBatches;
  #events = 0;
  #rows = 0;
  #takenAt = 0;
  #recordBytes = 0;
  #frameBytes = 0;

  constructor(bench: BenchEngine, model: CompiledModel, options: RunOptions) {
    const { openSessions, lanes, recordsPerBatch } = options;
    const { gapMs, allowedDisorderMs } = model;
    this.#bench = bench;
    this.#model = model;
    this.stream = new UserStream({ openSessions, gapMs, allowedDisorderMs, startMs: START_MS });
    this.#batches = new LaneBatches(options.model, lanes, recordsPerBatch);
  }

  get valueBytesMean(): number {
    return this.#batches.writer.valueBytes / this.stream.events;
  }

  get lz4Ratio(): number {
    return this.#recordBytes / this.#frameBytes;
  }

  compress(): void {
    this.#batches.compresses = true;
  }

  /** µs of CPU an event, over at least so many events. */
  goOn(events: number): number {
    const before = this.#events;
    let cpuMs = 0;
    while (this.#events < before + events) cpuMs += this.#acceptNext();
    return (cpuMs * 1_000) / (this.#events - before);
  }

  /** A few batches more at most. */
  goOnTo(minute: number): void {
    while (this.stream.minute < minute) this.#acceptNext();
  }

  memoryPoint(): MemoryPoint {
    const { openSessions, engine } = this.#bench;
    const bytesPerOpenSession = engine.sessionBytes / openSessions;
    return { hours: this.stream.minute / MINUTES_PER_HOUR, openSessions, bytesPerOpenSession };
  }

  snapshots(): SnapshotFigure {
    this.#take();
    const began = processCpuMs();
    let stopMsMax = 0;
    let bytes = 0;
    for (const lane of this.#bench.lanes) {
      let fromMs = performance.now();
      const state = lane.beginSnapshot();
      for (;;) {
        const parts = state.next();
        stopMsMax = Math.max(stopMsMax, performance.now() - fromMs);
        if (parts === null) break;
        for (const part of parts) bytes += part.byteLength;
        fromMs = performance.now();
      }
    }
    const { openSessions } = this.#bench;
    const cpuUsPerSession = ((processCpuMs() - began) * 1_000) / openSessions;
    return { cpuUsPerSession, stopMsMax, bytesPerSession: bytes / openSessions };
  }

  /** Copies of values of the stream, as it goes on. */
  sampleValues(count: number): Buffer[] {
    const values: Buffer[] = [];
    while (values.length < count) {
      const batch = this.#batches.add(this.stream.next());
      values.push(this.#batches.lastValue());
      if (batch !== null) this.#accept(this.#placed(batch));
    }
    return values;
  }

  /** Throws Error unless every event was accepted and every session is open or has its row, with all its events. */
  prove(): void {
    for (const batch of this.#batches.flush()) this.#accept(this.#placed(batch));
    const { events, sessions } = this.stream;
    this.#take();
    const { openSessions, lanes } = this.#bench;
    let closed = 0;
    // one after the other: the rows of all open sessions at once are more than there is room for beside them
    for (const lane of lanes) {
      lane.applyMarks({ idleWatermarkMs: this.#endMs() });
      const emitted = lane.take();
      closed += emitted.rows;
      emitted.free();
    }
    const found = [this.#events, this.#rows + closed, closed];
    const expected = [events, sessions, openSessions];
    if (found.some((count, at) => count !== expected[at])) {
      throw new Error(`events, sessions, open sessions: ${found}, not ${expected}`);
    }
  }

  /** A watermark that closes everything for good. */
  #endMs(): number {
    const { gapMs, allowedLatenessMs } = this.#model;
    return START_MS + (this.stream.minute + 1) * MINUTE_MS + gapMs + allowedLatenessMs + 1;
  }

  /** Makes and places batches, then reads them. Returns ms of CPU for reading them. */
  #acceptNext(): number {
    const placed: LaneBatch[] = [];
    while (placed.length < BATCHES_A_TURN) {
      const batch = this.#batches.add(this.stream.next());
      if (batch !== null) placed.push(this.#placed(batch));
    }
    const began = processCpuMs();
    for (const batch of placed) this.#accept(batch);
    if (this.#events - this.#takenAt >= EVENTS_PER_CUT) this.#take();
    return processCpuMs() - began;
  }

  #placed(batch: LaneBatch): LaneBatch {
    return { ...batch, bytes: this.#bench.place(batch.bytes) };
  }

  #accept(placed: LaneBatch): void {
    this.#events += this.#bench.accept(placed);
    if (!this.#batches.compresses) return;
    this.#recordBytes += placed.recordBytes;
    this.#frameBytes += placed.bytes.length;
  }

  #take(): void {
    this.#takenAt = this.#events;
    for (const lane of this.#bench.lanes) {
      const emitted = lane.take();
      this.#rows += emitted.rows;
      if (emitted.deadLetters.length > 0) throw new Error(`a dead letter: ${emitted.deadLetters[0]!.detail}`);
      emitted.free();
    }
  }
}
