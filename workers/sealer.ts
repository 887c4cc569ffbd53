import { systemClock } from '#src/clock.js';
import { sessionDate } from '#src/columnar/session-date.js';
import { crashPoint } from '#src/crash-points.js';
import { HeadraceError, messageOf } from '#src/errors.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import { encodeDeadLetters } from '#src/ledger/dead-letter-file.js';
import type { CutLane, EvictionOrder, SealedFile, SealedLane, SealedReport } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel, DeadLetter } from '#src/model/types.js';
import type { CutCommand, WorkerMessage } from '#src/pool/messages.js';
import { systemRandom } from '#src/random.js';
import type { SnapshotMeta } from '#src/reference/snapshot.js';
import { SnapshotWriter } from '#src/reference/snapshot-writer.js';
import { deadLetterCounter, type WorkerCounters } from '#src/telemetry/counters.js';
import type { Emitted, SessionEngine, StateInTurns } from './engines/engine.js';
import { type FileRows, filesOf, laneRowsOf } from './file-rows.js';
import type { LanePart, LaneSlot } from './lane-slot.js';
import { type Eviction, RoomMaker } from './make-room.js';
import { SnapshotTurns } from './snapshot-turns.js';

/**
 * Turns what the lanes emitted up to a cut into durable files and reports them. The cut itself (marks, taking the rows,
 * beginning snapshots) is synchronous, in its place among the data; writing goes on behind it, cut by cut, while the lanes
 * take further events.
 */
export interface SealerOptions {
  worker: number;
  topic: string;
  model: CompiledModel;
  engine: SessionEngine;
  store: ObjectStore;
  counters: WorkerCounters;
  /** The file is durable; its bytes may be wanted again when it is committed. */
  keep?(path: string, bytes: Uint8Array): void;
  post(message: WorkerMessage): void;
  /** A defect of our own while sealing: the worker must end. */
  fail(error: unknown): void;
}

interface Cut {
  command: CutCommand;
  lanes: CutOfLane[];
  /** Of the whole worker, behind the cut. */
  sessionBytes: number;
}

interface CutOfLane {
  sealed: SealedLane;
  emitted: Emitted;
  /** Where a snapshot is due: what of and the state, which is made later as it was at the cut. */
  snapshot: { meta: SnapshotMeta; state: StateInTurns } | null;
}

const DAY_MS = 86_400_000;
const RETRY_MS_MAX = 5_000;
/** Of the memory that rows under way and their columns have. */
const CATCH_UP_ABOVE = 0.3;
const SPILL_ABOVE = 0.5;
const SPILL_STEP = 0.1;

export class Sealer {
  readonly #options: SealerOptions;
  readonly #room = new RoomMaker<LaneSlot>();
  readonly #turns: SnapshotTurns;
  #order: EvictionOrder | null = null;
  #tail: Promise<void> = Promise.resolve();
  /** Cuts that are being written. */
  #writing = 0;
  #spillAbove = SPILL_ABOVE;

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#turns = new SnapshotTurns(options.counters, 'taking');
  }

  /** Cuts the lanes that take part. The report follows when the files are durable. */
  cut(command: CutCommand, slots: ReadonlyMap<number, LaneSlot>): void {
    const beganMs = performance.now();
    let snapshotsMs = 0;
    const cut: Cut = { command, lanes: [], sessionBytes: 0 };
    const lanes = new Map<LaneSlot, CutLane>();
    for (const wanted of command.lanes) {
      const slot = slots.get(wanted.partition);
      if (slot?.incarnation === wanted.incarnation && slot.sealable) lanes.set(slot, wanted);
    }
    this.#applyMarks(command, lanes);
    for (const [slot, wanted] of lanes) {
      cut.lanes.push(...slot.takeParts().map((part) => cutOfLane(slot, part)));
      if (wanted.snapshot) {
        const meta = this.#snapshotMeta(command.cutId, slot);
        const snapshotMs = performance.now();
        this.#turns.begin();
        cut.lanes.at(-1)!.snapshot = { meta, state: slot.beginSnapshot() };
        this.#turns.end();
        snapshotsMs += performance.now() - snapshotMs;
      }
    }
    cut.sessionBytes = this.#options.engine.sessionBytes;
    this.#spillAbove = SPILL_ABOVE;
    this.#writing++;
    this.#options.counters.addMs('cutNs', performance.now() - beganMs - snapshotsMs);
    this.#tail = this.#tail
      .then(() => this.#write(cut))
      .catch((error: unknown) => this.#options.fail(error))
      .finally(() => {
        this.#writing--;
      });
  }

  /**
   * Applies a cut's marks, in the order in which a replay will: watermark, eviction, the others. Each lane's part ends with
   * them, so that its rows can go before the next lane lets out all it has.
   */
  #applyMarks({ eviction }: CutCommand, lanes: ReadonlyMap<LaneSlot, CutLane>): void {
    this.#order = eviction ?? this.#order;
    for (const [slot, { marks }] of lanes) {
      const { idleWatermarkMs } = marks;
      if (idleWatermarkMs === undefined) continue;
      slot.applyMarks({ idleWatermarkMs });
      // lanes that fell silent together let out all they have together
      if (this.#options.engine.rowPressure <= this.#spillAbove) continue;
      slot.endPart({ idleWatermarkMs }, 0);
      this.#relieve([slot]);
    }
    const evictions = eviction === undefined ? new Map<LaneSlot, Eviction>() : this.#evict(lanes.keys());
    for (const [slot, wanted] of lanes) {
      const gone = evictions.get(slot);
      const marks = marksAt(slot.nextOffset, wanted);
      slot.applyMarks(marks);
      if (gone === undefined) slot.endPart(marks, 0);
      else slot.endPart({ ...marks, evictBeforeMs: gone.beforeMs }, gone.sessions);
      this.#relieve(lanes.keys());
    }
  }

  /** Holds until a cut brings another. */
  begin(order: EvictionOrder): void {
    this.#order ??= order;
  }

  /**
   * The session memory is used up between two cuts: does now what the next one would do, since it lies behind all that the
   * ring still holds. Each lane's mark is reported with that cut, at its own offset. False: nothing could go.
   */
  makeRoom(slots: Iterable<LaneSlot>): boolean {
    const before = this.#options.engine.sessionBytes;
    for (const [slot, { beforeMs, sessions }] of this.#evict(slots)) {
      slot.endPart({ evictBeforeMs: beforeMs }, sessions);
    }
    return this.#options.engine.sessionBytes < before;
  }

  /** A frozen lane stops here and asks for no more memory: its sessions stay whole. */
  #evict(slots: Iterable<LaneSlot>): Map<LaneSlot, Eviction> {
    if (this.#order === null) return new Map();
    const giving = [...slots].filter((slot) => slot.sealable && !slot.frozen);
    return this.#room.follow(this.#order, giving, () => this.#options.engine.sessionBytes);
  }

  /** Must the lanes wait until cuts are written, since rows come faster than they go? */
  get mustCatchUp(): boolean {
    return this.#writing > 0 && this.#options.engine.rowPressure > CATCH_UP_ABOVE;
  }

  /**
   * Many rows and no cut to write them with: it lies behind what the ring still holds. What was emitted so far becomes parts
   * of that cut, and their rows leave the engine's memory.
   */
  spillRows(slots: Iterable<LaneSlot>): void {
    if (this.#options.engine.rowPressure <= this.#spillAbove) return;
    const sealable = [...slots].filter((slot) => slot.sealable);
    for (const slot of sealable) slot.endPart({}, 0);
    this.#relieve(sealable);
  }

  /** Where rows take much, those of the parts that ended leave the engine's memory. */
  #relieve(slots: Iterable<LaneSlot>): void {
    const { engine } = this.#options;
    if (engine.rowPressure <= this.#spillAbove) return;
    for (const slot of slots) slot.spillParts();
    // what stays is not rows: spilling it again would cut the lanes into crumbs
    this.#spillAbove = Math.max(SPILL_ABOVE, engine.rowPressure + SPILL_STEP);
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
      sessionBytes: cut.sessionBytes,
      lanes: cut.lanes.map((lane) => lane.sealed),
      files: [],
      deadLetterFile: null,
    };
    for (const batch of filesOf(rowsByDay(cut.lanes))) {
      report.files.push(await this.#writeRows(cut.command, batch));
    }
    report.deadLetterFile = await this.#writeDeadLetters(cut);
    for (const lane of cut.lanes) {
      lane.emitted.free();
      if (lane.snapshot !== null) await this.#writeSnapshot(lane, lane.snapshot);
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
      counters.add('evictedSessions', lane.sealed.evicted);
      for (const letter of lane.emitted.deadLetters) counters.add(deadLetterCounter(letter.reason), 1);
    }
  }

  async #writeRows(command: CutCommand, batch: FileRows): Promise<SealedFile> {
    const { engine, counters, model, worker } = this.#options;
    const date = sessionDate(batch.day * DAY_MS);
    const fileId = systemRandom.id63();
    const seal = { createdAtMs: command.createdAtMs, batchId: BigInt(command.cutId), fileId };
    const startedMs = performance.now();
    const columnsBeforeMs = engine.columnsMs;
    const encoded = engine.encode(batch.rows, seal);
    const tookMs = performance.now() - startedMs;
    const columnsMs = engine.columnsMs - columnsBeforeMs;
    counters.addMs('sealNs', tookMs);
    counters.addMs('columnsNs', columnsMs);
    counters.addMs('parquetNs', tookMs - columnsMs);
    counters.add('rowsTakenBack', encoded.changes.takenBack);
    counters.add('sessionsClosed', encoded.changes.first);
    const column = model.partitionColumn;
    const path = `${column}=${date}/part-${command.cutId}-${worker}-${fileId}.parquet`;
    crashPoint('file.before-upload');
    await this.#put(command.cutId, path, encoded.bytes);
    crashPoint('file.after-upload');
    this.#options.keep?.(path, encoded.bytes);
    return {
      path,
      partitionValues: { [column]: date },
      sizeBytes: encoded.bytes.byteLength,
      rows: encoded.rows,
      stats: encoded.stats,
      lanes: [...new Set(batch.partitions)].sort((a, b) => a - b),
      laneRows: laneRowsOf(batch),
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
    const beganMs = performance.now();
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        await this.#options.store.put(path, bytes);
        this.#options.counters.addMs('uploadNs', performance.now() - beganMs);
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

  #snapshotMeta(cutId: string, { appId, partition, nextOffset }: LaneSlot): SnapshotMeta {
    return { modelHash: this.#options.model.hash, appId, partition, offset: nextOffset, cutId };
  }

  /** The lanes have their turns in between. Without a snapshot where the lane went away meanwhile: what is sealed of it is void. */
  async #writeSnapshot(
    { sealed }: CutOfLane,
    { meta, state }: { meta: SnapshotMeta; state: StateInTurns },
  ): Promise<void> {
    const path = snapshotPath(meta);
    const turns = new SnapshotTurns(this.#options.counters, 'taking');
    const writer = new SnapshotWriter(meta, turns);
    turns.begin();
    for (let parts = state.next(); parts !== null; parts = state.next()) {
      for (const part of parts) await writer.add(part);
      await turns.turn();
    }
    const bytes = await writer.finish();
    turns.end();
    if (state.abandoned) return;
    crashPoint('snapshot.before-upload');
    await this.#put(meta.cutId, path, bytes);
    crashPoint('snapshot.after-upload');
    this.#options.counters.add('snapshots', 1);
    this.#options.counters.add('snapshotBytes', bytes.byteLength);
    sealed.snapshot = { path, sizeBytes: bytes.byteLength, offset: meta.offset, cutId: meta.cutId };
  }
}

/** `_headrace/snapshots/<topic id>/<partition>/<offset>-<cut>.snap` (rule 11: named by lane, offset and cut). */
function snapshotPath({ appId, partition, offset, cutId }: SnapshotMeta): string {
  const topicId = appId.split('/').at(-2)!;
  return `_headrace/snapshots/${topicId}/${partition}/${offset.toString().padStart(20, '0')}-${cutId}.snap`;
}

function cutOfLane({ partition, incarnation }: LaneSlot, { emitted, ...stood }: LanePart): CutOfLane {
  const { rows, crc, deadLetters } = emitted;
  const lane = { partition, incarnation, ...stood, rows, deadLetters: deadLetters.length, crc };
  return { emitted, sealed: { ...lane, snapshot: null }, snapshot: null };
}

/** Lane by lane. */
function* rowsByDay(lanes: readonly CutOfLane[]) {
  for (const { sealed, emitted } of lanes) {
    for (const [day, rows] of emitted.days) yield { day, rows, partition: sealed.partition };
  }
}

/** The marks that hold where the lane stands. */
function marksAt(nextOffset: bigint, wanted: CutLane): Marks {
  if (wanted.endOffset === undefined || nextOffset >= wanted.endOffset) return wanted.marks;
  const { endOfInput: _, ...others } = wanted.marks;
  return others;
}
