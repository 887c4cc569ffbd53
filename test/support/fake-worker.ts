import { unpack } from 'msgpackr';
import type { CutCommand, EvictionOrder, SealedLane, SealedReport } from '#src/ledger/types.js';
import type { AssignCommand, MainMessage, WorkerMessage } from '#src/pool/messages.js';
import { RingConsumer } from '#src/ring/consumer.js';
import { RecordType } from '#src/ring/layout.js';
import { RingProducer } from '#src/ring/producer.js';
import { RingWriter } from '#src/ring/writer.js';
import { dirtyRing } from './spine-ring.js';

export interface FakeSlot {
  assign: AssignCommand;
  nextOffset: bigint;
  live: boolean;
  frozen: boolean;
  /** Rows since the last cut: one for each record of data. */
  rows: number;
  /** As the test says. */
  watermarkMs: number | null;
  openSessions: number;
}

/**
 * A worker without sessions: reads a real ring, keeps offsets, answers as told. Messages wait in `outbox` until the test
 * hands them on, so that every order can be had.
 */
export class FakeWorker {
  readonly ring: RingWriter;
  readonly slots = new Map<number, FakeSlot>();
  readonly outbox: WorkerMessage[] = [];
  /** Commands in the order in which they lay in the ring: `assign 3/1`, `cut 3/1`, `revoke 3/1`, `seek 3/1`. */
  readonly seen: string[] = [];
  /** How to make room, as each lane and each cut said it. */
  readonly orders: (EvictionOrder | undefined)[] = [];
  /** Snapshots that can not be read. */
  readonly unreadable = new Set<string>();
  /** Lanes (partitions) whose state takes a while to come: `finishLoading` ends it. */
  slowLanes = new Set<number>();
  /** With how many open sessions a lane comes up, by partition. */
  readonly openSessions = new Map<number, number>();
  readonly #index: number;
  readonly #consumer: RingConsumer;

  constructor(index: number, capacityBytes = 64 * 1024) {
    this.#index = index;
    const place = dirtyRing(capacityBytes);
    this.ring = new RingWriter(new RingProducer(place));
    this.#consumer = new RingConsumer(place);
  }

  onMessage(message: MainMessage): void {
    if (message.type !== 'freeze') return;
    for (const { partition, incarnation } of message.lanes) {
      const slot = this.slots.get(partition);
      if (slot?.assign.incarnation === incarnation) slot.frozen = true;
    }
  }

  /** Takes all that lies in the ring. */
  work(): void {
    for (;;) {
      const record = this.#consumer.peek();
      if (record === null) return;
      const { type, partition, incarnation, offset, aux } = record;
      const payload = Buffer.from(record.bytes);
      this.#consumer.advance();
      if (type === RecordType.data) this.#data(partition, incarnation, aux);
      else if (type === RecordType.assign) this.#assign(unpack(payload) as AssignCommand);
      else if (type === RecordType.cut) this.#cut(unpack(payload) as CutCommand);
      else if (type === RecordType.revoke) this.#revoke(partition, incarnation);
      else if (type === RecordType.seek) this.#seek(partition, incarnation, offset);
    }
  }

  finishLoading(partition: number): void {
    const slot = this.slots.get(partition);
    if (slot === undefined) return;
    const { incarnation, snapshot, committedTo } = slot.assign;
    if (snapshot !== null && this.unreadable.has(snapshot.path)) {
      const error = { code: 'SNAPSHOT_UNUSABLE' as const, message: 'torn', where: {}, remedy: undefined };
      this.outbox.push({
        type: 'lane-snapshot-unusable',
        partition,
        incarnation,
        path: snapshot.path,
        error,
      });
      return;
    }
    if (slot.nextOffset >= committedTo) this.#live(slot);
    const { nextOffset, openSessions } = slot;
    this.outbox.push({ type: 'lane-ready', partition, incarnation, nextOffset, openSessions });
  }

  #live(slot: FakeSlot): void {
    slot.live = true;
    const { partition, incarnation } = slot.assign;
    this.outbox.push({ type: 'lane-live', partition, incarnation });
  }

  #assign(assign: AssignCommand): void {
    const { partition, incarnation } = assign;
    this.seen.push(`assign ${partition}/${incarnation}`);
    this.orders.push(assign.eviction);
    const nextOffset = assign.snapshot?.offset ?? assign.startOffset;
    this.slots.set(partition, {
      assign,
      nextOffset,
      live: false,
      frozen: false,
      rows: 0,
      watermarkMs: null,
      openSessions: this.openSessions.get(partition) ?? 0,
    });
    if (!this.slowLanes.has(partition)) this.finishLoading(partition);
  }

  #data(partition: number, incarnation: number, nextOffset: bigint): void {
    const slot = this.slots.get(partition);
    if (slot === undefined || slot.assign.incarnation !== incarnation || slot.frozen) return;
    slot.nextOffset = nextOffset;
    if (slot.live) slot.rows++;
    else if (nextOffset >= slot.assign.committedTo) this.#live(slot);
  }

  /** Behind a gap, or to where it stands. */
  #seek(partition: number, incarnation: number, offset: bigint): void {
    this.seen.push(`seek ${partition}/${incarnation}`);
    const slot = this.slots.get(partition);
    if (slot?.assign.incarnation !== incarnation || slot.frozen) return;
    if (offset > slot.nextOffset) slot.nextOffset = offset;
    if (!slot.live && slot.nextOffset >= slot.assign.committedTo) this.#live(slot);
  }

  #cut(command: CutCommand): void {
    this.orders.push(command.eviction);
    const report: SealedReport = {
      cutId: command.cutId,
      worker: this.#index,
      sessionBytes: 0,
      lanes: [],
      files: [],
      deadLetterFile: null,
    };
    for (const { partition, incarnation, marks, snapshot, endOffset } of command.lanes) {
      this.seen.push(`cut ${partition}/${incarnation}`);
      const slot = this.slots.get(partition);
      if (slot === undefined || slot.assign.incarnation !== incarnation || !slot.live) continue;
      const { endOfInput: _, ...others } = marks;
      const short = endOffset !== undefined && slot.nextOffset < endOffset;
      report.lanes.push(sealedLane(command.cutId, slot, short ? others : marks, snapshot));
      if (slot.rows > 0) report.files.push(fileOf(`${command.cutId}-${partition}`, slot.rows, partition));
      slot.rows = 0;
    }
    this.outbox.push({ type: 'sealed', report });
  }

  #revoke(partition: number, incarnation: number): void {
    this.seen.push(`revoke ${partition}/${incarnation}`);
    if (this.slots.get(partition)?.assign.incarnation === incarnation) this.slots.delete(partition);
    this.outbox.push({ type: 'lane-revoked', partition, incarnation });
  }
}

function sealedLane(
  cutId: string,
  slot: FakeSlot,
  marks: SealedLane['marks'],
  snapshot: boolean,
): SealedLane {
  const { partition, incarnation } = slot.assign;
  const { nextOffset: to, rows, openSessions } = slot;
  const { idleWatermarkMs } = marks;
  if (idleWatermarkMs !== undefined)
    slot.watermarkMs = Math.max(slot.watermarkMs ?? idleWatermarkMs, idleWatermarkMs);
  const { watermarkMs } = slot;
  const path = `_headrace/snapshots/topic-id/${partition}/${to}-${cutId}.snap`;
  return {
    partition,
    incarnation,
    to,
    watermarkMs,
    marks,
    rows,
    deadLetters: 0,
    crc: 0,
    openSessions,
    evicted: 0,
    sessionBytes: 0,
    snapshot: snapshot ? { path, sizeBytes: 1, offset: to, cutId } : null,
  };
}

function fileOf(path: string, rows: number, partition: number): SealedReport['files'][number] {
  return { path, partitionValues: {}, sizeBytes: 1, rows, stats: '{}', lanes: [partition] };
}
