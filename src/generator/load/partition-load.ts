import { Crowd, type CrowdOptions, type Draft } from './crowd.js';
import {
  DISORDER_MS_MAX,
  type DirtShares,
  disorderedPerEvent,
  EXTRA_KINDS,
  type ExtraKind,
  extrasPerEvent,
  FUTURE_MS,
  LATE_MS,
} from './dirt.js';
import { EventText } from './event-text.js';
import { Words } from './words.js';

/**
 * The records of one partition, in their order: the crowd's events, and what is wrong among them. The seed and the options
 * decide every byte, whoever sends them and in whatever batches.
 */

export interface PartitionLoadOptions extends Omit<CrowdOptions, 'words'> {
  seed: number;
  dirt: DirtShares;
  /** It ends after so many records. */
  recordsMax: number;
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

/** What is late or from the future in the first records of a partition would be its first word on what time it is. */
const CLEAN_RECORDS = 20;

export class PartitionLoad {
  readonly partition: number;
  /** The record to be written. The same object each time. */
  readonly draft: Draft;
  readonly counts: LoadCounts = { ...NO_COUNTS };
  readonly #options: PartitionLoadOptions;
  readonly #crowd: Crowd;
  readonly #words: Words;
  readonly #text: EventText;
  readonly #disordered: number;
  readonly #extras: Record<ExtraKind, number>;
  readonly #isDirty: boolean;
  /** Still to come for the event under way. */
  readonly #pending: ExtraKind[] = [];
  /** Of the good event under way. */
  #timeMs = 0;

  constructor(options: PartitionLoadOptions) {
    this.#options = options;
    this.partition = options.partition;
    this.#words = new Words(
      Math.imul(options.seed, 0x9e3779b1) ^ Math.imul(options.partition + 1, 0x85ebca6b),
    );
    this.#crowd = new Crowd({ ...options, words: this.#words });
    this.draft = this.#crowd.draft;
    this.#text = new EventText(options.layout, options.films.pieces);
    this.#disordered = disorderedPerEvent(options.dirt);
    this.#extras = extrasPerEvent(options.dirt);
    this.#isDirty = Object.values(options.dirt).some((share) => share > 0);
  }

  /** Where event time stands. */
  get nowMs(): number {
    return this.#crowd.nowMs;
  }

  get isDone(): boolean {
    return this.counts.records >= this.#options.recordsMax || this.#options.users.length === 0;
  }

  /** Is there a record before `untilMs`? */
  hasNext(untilMs: number): boolean {
    if (this.isDone) return false;
    return this.#pending.length > 0 || this.#crowd.hasNext(untilMs);
  }

  /** Takes the next record, which there is. Null: its value is the draft's event, else what is returned. */
  take(): Buffer | null {
    this.counts.records++;
    if (this.#pending.length > 0) return this.#takeExtra(this.#pending.pop()!);
    this.#crowd.take();
    if (this.#isDirty) this.#soil();
    return null;
  }

  #soil(): void {
    const words = this.#words;
    const { draft } = this;
    this.#timeMs = draft.timeMs;
    if (words.float() < this.#disordered) {
      draft.timeMs -= 1 + words.below(DISORDER_MS_MAX);
      this.counts.disordered++;
    }
    if (this.counts.records <= CLEAN_RECORDS) return;
    for (const kind of EXTRA_KINDS) {
      const extra = this.#extras[kind];
      const whole = Math.floor(extra);
      const count = whole + (words.float() < extra - whole ? 1 : 0);
      for (let more = 0; more < count; more++) this.#pending.push(kind);
    }
    // of a repetition the original is the record before
    this.#pending.sort((a, b) => Number(a === 'duplicated') - Number(b === 'duplicated'));
  }

  #takeExtra(kind: ExtraKind): Buffer | null {
    const words = this.#words;
    const { draft, counts } = this;
    counts[kind]++;
    if (kind === 'duplicated') return null;
    for (let word = 0; word < 4; word++) draft.eventId[word] = words.next();
    if (kind === 'malformed') {
      draft.timeMs = this.#timeMs;
      return this.#malformed();
    }
    const { min, max } = kind === 'late' ? LATE_MS : FUTURE_MS;
    const ms = min + words.below(max - min);
    draft.timeMs = this.#timeMs + (kind === 'late' ? -ms : ms);
    return null;
  }

  /** Cut off somewhere, or with a byte in it that no UTF-8 has. */
  #malformed(): Buffer {
    const words = this.#words;
    const value = Buffer.allocUnsafe(this.#text.valueBytes(this.draft));
    this.#text.putValue(value, 0, this.draft);
    const at = 1 + words.below(value.length - 2);
    if (words.next() < 0) return value.subarray(0, at);
    value[at] = 0xff;
    return value;
  }
}
