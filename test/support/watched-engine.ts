import type { EncodedRows, Seal } from '#src/columnar/encode.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel, DeadLetter } from '#src/model/types.js';
import type { OpenBatch } from '#src/reference/batch-reader.js';
import type {
  Accepted,
  DayRows,
  Emitted,
  LaneEngine,
  SessionEngine,
  StateInTurns,
} from '../../workers/engines/engine.js';
import { ReferenceEngine } from '../../workers/engines/reference-engine.js';

/** The reference, with a memory that ends where the test says, and an eye on what is given back. */
export class WatchedEngine implements SessionEngine {
  readonly name = 'reference';
  readonly rowPressure = 0;
  readonly rowBytes = 0;
  readonly columnsMs = 0;
  readonly undecided = 0;
  /** The sessions' memory ends before the record of this offset. */
  fullAt: bigint | null = null;
  /** Asked for and not yet given back. */
  lanes = 0;
  emitted = 0;
  /** What `accept` was asked for, as `from-until`. */
  readonly asked: string[] = [];
  readonly #inner: ReferenceEngine;

  constructor(model: CompiledModel) {
    this.#inner = new ReferenceEngine(model);
  }

  get codecs() {
    return this.#inner.codecs;
  }

  get sessionBytes(): number {
    return this.#inner.sessionBytes;
  }

  lane(content: Uint8Array | null, partition?: number): LaneEngine {
    this.lanes++;
    return new WatchedLane(this, this.#inner.lane(content, partition));
  }

  async laneInTurns(content: Uint8Array, turn: () => Promise<void>, partition?: number): Promise<LaneEngine> {
    await turn();
    return this.lane(content, partition);
  }

  encode(rows: readonly DayRows[], seal: Seal): EncodedRows {
    return this.#inner.encode(rows, seal);
  }
}

class WatchedLane implements LaneEngine {
  readonly #engine: WatchedEngine;
  readonly #inner: LaneEngine;

  constructor(engine: WatchedEngine, inner: LaneEngine) {
    this.#engine = engine;
    this.#inner = inner;
  }

  get watermarkMs(): number | null {
    return this.#inner.watermarkMs;
  }

  get openSessions(): number {
    return this.#inner.openSessions;
  }

  get sessionBytes(): number {
    return this.#inner.sessionBytes;
  }

  get blanked(): number {
    return this.#inner.blanked;
  }

  get filtered(): number {
    return this.#inner.filtered;
  }

  get clamped(): number {
    return this.#inner.clamped;
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#inner.deadLetters;
  }

  accept(batch: OpenBatch, from: bigint, until: bigint): Accepted {
    const { fullAt, asked } = this.#engine;
    asked.push(`${from}-${until}`);
    if (fullAt === null || fullAt >= until) return this.#inner.accept(batch, from, until);
    return { ...this.#inner.accept(batch, from, fullAt), full: true };
  }

  applyMarks(marks: Marks): void {
    this.#inner.applyMarks(marks);
  }

  take(): Emitted {
    const engine = this.#engine;
    const { rows, crc, deadLetters, days } = this.#inner.take();
    engine.emitted++;
    let held = 1;
    const free = () => {
      engine.emitted -= held;
      held = 0;
    };
    return { rows, crc, deadLetters, days, spill: () => undefined, free };
  }

  snapshot(): Uint8Array {
    return this.#inner.snapshot();
  }

  beginSnapshot(): StateInTurns {
    return this.#inner.beginSnapshot();
  }

  free(): void {
    this.#engine.lanes--;
    this.#inner.free();
  }
}
