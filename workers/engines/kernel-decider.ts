import { invariant } from '#src/invariant.js';
import { NULL_NUMBER_HIGH, VALUE_BYTES } from '#src/kernel/abi.js';
import type { Kernel, KernelHost } from '#src/kernel/kernel.js';
import type { CompiledModel, DeadLetter, DeadLetterReason } from '#src/model/types.js';
import { type EventPlace, type FieldValues, parseEvent } from '#src/reference/event.js';

/** See KernelHost. */
export interface LaneHost {
  rows(lane: number): void;
  kept(lane: number, bytes: Uint8Array): void;
}

/**
 * What the kernel asks while it goes through a batch: records that it could not decide are parsed by the reference, which
 * gives the values back or makes a dead letter; events that it found late become dead letters.
 */
export class KernelDecider implements KernelHost {
  readonly #model: CompiledModel;
  #kernel: Kernel | null = null;
  #lane = 0;
  /** Values of the batch's events decided here that were to be addresses and are none. */
  blanked = 0;
  #place: EventPlace = { partition: 0, offset: 0n };
  #recordBytesMax = 0;
  #letters: DeadLetter[] = [];
  readonly #lanes: LaneHost;

  constructor(model: CompiledModel, lanes: LaneHost) {
    this.#model = model;
    this.#lanes = lanes;
  }

  rows(lane: number): void {
    this.#lanes.rows(lane);
  }

  kept(lane: number, at: number, bytes: number): void {
    this.#lanes.kept(lane, this.#copy(at, bytes));
  }

  attach(kernel: Kernel): void {
    this.#kernel = kernel;
  }

  /** Before a batch's records: whose they are, where the batch lies, and where their dead letters go. */
  begin(lane: number, place: EventPlace, recordBytesMax: number, letters: DeadLetter[]): void {
    this.#lane = lane;
    this.blanked = 0;
    this.#place = place;
    this.#recordBytesMax = recordBytesMax;
    this.#letters = letters;
  }

  decide(
    offsetDelta: number,
    timestampMs: number,
    keyAt: number,
    keyBytes: number,
    valueAt: number,
    valueBytes: number,
  ): number {
    const refuse = (reason: DeadLetterReason, detail: string) => {
      this.#refuse(reason, detail, offsetDelta, timestampMs, keyAt, keyBytes, valueAt, valueBytes);
      return 0;
    };
    const bytes = Math.max(0, keyBytes) + Math.max(0, valueBytes);
    if (bytes > this.#recordBytesMax) return refuse('too_large', `${bytes} bytes of key and value`);
    const value = valueBytes < 0 ? null : this.#copy(valueAt, valueBytes);
    const { partition, offset } = this.#place;
    const place = { partition, offset: offset + BigInt(offsetDelta) };
    const parsed = parseEvent(this.#model, value, timestampMs, place);
    if (!parsed.ok) return refuse(parsed.reason, parsed.detail);
    this.blanked += parsed.blanked;
    this.#giveValues(parsed.values);
    return 1;
  }

  late(
    offsetDelta: number,
    timestampMs: number,
    keyAt: number,
    keyBytes: number,
    valueAt: number,
    valueBytes: number,
    eventMs: number,
  ): void {
    const behindMs = Number(this.#kernel!.exports.laneWatermark(this.#lane)) - eventMs;
    const detail = `${behindMs} ms behind the watermark`;
    this.#refuse('late', detail, offsetDelta, timestampMs, keyAt, keyBytes, valueAt, valueBytes);
  }

  /** Puts the values where the kernel looks for them. */
  #giveValues(values: FieldValues): void {
    const { exports, view, bytes } = this.#kernel!;
    const sizes = values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0));
    let text = exports.decidedText(sizes.reduce((sum, size) => sum + size, 0)) >>> 0;
    const at = exports.decidedValues() >>> 0;
    for (const { index, type } of this.#model.fields) {
      const place = at + index * VALUE_BYTES;
      const value = values[index]!;
      if (typeof value === 'string') {
        bytes.write(value, text, sizes[index]!, 'utf8');
        view.setUint32(place, text, true);
        view.setUint32(place + 4, sizes[index]!, true);
        text += sizes[index]!;
      } else if (value !== null) {
        view.setFloat64(place, value, true);
      } else {
        view.setUint32(place, 0, true);
        view.setUint32(place + 4, type === 'string' ? 0 : NULL_NUMBER_HIGH, true);
      }
    }
  }

  #refuse(
    reason: DeadLetterReason,
    detail: string,
    offsetDelta: number,
    timestampMs: number,
    keyAt: number,
    keyBytes: number,
    valueAt: number,
    valueBytes: number,
  ): void {
    this.#letters.push({
      reason,
      detail,
      offset: this.#place.offset + BigInt(offsetDelta),
      timestampMs,
      key: keyBytes < 0 ? null : this.#copy(keyAt, keyBytes),
      value: valueBytes < 0 ? null : this.#copy(valueAt, valueBytes),
    });
  }

  /** Out of the kernel's memory, which will hold something else soon. */
  #copy(at: number, bytes: number): Uint8Array {
    const kernel = this.#kernel;
    invariant(kernel !== null, 'the kernel is not attached');
    return new Uint8Array(kernel.slice(at, bytes));
  }
}
