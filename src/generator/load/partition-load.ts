import type { EventText } from './event-text.js';
import type { Scene } from './films.js';
import * as abi from './load-abi.js';
import type { LoadModule } from './load-module.js';
import { seedWords } from './words.js';

/**
 * The records of one partition, in their order: the crowd's events, and what is wrong among them. The seed and the options
 * decide every byte, whoever sends them and in whatever batches. Who comes next and what is wrong is the module's
 * (`assembly/partition`); values that are no events are made here.
 */

export interface PartitionLoadOptions {
  module: LoadModule;
  /** Of the module's tables. */
  scenes: readonly Scene[];
  text: EventText;
  seed: number;
  partition: number;
  /** Numbers of the users whose events lie in the partition. */
  users: Int32Array;
  /** It ends after so many records. */
  recordsMax: number;
}

/** An event to be written. The same object each time. */
export interface Draft {
  scene: Scene;
  /** Event time. */
  timeMs: number;
  /** When it is produced: the record's timestamp. */
  producedMs: number;
  /** As in the event. */
  userNumber: number;
  /** Four words each. */
  eventId: Int32Array;
  sessionId: Int32Array;
}

/** Records so far. */
export interface LoadCounts {
  /** All of them. */
  records: number;
  /** Of the good ones, those that come out of order. */
  disordered: number;
  late: number;
  duplicated: number;
  malformed: number;
  future: number;
}

export const NO_COUNTS: Readonly<LoadCounts> = {
  records: 0,
  disordered: 0,
  late: 0,
  duplicated: 0,
  malformed: 0,
  future: 0,
};

export function sumOf(all: readonly Readonly<LoadCounts>[]): LoadCounts {
  const sum = { ...NO_COUNTS };
  for (const counts of all) {
    for (const what of Object.keys(sum) as (keyof LoadCounts)[]) sum[what] += counts[what];
  }
  return sum;
}

export class PartitionLoad {
  readonly partition: number;
  /** Where the module has it. */
  readonly at: number;
  readonly #module: LoadModule;
  readonly #scenes: readonly Scene[];
  readonly #text: EventText;
  readonly #draft: Draft;

  /** Behind the last one the module's memory grows no more. */
  constructor({ module, scenes, text, seed, partition, users, recordsMax }: PartitionLoadOptions) {
    this.partition = partition;
    this.#module = module;
    this.#scenes = scenes;
    this.#text = text;
    const at = module.reserve(abi.PARTITION_BYTES);
    const state = module.reserve(abi.USER_BYTES * users.length);
    const slots = module.reserve(4 * abi.SLOTS);
    const { view } = module;
    seedWords(Math.imul(seed, 0x9e3779b1) ^ Math.imul(partition + 1, 0x85ebca6b)).forEach((word, index) => {
      view.setInt32(at + abi.P_WORDS + 4 * index, word, true);
    });
    view.setUint32(at + abi.P_NUMBER, partition, true);
    view.setUint32(at + abi.P_USERS, users.length, true);
    view.setUint32(at + abi.P_STATE, state, true);
    view.setUint32(at + abi.P_SLOTS, slots, true);
    view.setFloat64(at + abi.P_RECORDS_MAX, recordsMax, true);
    users.forEach((number, index) => {
      view.setUint32(state + abi.USER_BYTES * index + abi.U_NUMBER, number, true);
    });
    module.exports.settle(at);
    this.at = at;
    this.#draft = {
      scene: scenes[0]!,
      timeMs: 0,
      producedMs: 0,
      userNumber: 0,
      eventId: new Int32Array(4),
      sessionId: new Int32Array(4),
    };
  }

  get counts(): LoadCounts {
    const { view } = this.#module;
    const count = (at: number) => view.getFloat64(this.at + at, true);
    return {
      records: count(abi.P_RECORDS),
      disordered: count(abi.P_DISORDERED),
      late: count(abi.P_EXTRAS),
      duplicated: count(abi.P_EXTRAS + 8),
      malformed: count(abi.P_EXTRAS + 16),
      future: count(abi.P_EXTRAS + 24),
    };
  }

  /** Where event time stands. */
  get nowMs(): number {
    return this.#module.exports.nowMs(this.at);
  }

  get isDone(): boolean {
    return this.#module.exports.isDone(this.at) !== 0;
  }

  /** The record that was taken. The same object each time. */
  get draft(): Draft {
    const { view } = this.#module;
    const draft = this.#draft;
    draft.scene = this.#scenes[view.getUint32(this.at + abi.P_SCENE, true)]!;
    draft.timeMs = view.getFloat64(this.at + abi.P_EVENT_MS, true);
    draft.producedMs = view.getFloat64(this.at + abi.P_PRODUCED_MS, true);
    draft.userNumber = view.getUint32(this.at + abi.P_USER_NUMBER, true);
    for (let word = 0; word < 4; word++) {
      draft.eventId[word] = view.getInt32(this.at + abi.P_EVENT_ID + 4 * word, true);
      draft.sessionId[word] = view.getInt32(this.at + abi.P_SESSION_ID + 4 * word, true);
    }
    return draft;
  }

  /** Is there a record before `untilMs`? */
  hasNext(untilMs: number): boolean {
    return this.#module.exports.hasNext(this.at, untilMs) !== 0;
  }

  /** Takes the next record, which there is. Null: its value is the draft's event, else what is returned. */
  take(): Buffer | null {
    return this.#module.exports.take(this.at) === abi.TAKEN_EVENT ? null : this.malformed();
  }

  /** The draft's event, cut off somewhere, or with a byte in it that no UTF-8 has. */
  malformed(): Buffer {
    const { draft } = this;
    const value = Buffer.allocUnsafe(this.#text.valueBytes(draft));
    this.#text.putValue(value, 0, draft);
    const at = 1 + Math.floor(((this.#word() >>> 0) / 2 ** 32) * (value.length - 2));
    if (this.#word() < 0) return value.subarray(0, at);
    value[at] = 0xff;
    return value;
  }

  #word(): number {
    return this.#module.exports.nextWord(this.at);
  }
}
