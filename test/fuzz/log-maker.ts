import type { CompiledModel } from '#src/model/types.js';
import { type BatchCase, CODECS, type RecordCase } from './case.js';
import type { Dice } from './dice.js';
import { DocumentMaker, type Intent, type Manner } from './document-maker.js';
import { hostileDocument } from './hostile-documents.js';
import { oddText, plainText } from './text-maker.js';
import { TIME_MS_MAX } from './time-maker.js';

/** The log of one lane: events of few keys around the borders of gap, disorder and lateness, in record batches. */

export interface LogManner {
  documents: Manner;
  /** How probable a document is that no fair producer writes. */
  hostile: number;
  /** How probable an event is that lies around the most that it may be ahead of its record. */
  future: number;
  events: number;
  keys: number;
  /** Damaged batches may come. */
  damage: boolean;
}

export function makeLog(dice: Dice, model: CompiledModel, manner: LogManner): BatchCase[] {
  const stream = new EventStream(dice, model, manner);
  const documents = new DocumentMaker(dice, model, manner.documents);
  const records = Array.from({ length: manner.events }, () =>
    makeRecord(dice, model, manner, stream.next(), documents),
  );
  return intoBatches(dice, records, manner);
}

/** Events whose times meet, merge, split, tie and come late. */
class EventStream {
  readonly #dice: Dice;
  readonly #keys: readonly string[];
  readonly #steps: readonly number[];
  readonly #ends: number;
  readonly #lastMs = new Map<string, number>();
  readonly #disorder: number;
  #clockMs: number;

  constructor(dice: Dice, model: CompiledModel, manner: LogManner) {
    const { gapMs: longestGap, allowedDisorderMs: disorder, allowedLatenessMs: lateness } = model;
    const gap = model.gapField?.defaultMs ?? longestGap;
    const { maxDurationMs: longest } = model.windows;
    this.#dice = dice;
    const odd = manner.documents.odd > 0;
    this.#keys = Array.from({ length: manner.keys }, (_, i) =>
      manner.keys > 50
        ? `user-${i}`
        : odd && dice.chance(0.3)
          ? oddText(dice)
          : `${plainText(dice)}${dice.chance(0.5) ? i : ''}`,
    );
    const borders = [
      gap,
      disorder,
      lateness,
      gap + lateness,
      gap + disorder,
      gap + lateness + disorder,
      longest,
      ...(model.gapField === null ? [] : [longestGap, longestGap + lateness]),
    ];
    this.#steps = [
      0,
      0,
      1,
      Math.floor(gap / 2),
      Math.floor(gap / 3),
      ...borders.flatMap((border) => [border - 1, border, border + 1]),
    ];
    this.#ends = model.endEvent === null ? 0 : dice.pick([0.03, 0.1, 0.3]);
    this.#disorder = dice.pick([0, 0.1, 0.5]);
    const spread = gap * 20 + lateness + disorder;
    this.#clockMs = dice.pick([
      dice.below(TIME_MS_MAX),
      dice.below(TIME_MS_MAX),
      1_767_225_600_000,
      1_767_225_600_000,
      1_709_164_800_000,
      0,
      Math.max(0, TIME_MS_MAX - spread),
    ]);
  }

  next(): Intent {
    const dice = this.#dice;
    const key = dice.pick(this.#keys);
    const last = this.#lastMs.get(key) ?? this.#clockMs;
    const step = dice.weighted([
      [6, dice.pick(this.#steps.slice(0, 5))],
      [2, dice.pick(this.#steps)],
      [1, dice.below(100)],
    ]);
    if (dice.chance(0.5)) this.#clockMs += Math.max(0, step);
    const timeMs = dice.chance(this.#disorder)
      ? dice.pick([
          last - dice.pick(this.#steps),
          last,
          this.#clockMs - dice.pick(this.#steps),
          this.#clockMs - dice.pick(this.#steps),
        ])
      : dice.pick([this.#clockMs, this.#clockMs, last + dice.pick(this.#steps)]);
    const within = Math.min(TIME_MS_MAX, Math.max(dice.chance(0.001) ? -1 : 0, timeMs));
    this.#lastMs.set(key, within);
    // else all that follows would be late
    this.#clockMs = Math.max(this.#clockMs, within);
    return { key, timeMs: within, isEnd: dice.chance(this.#ends) };
  }
}

function makeRecord(
  dice: Dice,
  model: CompiledModel,
  manner: LogManner,
  intent: Intent,
  documents: DocumentMaker,
): RecordCase {
  const fair = documents.make(intent);
  const value = dice.chance(manner.hostile) ? hostileDocument(dice, fair) : Buffer.from(fair);
  const { maxFutureMs } = model;
  const ahead = dice.chance(manner.future) ? Math.max(0, maxFutureMs + dice.between(-1, 1)) : 0;
  return {
    offsetDelta: 0,
    timestampMs: dice.chance(0.03) ? -1 : Math.max(-1, intent.timeMs - ahead),
    key: dice.weighted([
      [6, Buffer.from(intent.key)],
      [1, null],
      [1, Buffer.alloc(0)],
      [1, dice.bytes(dice.below(20))],
    ]),
    value,
    headers: dice.chance(0.1) ? dice.between(1, 3) : 0,
  };
}

function intoBatches(dice: Dice, records: readonly RecordCase[], manner: LogManner): BatchCase[] {
  const batches: BatchCase[] = [];
  const codecs = dice.some(CODECS, dice.between(1, 3));
  const holes = dice.pick([0, 0, 0.1, 0.5]);
  const gapOf = () => (dice.chance(holes) ? dice.pick([1, 2, 5, 1_000]) : 0);
  // every fetch looks through all batches
  const largest = Math.max(dice.pick([1, 5, 20, 100, 400]), Math.floor(records.length / 300));
  let offset = dice.pick([0, 0, 1, 127, 2 ** 31 - 2, 2 ** 32, 2 ** 45]);
  let at = 0;
  while (at < records.length) {
    // compaction leaves batches without any record
    const count = dice.chance(holes / 10) ? 0 : dice.between(1, largest);
    const chosen = records.slice(at, at + count);
    at += chosen.length;
    let delta = gapOf();
    const placed = chosen.map((record) => {
      const offsetDelta = delta;
      delta += 1 + gapOf();
      return { ...record, offsetDelta };
    });
    const lastOffsetDelta = Math.max(0, delta - 1);
    const codec = dice.pick(codecs);
    const appendTimeMs =
      dice.chance(0.05) && chosen.length > 0 ? Math.max(...chosen.map((record) => record.timestampMs)) : null;
    const damagedByte = manner.damage && dice.chance(0.05) ? dice.between(21, 200) : null;
    batches.push({ baseOffset: offset, lastOffsetDelta, codec, appendTimeMs, records: placed, damagedByte });
    offset += lastOffsetDelta + 1 + gapOf();
  }
  return batches;
}
