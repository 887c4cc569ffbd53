import type { CutCommand, CutLane, EvictionOrder, SealedLane } from '#src/ledger/types.js';
import type { Marks } from '#src/model/marks.js';
import { encodeSnapshot, type SnapshotMeta } from '#src/reference/snapshot.js';
import { type Eviction, RoomMaker } from '../../../workers/make-room.js';
import type { SimPart, SimSlot } from './sim-slot.js';
import { sumOf } from './toy-sessions.js';

/** The model that all engines run. */
export const MODEL_HASH = 'toy';

/** A lane's part of a cut with what it let out. */
export interface SimSealed {
  lane: SealedLane;
  part: SimPart;
  /** Its bytes, where one is due. */
  snapshot: Uint8Array | null;
}

/** Marks and the taking of rows at a cut, as workers/sealer.ts does it: watermark, eviction, the others. */
export class SimSealer {
  readonly #room = new RoomMaker<SimSlot>();
  #order: EvictionOrder | null = null;

  begin(order: EvictionOrder): void {
    this.#order ??= order;
  }

  cut({ cutId, lanes, eviction }: CutCommand, slots: ReadonlyMap<number, SimSlot>): SimSealed[] {
    this.#order = eviction ?? this.#order;
    const wanted = new Map<SimSlot, CutLane>();
    for (const cut of lanes) {
      const slot = slots.get(cut.partition);
      if (slot?.assign.incarnation === cut.incarnation && slot.sealable) wanted.set(slot, cut);
    }
    for (const [slot, { marks }] of wanted) {
      if (marks.idleWatermarkMs !== undefined) slot.applyMarks({ idleWatermarkMs: marks.idleWatermarkMs });
    }
    const evictions = eviction === undefined ? new Map<SimSlot, Eviction>() : this.#evict(wanted.keys());
    for (const [slot, { marks }] of wanted) {
      const gone = evictions.get(slot);
      slot.applyMarks(marks);
      const all: Marks = gone === undefined ? marks : { ...marks, evictBeforeMs: gone.beforeMs };
      slot.endPart(all, gone?.sessions ?? 0);
    }
    return [...wanted].flatMap(([slot, cut]) => sealed(cutId, slot, cut));
  }

  /** Between two cuts: memory is used up. */
  makeRoom(slots: Iterable<SimSlot>, limitBytes: number): void {
    if (this.#order === null || bytesOf(slots) <= limitBytes) return;
    for (const [slot, { beforeMs, sessions }] of this.#evict(slots)) {
      slot.endPart({ evictBeforeMs: beforeMs }, sessions);
    }
  }

  #evict(slots: Iterable<SimSlot>): Map<SimSlot, Eviction> {
    const giving = [...slots].filter((slot) => slot.sealable && !slot.frozen && !slot.halted);
    return this.#room.follow(this.#order!, giving, () => bytesOf(giving));
  }
}

function bytesOf(slots: Iterable<SimSlot>): number {
  let bytes = 0;
  for (const { sessionBytes } of slots) bytes += sessionBytes;
  return bytes;
}

function sealed(cutId: string, slot: SimSlot, cut: CutLane): SimSealed[] {
  const { partition, incarnation } = slot.assign;
  const parts = slot.takeParts();
  return parts.map((part, index) => {
    const { rows, letters, ...stood } = part;
    const sums = { rows: rows.length, deadLetters: letters.length, crc: sumOf(rows) };
    const lane: SealedLane = { partition, incarnation, ...stood, ...sums, snapshot: null };
    const snapshot = cut.snapshot && index === parts.length - 1 ? snapshotOf(cutId, slot, lane) : null;
    return { lane, part, snapshot };
  });
}

function snapshotOf(cutId: string, slot: SimSlot, lane: SealedLane): Uint8Array {
  const { appId, partition } = slot.assign;
  const meta: SnapshotMeta = { modelHash: MODEL_HASH, appId, partition, offset: lane.to, cutId };
  const bytes = encodeSnapshot(Buffer.from(JSON.stringify(slot.lane!.state)), meta);
  const path = `_headrace/snapshots/topic-id/${partition}/${slot.nextOffset.toString().padStart(20, '0')}-${cutId}.snap`;
  lane.snapshot = { path, sizeBytes: bytes.byteLength, offset: lane.to, cutId };
  return bytes;
}
