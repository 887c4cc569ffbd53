import { HeadraceError } from '#src/errors.js';
import type { Marks } from '#src/model/marks.js';
import type { AssignCommand } from '#src/pool/messages.js';
import type { Evictable } from '../../../workers/make-room.js';
import type { SimTopic } from './sim-topic.js';
import { sumOf, type ToyLane, type ToyLetter, type ToyRow } from './toy-sessions.js';

/** What a lane let out up to a place where marks were applied, and how it stood there. */
export interface SimPart {
  to: bigint;
  watermarkMs: number | null;
  marks: Marks;
  evicted: number;
  openSessions: number;
  sessionBytes: number;
  rows: ToyRow[];
  letters: ToyLetter[];
}

/** A lane in a worker: workers/lane-slot.ts over toy sessions. */
export class SimSlot implements Evictable {
  readonly assign: AssignCommand;
  nextOffset: number;
  lane: ToyLane | null = null;
  live = false;
  frozen = false;
  halted = false;
  #replayed = 0;
  #parts: SimPart[] = [];

  constructor(assign: AssignCommand) {
    this.assign = assign;
    this.nextOffset = Number(assign.snapshot?.offset ?? assign.startOffset);
  }

  get partition(): number {
    return this.assign.partition;
  }

  get sealable(): boolean {
    return this.live && this.lane !== null;
  }

  get watermarkMs(): number | null {
    return this.lane?.state.watermarkMs ?? null;
  }

  get openSessions(): number {
    return this.lane?.openSessions ?? 0;
  }

  get sessionBytes(): number {
    return (this.lane?.state.sessions.length ?? 0) * SESSION_BYTES;
  }

  applyMarks(marks: Marks): void {
    this.lane?.marks(marks);
  }

  /** Takes the events up to `until`; throws REPLAY_DIFFERS. */
  accept(topic: SimTopic, until: number): void {
    const events = topic.lanes[this.partition]!;
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
      const { rows, letters } = this.lane!.take();
      if (rows.length !== cut.rows || letters.length !== cut.deadLetters || sumOf(rows) !== cut.crc) {
        throw new HeadraceError('REPLAY_DIFFERS', 'the replay gave other rows than the ledger has', {
          where: { partition, cut: cut.cutId, to: cut.to, rows: `${rows.length} instead of ${cut.rows}` },
        });
      }
    }
    this.live = true;
  }

  /** Ends a part where the lane stands; its marks were applied. */
  endPart(marks: Marks, evicted: number): void {
    const { nextOffset, watermarkMs, openSessions, sessionBytes } = this;
    const stood = { watermarkMs, openSessions, sessionBytes };
    this.#parts.push({ to: BigInt(nextOffset), marks, evicted, ...stood, ...this.lane!.take() });
  }

  takeParts(): SimPart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }
}

/** What a session takes. */
export const SESSION_BYTES = 100;
