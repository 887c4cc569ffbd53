import { invariant } from '#src/invariant.js';
import { DECIDED_LAST, DECIDED_MORE, DECIDED_NONE, NULL_NUMBER_HIGH, VALUE_BYTES } from '#src/kernel/abi.js';
import type { Kernel, KernelHost } from '#src/kernel/kernel.js';
import type { CompiledModel, DeadLetter, DeadLetterReason } from '#src/model/types.js';
import type { EventPlace, FieldValues } from '#src/reference/event.js';
import { itemDetail, type MessageItem, type ParsedItem, parseValue } from '#src/reference/value.js';

/** Of one UTF-16 unit. */
const UTF8_BYTES_MAX = 3;
/** Above it texts are measured, which costs more than a little room. */
const ROOM_BYTES = 65_536;

function roomFor(values: FieldValues): number {
  const sum = (bytesOf: (text: string) => number) =>
    values.reduce<number>((total, value) => total + (typeof value === 'string' ? bytesOf(value) : 0), 0);
  const most = UTF8_BYTES_MAX * sum((text) => text.length);
  return most <= ROOM_BYTES ? most : sum((text) => Buffer.byteLength(text));
}

/** See KernelHost. */
export interface LaneHost {
  rows(lane: number): void;
  kept(lane: number, bytes: Uint8Array): void;
}

/** A record in the kernel's memory; −1 bytes: null. */
interface RecordPlace {
  offsetDelta: number;
  timestampMs: number;
  keyAt: number;
  keyBytes: number;
  valueAt: number;
  valueBytes: number;
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
  /** The record that was asked of last, and how many of its events were given. */
  #asked: { record: RecordPlace; events: readonly ParsedItem[]; next: number } | null = null;
  /** Events that records of the batch held beyond one each. */
  moreEvents = 0;
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
    this.#asked = null;
    this.moreEvents = 0;
  }

  decide(
    offsetDelta: number,
    timestampMs: number,
    keyAt: number,
    keyBytes: number,
    valueAt: number,
    valueBytes: number,
  ): number {
    const record = { offsetDelta, timestampMs, keyAt, keyBytes, valueAt, valueBytes };
    const bytes = Math.max(0, keyBytes) + Math.max(0, valueBytes);
    if (bytes > this.#recordBytesMax) {
      this.#refuse('too_large', `${bytes} bytes of key and value`, record, undefined);
      return DECIDED_NONE;
    }
    const value = valueBytes < 0 ? null : this.#copy(valueAt, valueBytes);
    const { partition, offset } = this.#place;
    const place = { partition, offset: offset + BigInt(offsetDelta) };
    const events = parseValue(this.#model, value, timestampMs, this.#recordBytesMax, place);
    this.moreEvents += events.length - 1;
    this.#asked = { record, events, next: 0 };
    return this.decideNext();
  }

  /** Events that are none become letters, up to the next that is one. */
  decideNext(): number {
    const { record, events } = this.#asked!;
    while (this.#asked!.next < events.length) {
      const event = events[this.#asked!.next++]!;
      if (event.ok) {
        this.blanked += event.blanked;
        this.#giveValues(event.values);
        return this.#asked!.next < events.length ? DECIDED_MORE : DECIDED_LAST;
      }
      this.#refuse(event.reason, event.detail, record, event.item);
    }
    return DECIDED_NONE;
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
    const record = { offsetDelta, timestampMs, keyAt, keyBytes, valueAt, valueBytes };
    const item = this.#itemOf(offsetDelta);
    this.#refuse('late', item === undefined ? detail : itemDetail(item.index, detail), record, item);
  }

  /** The event that was given last, where it is one of several of this record. */
  #itemOf(offsetDelta: number): MessageItem | undefined {
    const asked = this.#asked;
    return asked?.record.offsetDelta === offsetDelta ? asked.events[asked.next - 1]?.item : undefined;
  }

  /** Puts the values where the kernel looks for them. */
  #giveValues(values: FieldValues): void {
    const { exports, view, bytes } = this.#kernel!;
    let text = exports.decidedText(roomFor(values)) >>> 0;
    const at = exports.decidedValues() >>> 0;
    for (const { index, type } of this.#model.fields) {
      const place = at + index * VALUE_BYTES;
      const value = values[index]!;
      if (typeof value === 'string') {
        const size = bytes.write(value, text, 'utf8');
        view.setUint32(place, text, true);
        view.setUint32(place + 4, size, true);
        text += size;
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
    { offsetDelta, timestampMs, keyAt, keyBytes, valueAt, valueBytes }: RecordPlace,
    item: MessageItem | undefined,
  ): void {
    const whole = () => (valueBytes < 0 ? null : this.#copy(valueAt, valueBytes));
    this.#letters.push({
      reason,
      detail,
      offset: this.#place.offset + BigInt(offsetDelta),
      timestampMs,
      key: keyBytes < 0 ? null : this.#copy(keyAt, keyBytes),
      value: item === undefined ? whole() : new Uint8Array(item.encoded()),
      ...(item === undefined ? {} : { item: item.index }),
    });
  }

  /** Out of the kernel's memory, which will hold something else soon. */
  #copy(at: number, bytes: number): Uint8Array {
    const kernel = this.#kernel;
    invariant(kernel !== null, 'the kernel is not attached');
    return new Uint8Array(kernel.slice(at, bytes));
  }
}
