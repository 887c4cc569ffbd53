import { unpack } from 'msgpackr';
import { HeadraceError } from '#src/errors.js';
import { invariant } from '#src/invariant.js';
import type {
  CutCommand,
  CutLane,
  SealedFile,
  SealedLane,
  SealedReport,
  SnapshotRef,
} from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import type { AssignCommand, MainMessage, WorkerMessage } from '#src/pool/messages.js';
import type { Random } from '#src/random.js';
import { decodeSnapshot, encodeSnapshot, type SnapshotMeta } from '#src/reference/snapshot.js';
import { RecordType } from '#src/ring/layout.js';
import type { RecordHeader } from '#src/ring/producer.js';
import type { RingWriter } from '#src/ring/writer.js';
import type { SimProcess } from './sim-process.js';
import type { StoreLine } from './sim-store.js';
import type { SimTopic } from './sim-topic.js';
import { sumOf, ToyLane, type ToyRow, type ToyState } from './toy-sessions.js';

/** The model that all engines run. */
export const MODEL_HASH = 'toy';

/** A lane in a worker: workers/lane-slot.ts over toy sessions. */
class SimSlot {
  readonly assign: AssignCommand;
  nextOffset: number;
  lane: ToyLane | null = null;
  live = false;
  frozen = false;
  halted = false;
  #replayed = 0;

  constructor(assign: AssignCommand) {
    this.assign = assign;
    this.nextOffset = Number(assign.snapshot?.offset ?? assign.startOffset);
  }

  /** Takes the events up to `until`; throws REPLAY_DIFFERS. */
  accept(topic: SimTopic, until: number): void {
    const events = topic.lanes[this.assign.partition]!;
    while (this.nextOffset < until) {
      this.lane!.event(this.nextOffset, events[this.nextOffset]!);
      this.nextOffset++;
      this.meetCuts();
    }
  }

  /** Marks of recorded cuts at their offsets, their rows compared and dropped; behind the last one the lane is live. */
  meetCuts(): void {
    if (this.live) return;
    const { replay, partition } = this.assign;
    for (; this.#replayed < replay.length; this.#replayed++) {
      const cut = replay[this.#replayed]!;
      if (Number(cut.to) > this.nextOffset) return;
      this.lane!.marks(cut.marks);
      const { rows, deadLetters } = this.take();
      if (rows.length !== cut.rows || deadLetters !== cut.deadLetters || sumOf(rows) !== cut.crc) {
        throw new HeadraceError('REPLAY_DIFFERS', 'the replay gave other rows than the ledger has', {
          where: { partition, cut: cut.cutId, to: cut.to, rows: `${rows.length} instead of ${cut.rows}` },
        });
      }
    }
    this.live = true;
  }

  take(): { rows: ToyRow[]; deadLetters: number } {
    const { rows, deadLetters } = this.lane!;
    this.lane!.rows = [];
    this.lane!.deadLetters = 0;
    return { rows, deadLetters };
  }
}

export interface SimWorkerOptions {
  index: number;
  process: SimProcess;
  random: Random;
  store: StoreLine;
  topic: SimTopic;
  /** Ids of files, unique in the world. */
  newFileId(): string;
  onMessage(message: WorkerMessage): void;
  onFatal(error: unknown): void;
  onSnapshot(snapshot: SnapshotRef): void;
}

/** A worker of an engine: takes what lies in its ring one after the other, seals beside it, one cut after the other. */
export class SimWorker {
  readonly #options: SimWorkerOptions;
  readonly #slots = new Map<number, SimSlot>();
  readonly #ring: { header: RecordHeader; payload: Uint8Array }[] = [];
  #stepping = false;
  #sealing: Promise<void> = Promise.resolve();

  constructor(options: SimWorkerOptions) {
    this.#options = options;
  }

  /** Its ring, with room for everything. */
  get ring(): RingWriter {
    const ring: Pick<RingWriter, 'command' | 'tryClaim' | 'commit'> = {
      command: (header, payload) => this.#arrived(header, payload),
      tryClaim: (bytes) => ({ bytes: new Uint8Array(bytes), byteOffset: 0 }) as never,
      commit: (header) => this.#arrived(header, NO_BYTES),
    };
    return ring as RingWriter;
  }

  post(message: MainMessage): void {
    if (message.type !== 'freeze') return;
    this.#options.process.after(1, () => {
      for (const { partition, incarnation } of message.lanes) {
        const slot = this.#slot(partition, incarnation);
        if (slot !== undefined) slot.frozen = true;
      }
    });
  }

  #arrived(header: RecordHeader, payload: Uint8Array): void {
    this.#ring.push({ header, payload });
    this.#wake();
  }

  #wake(): void {
    if (this.#stepping || this.#ring.length === 0) return;
    this.#stepping = true;
    const { process, random } = this.#options;
    const delayMs = random.below(15) === 0 ? random.below(1_500) : random.below(20);
    process.after(delayMs, () => {
      this.#stepping = false;
      const { header, payload } = this.#ring.shift()!;
      this.#take(header, payload);
      this.#wake();
    });
  }

  #take({ type, partition, incarnation, aux }: RecordHeader, payload: Uint8Array): void {
    if (type === RecordType.data) this.#data(partition, incarnation, Number(aux));
    else if (type === RecordType.assign) this.#assign(unpack(payload) as AssignCommand);
    else if (type === RecordType.cut) this.#cut(unpack(payload) as CutCommand);
    else if (type === RecordType.revoke) {
      if (this.#slot(partition, incarnation) !== undefined) this.#slots.delete(partition);
      this.#say({ type: 'lane-revoked', partition, incarnation });
    }
  }

  #slot(partition: number, incarnation: number): SimSlot | undefined {
    const slot = this.#slots.get(partition);
    return slot?.assign.incarnation === incarnation ? slot : undefined;
  }

  #assign(assign: AssignCommand): void {
    const slot = new SimSlot(assign);
    this.#slots.set(assign.partition, slot);
    this.#load(slot).catch((error: unknown) => this.#options.onFatal(error));
  }

  async #load(slot: SimSlot): Promise<void> {
    const { snapshot, partition, incarnation, appId } = slot.assign;
    let state: ToyState | undefined;
    if (snapshot !== null) {
      const bytes = await this.#retried(() => this.#options.store.get(snapshot.path));
      const meta = { modelHash: MODEL_HASH, appId, partition, ...snapshot };
      try {
        if (bytes === null) throw new HeadraceError('SNAPSHOT_UNUSABLE', 'it is not there');
        state = JSON.parse(Buffer.from(decodeSnapshot(bytes, meta)).toString()) as ToyState;
      } catch (error) {
        if (!(error instanceof HeadraceError)) throw error;
        const plain = error.toPlain();
        const { path } = snapshot;
        this.#say({ type: 'lane-snapshot-unusable', partition, incarnation, path, error: plain });
        return;
      }
    }
    if (this.#slots.get(partition) !== slot) return;
    slot.lane = new ToyLane(partition, state);
    this.#progress(slot, () => slot.meetCuts());
    const nextOffset = BigInt(slot.nextOffset);
    this.#say({ type: 'lane-ready', partition, incarnation, nextOffset, openSessions: 0 });
  }

  #data(partition: number, incarnation: number, until: number): void {
    const slot = this.#slot(partition, incarnation);
    if (slot === undefined || slot.frozen || slot.halted) return;
    invariant(slot.lane !== null, 'data came before the lane was ready', { partition });
    this.#progress(slot, () => slot.accept(this.#options.topic, until));
  }

  #progress(slot: SimSlot, work: () => void): void {
    const { partition, incarnation } = slot.assign;
    const before = slot.live;
    try {
      work();
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error;
      slot.halted = true;
      this.#say({ type: 'lane-halted', partition, incarnation, error: error.toPlain() });
    }
    if (slot.live && !before) this.#say({ type: 'lane-live', partition, incarnation });
  }

  #cut({ cutId, lanes }: CutCommand): void {
    const { index, random } = this.#options;
    const report: SealedReport = {
      cutId,
      worker: index,
      sessionBytes: 0,
      lanes: [],
      files: [],
      deadLetterFile: null,
    };
    const rows: { partition: number; rows: ToyRow[] }[] = [];
    const snapshots: { ref: SnapshotRef; bytes: Uint8Array }[] = [];
    for (const cut of lanes) {
      const slot = this.#slot(cut.partition, cut.incarnation);
      if (slot === undefined || !slot.live || slot.lane === null) continue;
      const sealed = this.#seal(cutId, slot, cut);
      report.lanes.push(sealed.lane);
      if (sealed.rows.length > 0) rows.push({ partition: cut.partition, rows: sealed.rows });
      if (sealed.snapshot !== null) snapshots.push({ ref: sealed.lane.snapshot!, bytes: sealed.snapshot });
    }
    // now and then the rows are of two days
    const files = random.below(4) === 0 ? [rows.slice(0, 1), rows.slice(1)] : [rows];
    this.#sealing = this.#sealing
      .then(() => this.#store(report, files, snapshots))
      .catch((error: unknown) => this.#options.onFatal(error));
  }

  #seal(cutId: string, slot: SimSlot, cut: CutLane) {
    const { partition, incarnation, appId } = slot.assign;
    const marks: Marks = { ...cut.marks, ...this.#someMarks(slot.lane!) };
    slot.lane!.marks(marks);
    const { rows, deadLetters } = slot.take();
    const to = BigInt(slot.nextOffset);
    const meta: SnapshotMeta = { modelHash: MODEL_HASH, appId, partition, offset: to, cutId };
    const state = Buffer.from(JSON.stringify(slot.lane!.state));
    const snapshot = cut.snapshot ? encodeSnapshot(state, meta) : null;
    const path = `_headrace/snapshots/topic-id/${partition}/${slot.nextOffset.toString().padStart(20, '0')}-${cutId}.snap`;
    const lane: SealedLane = {
      partition,
      incarnation,
      to,
      watermarkMs: slot.lane!.state.watermarkMs,
      marks,
      rows: rows.length,
      deadLetters,
      crc: sumOf(rows),
      openSessions: 0,
      evicted: 0,
      sessionBytes: 0,
      snapshot: snapshot === null ? null : { path, sizeBytes: snapshot.byteLength, offset: to, cutId },
    };
    return { lane, rows, snapshot };
  }

  /** What an engine may decide of a lane beside its log: memory is short, a partition is idle, rows are wanted early. */
  #someMarks({ state }: ToyLane): Marks {
    const { random } = this.#options;
    if (state.watermarkMs === null || random.below(4) > 0) return {};
    const kind = random.below(3);
    if (kind === 0) return { evictBeforeMs: state.watermarkMs - random.below(4_000) };
    return kind === 1 ? { early: true } : { idleWatermarkMs: state.watermarkMs + random.below(4_000) };
  }

  /** Files and snapshots are there before anybody hears of them (rule 10). */
  async #store(
    report: SealedReport,
    files: { partition: number; rows: ToyRow[] }[][],
    snapshots: { ref: SnapshotRef; bytes: Uint8Array }[],
  ): Promise<void> {
    const { store, index, newFileId, onSnapshot } = this.#options;
    for (const [day, parts] of files.entries()) {
      const rows = parts.flatMap((part) => part.rows);
      if (rows.length === 0) continue;
      const date = `2026-01-0${day + 1}`;
      const path = `session_date=${date}/part-${report.cutId}-${index}-${newFileId()}.parquet`;
      await this.#retried(() => store.putFile(path, rows));
      const file: SealedFile = {
        path,
        partitionValues: { session_date: date },
        sizeBytes: 1,
        rows: rows.length,
        stats: JSON.stringify({ numRecords: rows.length }),
        lanes: parts.map(({ partition }) => partition),
      };
      report.files.push(file);
    }
    for (const { ref, bytes } of snapshots) {
      await this.#retried(() => store.put(ref.path, bytes));
      onSnapshot(ref);
    }
    this.#say({ type: 'sealed', report });
  }

  async #retried<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof HeadraceError) || error.disposition !== 'retry') throw error;
        await this.#options.process.pause(100);
      }
    }
  }

  #say(message: WorkerMessage): void {
    const { process, onMessage } = this.#options;
    process.after(1, () => onMessage(message));
  }
}

const NO_BYTES = new Uint8Array(0);
