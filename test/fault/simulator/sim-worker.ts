import { unpack } from 'msgpackr';
import { HeadraceError } from '#src/errors.js';
import { invariant } from '#src/invariant.js';
import type { CutCommand, LaneRows, SealedFile, SealedReport, SnapshotRef } from '#src/ledger/types.js';
import type { AssignCommand, MainMessage, WorkerMessage } from '#src/pool/messages.js';
import type { Random } from '#src/random.js';
import { decodeSnapshot } from '#src/reference/snapshot.js';
import { RecordType } from '#src/ring/layout.js';
import type { RecordHeader } from '#src/ring/producer.js';
import type { RingWriter } from '#src/ring/writer.js';
import type { SimProcess } from './sim-process.js';
import { MODEL_HASH, type SimSealed, SimSealer } from './sim-sealer.js';
import { SimSlot } from './sim-slot.js';
import type { StoreLine } from './sim-store.js';
import type { SimTopic } from './sim-topic.js';
import { ToyLane, type ToyRow, type ToyState } from './toy-sessions.js';

export interface SimWorkerOptions {
  index: number;
  process: SimProcess;
  random: Random;
  store: StoreLine;
  topic: SimTopic;
  sessionMemoryBytes: number;
  /** Another one is another model. */
  salt: number;
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
  readonly #sealer = new SimSealer();
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
    this.#sealer.begin(assign.eviction);
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
    slot.lane = new ToyLane(partition, state, this.#options.salt);
    this.#progress(slot, () => slot.meetCuts());
    const { openSessions } = slot;
    const nextOffset = BigInt(slot.nextOffset);
    this.#say({ type: 'lane-ready', partition, incarnation, nextOffset, openSessions });
  }

  #data(partition: number, incarnation: number, until: number): void {
    const slot = this.#slot(partition, incarnation);
    if (slot === undefined || slot.frozen || slot.halted) return;
    invariant(slot.lane !== null, 'data came before the lane was ready', { partition });
    this.#progress(slot, () => slot.accept(this.#options.topic, until));
    this.#sealer.makeRoom([...this.#slots.values()], this.#options.sessionMemoryBytes);
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

  #cut(command: CutCommand): void {
    const { index, random } = this.#options;
    const { cutId } = command;
    const report: SealedReport = {
      cutId,
      worker: index,
      sessionBytes: 0,
      lanes: [],
      files: [],
      deadLetterFile: null,
    };
    const sealed = this.#sealer.cut(command, this.#slots);
    report.lanes = sealed.map(({ lane }) => lane);
    for (const { sessionBytes } of this.#slots.values()) report.sessionBytes += sessionBytes;
    const rows = sealed
      .filter(({ part }) => part.rows.length > 0)
      .map(({ lane, part }) => ({ partition: lane.partition, rows: part.rows }));
    // now and then the rows are of two days
    const files = random.below(4) === 0 ? [rows.slice(0, 1), rows.slice(1)] : [rows];
    this.#sealing = this.#sealing
      .then(() => this.#store(report, files, sealed))
      .catch((error: unknown) => this.#options.onFatal(error));
  }

  /** Files and snapshots are there before anybody hears of them (rule 10). */
  async #store(
    report: SealedReport,
    files: { partition: number; rows: ToyRow[] }[][],
    sealed: readonly SimSealed[],
  ): Promise<void> {
    const { store, index, newFileId, onSnapshot } = this.#options;
    for (const [day, parts] of files.entries()) {
      if (parts.length === 0) continue;
      const rows = parts.flatMap((part) => part.rows);
      const date = `2026-01-0${day + 1}`;
      const path = `session_date=${date}/part-${report.cutId}-${index}-${newFileId()}.parquet`;
      await this.#retried(() => store.putFile(path, rows));
      const file: SealedFile = {
        path,
        partitionValues: { session_date: date },
        sizeBytes: 1,
        rows: rows.length,
        stats: JSON.stringify({ numRecords: rows.length }),
        lanes: [...new Set(parts.map(({ partition }) => partition))],
        laneRows: laneRowsOf(parts),
      };
      report.files.push(file);
    }
    await this.#storeLetters(report, sealed);
    for (const { lane, snapshot } of sealed) {
      if (snapshot === null) continue;
      await this.#retried(() => store.put(lane.snapshot!.path, snapshot));
      onSnapshot(lane.snapshot!);
    }
    this.#say({ type: 'sealed', report });
  }

  async #storeLetters(report: SealedReport, sealed: readonly SimSealed[]): Promise<void> {
    const { store, index } = this.#options;
    const letters = sealed.flatMap(({ lane: { partition }, part }) =>
      part.letters.map((letter) => ({ partition, ...letter })),
    );
    if (letters.length === 0) return;
    const path = `_headrace/dead-letters/${report.cutId}-${index}.jsonl`;
    await this.#retried(() => store.putLetters(path, letters));
    const lanes = [...new Set(letters.map(({ partition }) => partition))];
    report.deadLetterFile = { path, sizeBytes: 1, letters: letters.length, lanes };
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

/** A lane's rows lie together as often as it has parts. */
function laneRowsOf(parts: readonly { partition: number; rows: ToyRow[] }[]): LaneRows[] {
  return parts.map(({ partition, rows }) => ({ partition, rows: rows.length }));
}

const NO_BYTES = new Uint8Array(0);
