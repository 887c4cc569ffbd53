import type { Marks } from '#src/model/marks.js';
import type { CompiledModel, RowValue } from '#src/model/types.js';
import { decodeRow } from '#src/reference/row-bytes.js';
import type { KernelRows } from '../../workers/engines/kernel-rows.js';
import type { BatchCase, FuzzLimits } from '../fuzz/case.js';
import { encodeBatch } from '../fuzz/encode-batch.js';
import { KERNEL } from '../fuzz/engine-makers.js';
import { Side } from '../fuzz/side.js';

/** One lane of the kernel, for rows that a test knows by heart. */

const LIMITS: FuzzLimits = {
  decompressedBatchBytesMax: 32 << 20,
  recordBytesMax: 4 << 20,
  sessionBytesMax: null,
};
/** Behind all sessions of a test. */
const END_MS = Date.UTC(2200, 0, 1);

export class KernelTestLane {
  readonly #model: CompiledModel;
  readonly #side: Side;
  #next = 0;

  constructor(model: CompiledModel) {
    this.#model = model;
    this.#side = new Side(KERNEL, model, LIMITS);
    this.#side.lanes.push(this.#side.engine.lane(null));
  }

  /** Bytes of the sessions of all lanes. */
  get sessionBytes(): number {
    return this.#side.engine.sessionBytes;
  }

  get clamped(): number {
    return this.#side.lanes[0]!.clamped;
  }

  get filtered(): number {
    return this.#side.lanes[0]!.filtered;
  }

  get blanked(): number {
    return this.#side.lanes[0]!.blanked;
  }

  snapshot(): Uint8Array {
    return this.#side.lanes[0]!.snapshot();
  }

  /** Events as JSON, in one batch. */
  send(events: readonly object[], codec: BatchCase['codec'] = 'none'): void {
    const records = events.map((event, offsetDelta) => {
      const value = Buffer.from(JSON.stringify(event));
      return { offsetDelta, timestampMs: -1, key: null, value, headers: 0 };
    });
    const baseOffset = this.#next;
    const lastOffsetDelta = events.length - 1;
    const batch = { baseOffset, lastOffsetDelta, codec, appendTimeMs: null, records, damagedByte: null };
    this.#next += events.length;
    const { error } = this.#side.feed(0, encodeBatch(batch), BigInt(baseOffset), BigInt(this.#next));
    if (error !== null) throw new Error(error);
  }

  /** Rows that marks let out, by column name, in the order of session_start and revision. Dead letters are none. */
  rows(marks: Marks = { idleWatermarkMs: END_MS }): Record<string, RowValue>[] {
    const lane = this.#side.lanes[0]!;
    lane.applyMarks(marks);
    const emitted = lane.take();
    if (emitted.deadLetters.length > 0) throw new Error(`a dead letter: ${emitted.deadLetters[0]!.detail}`);
    const bytes = [...emitted.days.values()].flatMap((day) => (day as KernelRows).rowBytes());
    const rows = bytes.map((each) => {
      const row = decodeRow(this.#model, each);
      return Object.fromEntries(this.#model.columns.map(({ name, index }) => [name, row[index]!]));
    });
    emitted.free();
    const place = (row: Record<string, RowValue>) => [
      row.session_start as number,
      (row.revision as number) * 2 + (row.sign as number),
    ];
    return rows.sort((a, b) => place(a)[0]! - place(b)[0]! || place(a)[1]! - place(b)[1]!);
  }

  /** As after a restart. */
  restart(): void {
    this.restore(new Uint8Array(this.#side.lanes[0]!.snapshot()));
  }

  /** Goes on from a state. */
  restore(state: Uint8Array): void {
    this.#side.lanes[0]!.free();
    this.#side.lanes[0] = this.#side.engine.lane(state);
  }
}
