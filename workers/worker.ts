import { setImmediate } from 'node:timers/promises';
import { unpack } from 'msgpackr';
import { systemClock } from '#src/clock.js';
import { HeadraceError, messageOf } from '#src/errors.js';
import { invariant } from '#src/invariant.js';
import { openStore } from '#src/lake/store/open-store.js';
import type { ObjectStore } from '#src/lake/store/store.js';
import type { StoreRetry } from '#src/lake/store/store-retries.js';
import type { SnapshotRef } from '#src/ledger/types.js';
import type {
  AssignCommand,
  CutCommand,
  MainMessage,
  WorkerMessage,
  WorkerResult,
  WorkerTask,
} from '#src/pool/messages.js';
import { decodeAborted } from '#src/reference/aborted-transactions.js';
import { decodeSnapshotInTurns, type SnapshotMeta, snapshotUnusable } from '#src/reference/snapshot.js';
import { RingConsumer, type RingRecord } from '#src/ring/consumer.js';
import { RecordType } from '#src/ring/layout.js';
import { WorkerCounters } from '#src/telemetry/counters.js';
import { osThreadId } from '#src/telemetry/cpu.js';
import type { LaneEngine, SessionEngine } from './engines/engine.js';
import { makeEngine } from './engines/make-engine.js';
import { Inserter } from './inserter.js';
import { LaneSlot, type Taken } from './lane-slot.js';
import { RecordReader } from './record-reader.js';
import { Sealer } from './sealer.js';
import { SnapshotTurns } from './snapshot-turns.js';

/**
 * The piscina entry: one call, as long as the engine lives. Reads the ring in order (data and commands), keeps the lanes,
 * seals at cuts. It knows no Kafka client, commits nothing, and never blocks its event loop for longer than one record or
 * one Parquet file takes.
 */
export default async function runWorker(task: WorkerTask): Promise<WorkerResult> {
  const onRetry = (retry: StoreRetry) => task.port.postMessage({ type: 'store-retry', ...retry });
  const loop = new WorkerLoop(task, await openStore(task.table, { onRetry }));
  return await loop.run();
}

/** Longest time between two looks at the event loop while the ring is full of work. */
const YIELD_AFTER_MS = 5;
/** A sleeping worker looks at its ring at least this often, should a notification be missed. */
const WAIT_MS = 50;
/** Waits between tries to read a snapshot, doubled each time: some three seconds in all. */
const READ_RETRY_MS_FIRST = 100;
const READ_RETRY_MS_MAX = 1_600;
const QUALITY_MS = 60_000;

class WorkerLoop {
  readonly #task: WorkerTask;
  readonly #engine: SessionEngine;
  readonly #ring: RingConsumer;
  readonly #slots = new Map<number, LaneSlot>();
  readonly #sealer: Sealer;
  readonly #store: ObjectStore;
  readonly #counters: WorkerCounters;
  readonly #inserter: Inserter | null;
  readonly #records: RecordReader;
  #events = 0;
  #qualityToldMs = systemClock.monotonicMs();
  /** The lane that is being restored, with those before it; and those before that one. */
  #restoring: Promise<unknown> = Promise.resolve();
  #restoringBefore: Promise<unknown> = Promise.resolve();
  #failure: { error: unknown } | null = null;

  constructor(task: WorkerTask, store: ObjectStore) {
    this.#task = task;
    this.#engine = makeEngine(task);
    this.#ring = new RingConsumer({
      buffer: task.memory.buffer,
      baseBytes: task.ringBaseBytes,
      capacityBytes: task.ringCapacityBytes,
    });
    this.#store = store;
    this.#counters = new WorkerCounters(task.counters);
    const { worker, topic, model, clickhouse } = task;
    const post = (message: WorkerMessage) => this.#post(message);
    this.#inserter =
      clickhouse === null
        ? null
        : new Inserter({ target: clickhouse, model, store: this.#store, counters: this.#counters, post });
    this.#records = new RecordReader({
      model,
      store: this.#store,
      post: (message, transfer) => task.port.postMessage(message, transfer),
    });
    this.#sealer = new Sealer({
      worker,
      topic,
      model,
      engine: this.#engine,
      store: this.#store,
      counters: this.#counters,
      keep: (path, bytes) => this.#inserter?.keep(path, bytes),
      post,
      fail: (error) => this.#fail(error),
    });
  }

  async run(): Promise<WorkerResult> {
    this.#task.port.on('message', (message: MainMessage) => this.#onMessage(message));
    this.#post({ type: 'started', worker: this.#task.worker, osThreadId: osThreadId() });
    let lastYieldMs = performance.now();
    for (;;) {
      this.#throwIfFailed();
      const record = this.#ring.peek();
      if (record === null) {
        await this.#ring.wait(WAIT_MS);
        lastYieldMs = performance.now();
        continue;
      }
      if (record.type === RecordType.stop) break;
      if (this.#sealer.mustCatchUp) {
        await this.#sealer.settled();
        lastYieldMs = performance.now();
        continue;
      }
      this.#handle(record);
      this.#sealer.spillRows(this.#slots.values());
      this.#ring.advance();
      if (performance.now() - lastYieldMs > YIELD_AFTER_MS) {
        await setImmediate();
        lastYieldMs = performance.now();
      }
    }
    this.#ring.advance();
    await this.#sealer.settled();
    await this.#inserter?.close();
    this.#throwIfFailed();
    this.#task.port.close();
    return { worker: this.#task.worker, events: this.#events };
  }

  #onMessage(message: MainMessage): void {
    if (message.type === 'read-records') {
      void this.#records.read(message.id, message.request);
      return;
    }
    if (message.type !== 'freeze') {
      this.#onInsertMessage(message);
      return;
    }
    for (const { partition, incarnation } of message.lanes) {
      const slot = this.#slots.get(partition);
      if (slot !== undefined && slot.incarnation === incarnation) slot.frozen = true;
    }
  }

  #onInsertMessage(message: Exclude<MainMessage, { type: 'freeze' | 'read-records' }>): void {
    const inserter = this.#inserter;
    invariant(inserter !== null, 'an insert without a ClickHouse');
    if (message.type === 'insert') void inserter.insert(message.id, message.file);
    else if (message.type === 'insert-cancel') inserter.cancel(message.id);
    else if (message.type === 'insert-forget') inserter.forget(message.paths);
    else void inserter.probe(message.id, message.file);
  }

  #handle(record: RingRecord): void {
    const { partition, incarnation } = record;
    switch (record.type) {
      case RecordType.data:
      case RecordType.dataWithAborted:
        this.#data(record);
        break;
      case RecordType.assign:
        this.#assign(unpack(Buffer.from(record.bytes)) as AssignCommand);
        break;
      case RecordType.revoke:
        if (this.#slots.get(partition)?.incarnation === incarnation) this.#letGo(partition);
        this.#post({ type: 'lane-revoked', partition, incarnation });
        this.#gauges();
        break;
      case RecordType.seek: {
        const slot = this.#slots.get(partition);
        if (slot?.incarnation === incarnation) this.#seek(slot, record.offset);
        break;
      }
      case RecordType.cut:
        this.#sealer.cut(unpack(Buffer.from(record.bytes)) as CutCommand, this.#slots);
        this.#gauges();
        this.#memoryGauges();
        this.#tellQuality();
        break;
      default:
        throw new HeadraceError('INVARIANT', 'unknown ring record', { where: { type: record.type } });
    }
  }

  /** About once a minute, and not without a cut. */
  #tellQuality(): void {
    const nowMs = systemClock.monotonicMs();
    if (nowMs - this.#qualityToldMs < QUALITY_MS) return;
    this.#qualityToldMs = nowMs;
    const lanes = [...this.#slots.values()].flatMap((slot) => slot.takeTally() ?? []);
    if (lanes.length > 0) this.#post({ type: 'quality', lanes });
  }

  /** Fetched again after a corrupt batch, or behind offsets that the log lacks. */
  #seek(slot: LaneSlot, offset: bigint): void {
    slot.waitsForSeek = false;
    if (offset === slot.nextOffset || slot.frozen || slot.mode === 'loading' || slot.mode === 'halted')
      return;
    try {
      slot.pass(offset);
    } catch (error) {
      this.#laneError(slot, error);
    }
  }

  #data(record: RingRecord): void {
    const slot = this.#slots.get(record.partition);
    if (slot === undefined || slot.incarnation !== record.incarnation) return;
    if (slot.mode === 'loading' || slot.mode === 'halted') return;
    if (slot.waitsForSeek || slot.frozen) return;
    const { offset: from, aux: until } = record;
    const { aborted, batches: bytes } =
      record.type === RecordType.dataWithAborted
        ? decodeAborted(record.bytes)
        : { aborted: [], batches: record.bytes };
    const startedMs = performance.now();
    const taken: Taken = { events: 0, batches: 0 };
    const clampedBefore = slot.clamped;
    const filteredBefore = slot.filtered;
    const blankedBefore = slot.blanked;
    let failure: { error: unknown } | null = null;
    try {
      slot.accept({ bytes, from, until, aborted }, taken);
      this.#counters.add('bytes', bytes.byteLength);
    } catch (error) {
      failure = { error };
    }
    this.#events += taken.events;
    this.#counters.add('events', taken.events);
    this.#counters.add('batches', taken.batches);
    this.#counters.add('clamped', slot.clamped - clampedBefore);
    this.#counters.add('filtered', slot.filtered - filteredBefore);
    this.#counters.add('blanked', slot.blanked - blankedBefore);
    this.#countTimes(slot, performance.now() - startedMs);
    if (failure !== null) this.#laneError(slot, failure.error);
    this.#gauges();
  }

  #countTimes(slot: LaneSlot, busyMs: number): void {
    const { decompressMs, sessionsMs } = slot.takeTimes();
    this.#counters.addMs('busyNs', busyMs);
    this.#counters.addMs('decompressNs', decompressMs);
    this.#counters.addMs('sessionsNs', sessionsMs);
    this.#counters.addMs('checkNs', busyMs - decompressMs - sessionsMs);
  }

  #assign(command: AssignCommand): void {
    const { partition, incarnation } = command;
    const slot = new LaneSlot({
      assign: command,
      topic: this.#task.topic,
      engine: this.#engine,
      limits: this.#task.limits,
      quality: this.#task.quality,
      onLive: () => this.#post({ type: 'lane-live', partition, incarnation }),
      makeRoom: () => this.#sealer.makeRoom(this.#slots.values()),
    });
    this.#sealer.begin(command.eviction);
    this.#letGo(partition);
    this.#slots.set(partition, slot);
    this.#load(slot, command).catch((error: unknown) => this.#fail(error));
  }

  #letGo(partition: number): void {
    this.#slots.get(partition)?.free();
    this.#slots.delete(partition);
  }

  /** Brings the lane's state back; the ring goes on meanwhile, with the other lanes' data. */
  async #load(slot: LaneSlot, command: AssignCommand): Promise<void> {
    const { partition, incarnation, snapshot } = command;
    let lane: LaneEngine | null;
    try {
      lane =
        snapshot === null
          ? this.#engine.lane(null, partition)
          : await this.#restored(slot, command, snapshot);
      if (lane === null || this.#slots.get(partition) !== slot) {
        lane?.free();
        return;
      }
    } catch (error) {
      const failure = asHeadrace(error);
      if (failure.code === 'SESSION_MEMORY_FULL') this.#laneError(slot, failure);
      else if (snapshot === null || failure.code === 'INVARIANT') throw failure;
      else {
        const { path } = snapshot;
        const plain = failure.toPlain();
        this.#post({ type: 'lane-snapshot-unusable', partition, incarnation, path, error: plain });
      }
      return;
    }
    const nextOffset = slot.nextOffset;
    try {
      slot.start(lane);
    } catch (error) {
      this.#laneError(slot, error);
      return;
    }
    this.#gauges();
    this.#post({ type: 'lane-ready', partition, incarnation, nextOffset, openSessions: slot.openSessions });
  }

  /**
   * One lane after the other, so that the first ones go on early, and no more than two snapshots' content in memory: the next is
   * decompressed while one is restored. Null: the lane was let go meanwhile.
   */
  async #restored(slot: LaneSlot, command: AssignCommand, snapshot: SnapshotRef): Promise<LaneEngine | null> {
    const bytes = await this.#read(snapshot.path);
    if (bytes === null) throw new HeadraceError('SNAPSHOT_UNUSABLE', 'it is not there');
    const isWanted = () => this.#slots.get(slot.partition) === slot;
    const [before, beforeThat] = [this.#restoring, this.#restoringBefore];
    const content = beforeThat.then(() => (isWanted() ? this.#decoded(command, snapshot, bytes) : null));
    const restored = Promise.all([content, before]).then(([known]) =>
      known !== null && isWanted() ? this.#restore(command, snapshot, known) : null,
    );
    this.#restoringBefore = before;
    this.#restoring = restored.catch(() => undefined);
    return await restored;
  }

  async #decoded(command: AssignCommand, snapshot: SnapshotRef, bytes: Uint8Array): Promise<Uint8Array> {
    const turns = new SnapshotTurns(this.#counters, 'restoring');
    turns.begin();
    const content = await decodeSnapshotInTurns(bytes, this.#metaOf(command, snapshot), turns);
    turns.end();
    return content;
  }

  /** The lanes that are there already have their turns in between. */
  async #restore(command: AssignCommand, snapshot: SnapshotRef, content: Uint8Array): Promise<LaneEngine> {
    const turns = new SnapshotTurns(this.#counters, 'restoring');
    turns.begin();
    try {
      const lane = await this.#engine.laneInTurns(content, () => turns.turn(), command.partition);
      turns.end();
      return lane;
    } catch (error) {
      if (error instanceof HeadraceError) throw error;
      const meta = this.#metaOf(command, snapshot);
      if (!(error instanceof WebAssembly.RuntimeError)) throw snapshotUnusable(error, meta);
      // behind a trap nothing of the engine can be believed
      throw new HeadraceError('INVARIANT', 'the kernel stopped over a snapshot', {
        where: { partition: command.partition, path: snapshot.path },
        remedy:
          'start once with --engine reference: it checks more, and goes on from an older one if it must',
        cause: error,
      });
    }
  }

  #metaOf({ appId, partition }: AssignCommand, { offset, cutId }: SnapshotRef): SnapshotMeta {
    return { modelHash: this.#task.model.hash, appId, partition, offset, cutId };
  }

  /** A failure that passes must not cost a long replay, or a lane that has no older snapshot. */
  async #read(path: string): Promise<Uint8Array | null> {
    for (let waitMs = READ_RETRY_MS_FIRST; ; waitMs *= 2) {
      try {
        return await this.#store.get(path);
      } catch (error) {
        if (waitMs > READ_RETRY_MS_MAX) throw error;
        await systemClock.sleep(waitMs);
      }
    }
  }

  #laneError(slot: LaneSlot, error: unknown): void {
    const { partition, incarnation } = slot;
    const failure = asHeadrace(error);
    if (failure.code === 'INVARIANT') throw failure;
    if (failure.code === 'BATCH_CORRUPT') {
      slot.waitsForSeek = true;
      this.#post({
        type: 'lane-corrupt',
        partition,
        incarnation,
        offset: slot.nextOffset,
        error: failure.toPlain(),
      });
      return;
    }
    slot.halt(failure.code === 'QUALITY_LOW');
    this.#post({ type: 'lane-halted', partition, incarnation, error: failure.toPlain() });
  }

  /** Ends the task from asynchronous work, where nobody awaits the error. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  #gauges(): void {
    let openSessions = 0;
    for (const slot of this.#slots.values()) openSessions += slot.openSessions;
    this.#counters.set('openSessions', openSessions);
    this.#counters.set('sessionBytes', this.#engine.sessionBytes);
    this.#counters.set('undecided', this.#engine.undecided);
  }

  /** Once a cut: the system has to be asked. */
  #memoryGauges(): void {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    this.#counters.set('rowBytes', this.#engine.rowBytes);
    this.#counters.set('heapBytes', heapUsed);
    this.#counters.set('bufferBytes', arrayBuffers);
  }

  #post(message: WorkerMessage): void {
    this.#task.port.postMessage(message);
  }
}

function asHeadrace(error: unknown): HeadraceError {
  if (error instanceof HeadraceError) return error;
  return new HeadraceError('INVARIANT', messageOf(error), { cause: error });
}
