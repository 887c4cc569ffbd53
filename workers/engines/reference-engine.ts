import { type EncodedRows, encodeRows, type Seal } from '#src/columnar/encode.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel, DeadLetter, Row } from '#src/model/types.js';
import type { OpenBatch } from '#src/reference/batch-reader.js';
import { PLAIN_CODECS } from '#src/reference/codecs/plain.js';
import { ReferenceLane } from '#src/reference/lane.js';
import { eachRecord } from '#src/reference/record-batches.js';
import { addCrc, rowCrc } from '#src/reference/row-crc.js';
import { decodeState, encodeState } from '#src/reference/state-codec.js';
import type { Accepted, DayRows, Emitted, LaneEngine, SessionEngine, StateInTurns } from './engine.js';

/** The sessionizer in plain TypeScript: the oracle, and what runs where the kernel can't. */

const DAY_MS = 86_400_000;

/** Rough, by which files are kept to a size. */
const ROW_BYTES = 1_024;

/** Rows as values, in the order in which they came. */
class ReferenceRows implements DayRows {
  readonly list: Row[];

  constructor(list: Row[]) {
    this.list = list;
  }

  get rows(): number {
    return this.list.length;
  }

  get bytes(): number {
    return this.rows * ROW_BYTES;
  }

  split(most: { rows: number; bytes: number }): ReferenceRows[] {
    const rows = Math.max(1, Math.min(most.rows, Math.floor(most.bytes / ROW_BYTES)));
    const parts: ReferenceRows[] = [];
    for (let from = 0; from < this.rows; from += rows) {
      parts.push(new ReferenceRows(this.list.slice(from, from + rows)));
    }
    return parts;
  }
}

export class ReferenceEngine implements SessionEngine {
  readonly name = 'reference';
  readonly codecs = PLAIN_CODECS;
  readonly rowPressure = 0;
  readonly rowBytes = 0;
  readonly columnsMs = 0;
  readonly undecided = 0;
  readonly #model: CompiledModel;
  readonly #lanes = new Set<ReferenceLaneEngine>();

  constructor(model: CompiledModel) {
    this.#model = model;
  }

  /** Estimate of what objects take. */
  get sessionBytes(): number {
    let bytes = 0;
    for (const lane of this.#lanes) bytes += lane.sessionBytes;
    return bytes;
  }

  lane(content: Uint8Array | null, partition = 0): LaneEngine {
    const onFree = () => this.#lanes.delete(lane);
    const lane = new ReferenceLaneEngine(this.#model, content, partition, onFree);
    this.#lanes.add(lane);
    return lane;
  }

  async laneInTurns(content: Uint8Array, _turn: () => Promise<void>, partition = 0): Promise<LaneEngine> {
    return this.lane(content, partition);
  }

  encode(rows: readonly DayRows[], seal: Seal): EncodedRows {
    const all = (rows as readonly ReferenceRows[]).flatMap(({ list }) => list);
    return encodeRows(this.#model, all, seal);
  }
}

class ReferenceLaneEngine implements LaneEngine {
  readonly #model: CompiledModel;
  readonly #lane: ReferenceLane;
  readonly #onFree: () => void;
  #emitted = new ReferenceEmitted();

  constructor(model: CompiledModel, content: Uint8Array | null, partition: number, onFree: () => void) {
    this.#model = model;
    this.#onFree = onFree;
    const sink = {
      row: (row: Row) => this.#emitted.add(model, row),
      deadLetter: (letter: DeadLetter) => {
        this.#emitted.deadLetters.push(letter);
      },
    };
    const state = content === null ? undefined : decodeState(model, content);
    this.#lane = new ReferenceLane(model, sink, state, partition);
  }

  get watermarkMs(): number | null {
    return this.#lane.watermarkMs;
  }

  get openSessions(): number {
    return this.#lane.openSessions;
  }

  get sessionBytes(): number {
    return this.#lane.sessionBytes;
  }

  get clamped(): number {
    return this.#lane.clamped;
  }

  get filtered(): number {
    return this.#lane.filtered;
  }

  get blanked(): number {
    return this.#lane.blanked;
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#emitted.deadLetters;
  }

  /** Objects have no end of their own: never `full`. The worker looks at the bytes before each payload. */
  accept(batch: OpenBatch, from: bigint, until: bigint): Accepted {
    let events = 0;
    eachRecord(batch, from, until, (record) => {
      events += this.#lane.accept(record);
    });
    return { events, nextOffset: until, full: false };
  }

  applyMarks(marks: Marks): void {
    this.#lane.applyMarks(marks);
  }

  take(): Emitted {
    const emitted = this.#emitted;
    this.#emitted = new ReferenceEmitted();
    return emitted;
  }

  snapshot(): Uint8Array {
    return encodeState(this.#model, this.#lane.snapshot());
  }

  /** All at once: the oracle is not in a hurry. */
  beginSnapshot(): StateInTurns {
    const parts: Uint8Array[][] = [[this.snapshot()]];
    return { next: () => parts.pop() ?? null, abandoned: false };
  }

  free(): void {
    this.#onFree();
  }
}

class ReferenceEmitted implements Emitted {
  rows = 0;
  crc = 0;
  readonly deadLetters: DeadLetter[] = [];
  readonly days = new Map<number, ReferenceRows>();

  add(model: CompiledModel, row: Row): void {
    this.rows++;
    this.crc = addCrc(this.crc, rowCrc(model, row));
    const day = Math.floor((row[model.columnIndex.session_start] as number) / DAY_MS);
    const rows = this.days.get(day);
    if (rows === undefined) this.days.set(day, new ReferenceRows([row]));
    else rows.list.push(row);
  }

  spill(): void {}

  /** Nothing that the garbage collector would not see. */
  free(): void {}
}
