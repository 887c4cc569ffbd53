import { setImmediate } from 'node:timers/promises';
import { unpack } from 'msgpackr';
import { systemClock } from '#src/clock.js';
import { HeadraceError, messageOf } from '#src/errors.js';
import { LocalStore } from '#src/lake/store/local.js';
import type {
  AssignCommand,
  CutCommand,
  MainMessage,
  WorkerMessage,
  WorkerResult,
  WorkerTask,
} from '#src/pool/messages.js';
import { decodeSnapshot } from '#src/reference/snapshot.js';
import { RingConsumer, type RingRecord } from '#src/ring/consumer.js';
import { RecordType } from '#src/ring/layout.js';
import { WorkerCounters } from '#src/telemetry/counters.js';
import { osThreadId } from '#src/telemetry/cpu.js';
import { LaneSlot } from './lane-slot.js';
import { Sealer } from './sealer.js';

/**
 * The piscina entry: one call, as long as the engine lives. Reads the ring in order (data and commands), keeps the lanes,
 * seals at cuts. It knows no Kafka client, commits nothing, and never blocks its event loop for longer than one record or
 * one Parquet file takes.
 */
export default async function runWorker(task: WorkerTask): Promise<WorkerResult> {
  const loop = new WorkerLoop(task);
  return await loop.run();
}

/** Longest time between two looks at the event loop while the ring is full of work. */
const YIELD_AFTER_MS = 5;
/** A sleeping worker looks at its ring at least this often, should a notification be missed. */
const WAIT_MS = 50;
/** Waits between tries to read a snapshot, doubled each time: some three seconds in all. */
const READ_RETRY_MS_FIRST = 100;
const READ_RETRY_MS_MAX = 1_600;

class WorkerLoop {
  readonly #task: WorkerTask;
  readonly #ring: RingConsumer;
  readonly #slots = new Map<number, LaneSlot>();
  readonly #sealer: Sealer;
  readonly #store: LocalStore;
  readonly #counters: WorkerCounters;
  #events = 0;
  #failure: { error: unknown } | null = null;

  constructor(task: WorkerTask) {
    this.#task = task;
    this.#ring = new RingConsumer({
      buffer: task.memory.buffer,
      baseBytes: task.ringBaseBytes,
      capacityBytes: task.ringCapacityBytes,
    });
    this.#store = new LocalStore(task.tableFolder);
    this.#counters = new WorkerCounters(task.counters);
    const { worker, topic, model } = task;
    this.#sealer = new Sealer({
      worker,
      topic,
      model,
      store: this.#store,
      counters: this.#counters,
      post: (message) => this.#post(message),
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
      this.#handle(record);
      this.#ring.advance();
      if (performance.now() - lastYieldMs > YIELD_AFTER_MS) {
        await setImmediate();
        lastYieldMs = performance.now();
      }
    }
    this.#ring.advance();
    await this.#sealer.settled();
    this.#throwIfFailed();
    this.#task.port.close();
    return { worker: this.#task.worker, events: this.#events };
  }

  #onMessage(message: MainMessage): void {
    for (const { partition, incarnation } of message.lanes) {
      const slot = this.#slots.get(partition);
      if (slot !== undefined && slot.incarnation === incarnation) slot.frozen = true;
    }
  }

  #handle(record: RingRecord): void {
    const { partition, incarnation } = record;
    switch (record.type) {
      case RecordType.data:
        this.#data(record);
        break;
      case RecordType.assign:
        this.#assign(unpack(Buffer.from(record.bytes)) as AssignCommand);
        break;
      case RecordType.revoke:
        if (this.#slots.get(partition)?.incarnation === incarnation) this.#slots.delete(partition);
        this.#post({ type: 'lane-revoked', partition, incarnation });
        this.#gauges();
        break;
      case RecordType.seek: {
        const slot = this.#slots.get(partition);
        if (slot?.incarnation === incarnation) slot.waitsForSeek = false;
        break;
      }
      case RecordType.cut:
        this.#sealer.cut(unpack(Buffer.from(record.bytes)) as CutCommand, this.#slots);
        this.#gauges();
        break;
      default:
        throw new HeadraceError('INVARIANT', 'unknown ring record', { where: { type: record.type } });
    }
  }

  #data(record: RingRecord): void {
    const slot = this.#slots.get(record.partition);
    if (slot === undefined || slot.incarnation !== record.incarnation) return;
    if (slot.mode === 'loading' || slot.mode === 'halted') return;
    if (slot.waitsForSeek || slot.frozen) return;
    if (this.#memoryFull(slot)) return;
    const startedMs = performance.now();
    try {
      const clampedBefore = slot.clamped;
      const { events, batches } = slot.accept(record.bytes, record.offset, record.aux);
      this.#counters.add('clamped', slot.clamped - clampedBefore);
      this.#events += events;
      this.#counters.add('events', events);
      this.#counters.add('batches', batches);
      this.#counters.add('bytes', record.bytes.byteLength);
    } catch (error) {
      this.#laneError(slot, error);
    }
    this.#counters.add('busyNs', Math.round((performance.now() - startedMs) * 1e6));
    this.#gauges();
  }

  #assign(command: AssignCommand): void {
    const { partition, incarnation } = command;
    const { recordBytesMax, decompressedBatchBytesMax } = this.#task.limits;
    const slot = new LaneSlot({
      assign: command,
      topic: this.#task.topic,
      model: this.#task.model,
      limits: { recordBytesMax, decompressedBatchBytesMax },
      onLive: () => this.#post({ type: 'lane-live', partition, incarnation }),
    });
    this.#slots.set(partition, slot);
    this.#load(slot, command).catch((error: unknown) => this.#fail(error));
  }

  /** Brings the lane's state back; the ring goes on meanwhile, with the other lanes' data. */
  async #load(slot: LaneSlot, command: AssignCommand): Promise<void> {
    const { partition, incarnation, snapshot } = command;
    let state = null;
    if (snapshot !== null) {
      try {
        const bytes = await this.#read(snapshot.path);
        if (bytes === null) throw new HeadraceError('SNAPSHOT_UNUSABLE', 'it is not there');
        state = decodeSnapshot(bytes, {
          modelHash: this.#task.model.hash,
          appId: command.appId,
          partition,
          offset: snapshot.offset,
          cutId: snapshot.cutId,
        });
      } catch (error) {
        const plain = asHeadrace(error, 'SNAPSHOT_UNUSABLE').toPlain();
        this.#post({
          type: 'lane-snapshot-unusable',
          partition,
          incarnation,
          path: snapshot.path,
          error: plain,
        });
        return;
      }
    }
    if (this.#slots.get(partition) !== slot) return;
    const nextOffset = slot.nextOffset;
    try {
      slot.start(state);
    } catch (error) {
      this.#laneError(slot, error);
      return;
    }
    this.#post({ type: 'lane-ready', partition, incarnation, nextOffset, openSessions: slot.openSessions });
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
    const failure = asHeadrace(error, 'INVARIANT');
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
    slot.mode = 'halted';
    this.#post({ type: 'lane-halted', partition, incarnation, error: failure.toPlain() });
  }

  /** Is the sessions' memory used up? Then the lane that wanted more halts; nothing is dropped. */
  #memoryFull(slot: LaneSlot): boolean {
    const { sessionMemoryBytes } = this.#task.limits;
    let bytes = 0;
    for (const each of this.#slots.values()) bytes += each.sessionBytes;
    if (bytes <= sessionMemoryBytes) return false;
    this.#laneError(
      slot,
      new HeadraceError(
        'SESSION_MEMORY_FULL',
        'the open sessions of this worker need more memory than they may have',
        {
          where: {
            partition: slot.partition,
            offset: slot.nextOffset,
            bytes,
            limit_bytes: sessionMemoryBytes,
          },
          remedy: 'raise limits.session_memory_bytes, or run more workers or engines',
        },
      ),
    );
    return true;
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
    let sessionBytes = 0;
    for (const slot of this.#slots.values()) {
      openSessions += slot.openSessions;
      sessionBytes += slot.sessionBytes;
    }
    this.#counters.set('openSessions', openSessions);
    this.#counters.set('sessionBytes', sessionBytes);
  }

  #post(message: WorkerMessage): void {
    this.#task.port.postMessage(message);
  }
}

function asHeadrace(error: unknown, code: 'SNAPSHOT_UNUSABLE' | 'INVARIANT'): HeadraceError {
  if (error instanceof HeadraceError) return error;
  return new HeadraceError(code, messageOf(error), { cause: error });
}
