import { HeadraceError } from '#src/errors.js';
import { compileModel } from '#src/model/compile.js';
import type { Marks } from '#src/model/marks.js';
import type { CompiledModel } from '#src/model/types.js';
import { decodeState } from '#src/reference/state-codec.js';
import type { StateInTurns } from '../../workers/engines/engine.js';
import type { FuzzCase, Step } from './case.js';
import { Difference, expectSame } from './difference.js';
import { compareEmitted, compareFiles } from './emitted-compare.js';
import { encodeBatch, endOfBatch } from './encode-batch.js';
import { type EngineMaker, Side, type Taken } from './side.js';
import { compareStates } from './state-compare.js';
import { TIME_MS_MAX } from './time-maker.js';

/** What came of a case. */
export interface Played {
  /** The first difference, with the step; null: none. */
  difference: string | null;
  events: number;
  rows: number;
  deadLetters: number;
  /** Records that the left engine could not decide. */
  undecided: number;
  /** How often its memory was full. */
  full: number;
}

/** Plays a case on two engines and compares them after every step that can show a difference. Throws nothing. */
export function playCase(fuzzCase: FuzzCase, left: EngineMaker, right: EngineMaker): Played {
  const played: Played = { difference: null, events: 0, rows: 0, deadLetters: 0, undecided: 0, full: 0 };
  let at = 'at the start';
  try {
    const player = new Player(fuzzCase, left, right, played);
    // what grows to the largest session and stays is the same after the second time; what leaks is not
    const isBig = fuzzCase.logs.flat().length > LEAK_BATCHES_MAX;
    const times = fuzzCase.seed % LEAKS_EVERY === 0 && !isBig ? 2 : 1;
    for (let time = 1; time <= times; time++) {
      player.begin();
      for (const [index, step] of fuzzCase.steps.entries()) {
        at = `at step ${index} ${JSON.stringify(step)}`;
        player.step(step);
      }
      at = 'at the end';
      player.end();
    }
  } catch (error) {
    const message =
      error instanceof Difference ? error.message : `thrown: ${(error as Error)?.stack ?? String(error)}`;
    played.difference = `${at}: ${message}`;
  }
  return played;
}

/** Playing twice takes twice as long. */
const LEAKS_EVERY = 4;
const LEAK_BATCHES_MAX = 200;

/** Where a lane stands; both engines are always at the same place. */
interface LanePlace {
  next: bigint;
  /** Damaged, or larger than the memory: takes part in nothing any more. */
  halted: boolean;
  remembered: { next: bigint; contents: readonly [Uint8Array, Uint8Array] } | null;
  /** Snapshots under way. */
  copies: readonly [StateInTurns, StateInTurns] | null;
}

/** Behind everything: all sessions are closed and forgotten. */
const END_OF_TIME_MS = TIME_MS_MAX + 4 * 366 * 86_400_000;

class Player {
  readonly #case: FuzzCase;
  readonly #model: CompiledModel;
  readonly #left: Side;
  readonly #right: Side;
  #places: LanePlace[] = [];
  readonly #encoded = new Map<string, Uint8Array>();
  readonly #played: Played;
  /** What the engines took when all lanes were given back the last time. */
  #emptyBytes: readonly number[] | null = null;

  constructor(fuzzCase: FuzzCase, left: EngineMaker, right: EngineMaker, played: Played) {
    this.#case = fuzzCase;
    this.#played = played;
    const model = compileModel(fuzzCase.model, 'model.yaml');
    const { collectionBytesMax = model.collectionBytesMax } = fuzzCase.limits;
    this.#model = { ...model, collectionBytesMax };
    this.#left = new Side(left, this.#model, fuzzCase.limits);
    this.#right = new Side(right, this.#model, { ...fuzzCase.limits, sessionBytesMax: null });
  }

  begin(): void {
    for (const side of this.#sides) side.lanes.length = 0;
    this.#places = this.#case.logs.map((log, lane) => {
      for (const side of this.#sides) side.lanes.push(side.engine.lane(null, lane));
      return { next: BigInt(log[0]?.baseOffset ?? 0), halted: false, remembered: null, copies: null };
    });
  }

  get #sides(): readonly [Side, Side] {
    return [this.#left, this.#right];
  }

  step(step: Step): void {
    const place = this.#places[step.lane]!;
    if (place.halted) return;
    switch (step.do) {
      case 'feed':
        this.#feed(step.lane, BigInt(step.until));
        return;
      case 'cut':
        this.#cut(step.lane, step.marks, step.file ?? false);
        return;
      case 'restore':
        this.#cut(step.lane, {});
        this.#replace(step.lane, this.#snapshots(step.lane), step.from);
        return;
      case 'remember':
        this.#cut(step.lane, {});
        place.remembered = { next: place.next, contents: this.#snapshots(step.lane) };
        return;
      case 'rewind':
        if (place.remembered === null) return;
        this.#cut(step.lane, {});
        place.next = place.remembered.next;
        this.#replace(step.lane, place.remembered.contents, step.from);
        return;
      case 'copy':
        this.#cut(step.lane, {});
        this.#finishCopies(step.lane);
        place.copies = [
          this.#left.lanes[step.lane]!.beginSnapshot(),
          this.#right.lanes[step.lane]!.beginSnapshot(),
        ];
        return;
      case 'free':
        place.copies = null;
        for (const side of this.#sides) {
          side.lanes[step.lane]!.free();
          side.lanes[step.lane] = side.engine.lane(null, step.lane);
        }
    }
  }

  /** All that is left is compared, closed, and given back. */
  end(): void {
    for (const [lane, { halted }] of this.#places.entries()) {
      this.#cut(lane, {});
      this.#finishCopies(lane);
      if (halted) continue;
      this.#snapshots(lane);
      this.#cut(lane, { idleWatermarkMs: END_OF_TIME_MS });
      for (const { engine, lanes } of this.#sides) {
        expectSame(`open sessions of ${engine.name} behind the end of time`, lanes[lane]!.openSessions, 0);
        const { keys } = decodeState(this.#model, lanes[lane]!.snapshot());
        expectSame(`keys that ${engine.name} knows behind the end of time`, keys, []);
      }
    }
    for (const { lanes } of this.#sides) for (const lane of lanes) lane.free();
    const bytes = this.#sides.map(({ engine }) => engine.sessionBytes);
    expectSame('memory with no lane left, the first and the second time', bytes, this.#emptyBytes ?? bytes);
    this.#emptyBytes = bytes;
    this.#played.undecided = this.#left.engine.undecided;
  }

  #feed(lane: number, until: bigint): void {
    const place = this.#places[lane]!;
    for (let evictions = 0; place.next < until && !place.halted; evictions++) {
      const from = place.next;
      const taken = this.#feedBoth(lane, until);
      this.#played.events += taken.events;
      if (taken.error !== null) place.halted = true;
      else if (taken.full) this.#makeRoom(lane, evictions, taken.next > from);
    }
  }

  /** The left goes ahead: only it can be full, and the right follows to where it stands. */
  #feedBoth(lane: number, until: bigint): Taken {
    const place = this.#places[lane]!;
    const bytes = this.#fetch(lane, place.next, until);
    const left = this.#left.feed(lane, bytes, place.next, until);
    const right = this.#right.feed(lane, bytes, place.next, left.full ? left.next : until);
    expectSame('error', left.error, right.error);
    expectSame('next offset', left.next, right.next);
    expectSame('records taken', left.events, right.events);
    const watermark = (side: Side) => side.lanes[lane]!.watermarkMs;
    expectSame('watermark after a fetch', watermark(this.#left), watermark(this.#right));
    place.next = left.next;
    return left;
  }

  /** As the main thread does when memory is used up: evicts more and more, in all lanes; at last the lane halts. */
  #makeRoom(lane: number, evictions: number, advanced: boolean): void {
    this.#played.full++;
    if (this.#case.limits.sessionBytesMax === null) throw new Difference('full without a limit of memory');
    if (evictions > 0 && !advanced) {
      this.#places[lane]!.halted = true;
      return;
    }
    const watermark = this.#left.lanes[lane]!.watermarkMs;
    const evictBeforeMs = evictions === 0 && watermark !== null ? watermark : Number.MAX_SAFE_INTEGER;
    for (const [each, place] of this.#places.entries()) if (!place.halted) this.#cut(each, { evictBeforeMs });
  }

  #cut(lane: number, marks: Marks, file = false): void {
    const [left, right] = this.#sides.map((side) => {
      side.lanes[lane]!.applyMarks(marks);
      return side.lanes[lane]!.take();
    });
    compareEmitted(this.#model, left!, right!);
    if (file) compareFiles(this.#left, this.#right, left!, right!);
    this.#played.rows += right!.rows;
    this.#played.deadLetters += right!.deadLetters.length;
    left!.free();
    right!.free();
    const seen = (side: Side) => {
      const { watermarkMs, openSessions, clamped, filtered } = side.lanes[lane]!;
      return { watermarkMs, openSessions, clamped, filtered };
    };
    expectSame('the lane after a cut', seen(this.#left), seen(this.#right));
  }

  #snapshots(lane: number): readonly [Uint8Array, Uint8Array] {
    const contents = [this.#left.lanes[lane]!.snapshot(), this.#right.lanes[lane]!.snapshot()] as const;
    // what the engine does later must not reach them
    const copies = [new Uint8Array(contents[0]), new Uint8Array(contents[1])] as const;
    compareStates(this.#model, ...copies);
    return contents;
  }

  /** What was copied while the lane went on is as it was when that began. */
  #finishCopies(lane: number): void {
    const place = this.#places[lane]!;
    const contents = place.copies?.map((copy) => {
      const parts: Uint8Array[] = [];
      for (let some = copy.next(); some !== null; some = copy.next()) parts.push(...some);
      expectSame('a copy is given up', copy.abandoned, false);
      return Buffer.concat(parts);
    });
    place.copies = null;
    if (contents !== undefined) compareStates(this.#model, contents[0]!, contents[1]!);
  }

  #replace(lane: number, contents: readonly [Uint8Array, Uint8Array], from: 'own' | 'other'): void {
    this.#places[lane]!.copies = null;
    for (const [index, side] of this.#sides.entries()) {
      side.lanes[lane]!.free();
      try {
        side.lanes[lane] = side.engine.lane(contents[from === 'own' ? index : 1 - index]!, lane);
      } catch (error) {
        const isFull = error instanceof HeadraceError && error.code === 'SESSION_MEMORY_FULL';
        if (!isFull || this.#case.limits.sessionBytesMax === null) throw error;
        this.#places[lane]!.halted = true;
        side.lanes[lane] = side.engine.lane(null, lane);
      }
    }
    if (this.#places[lane]!.halted) {
      for (const side of this.#sides) {
        side.lanes[lane]!.free();
        side.lanes[lane] = side.engine.lane(null, lane);
      }
    }
  }

  /** The batches that a broker would send for a position, all whole. */
  #fetch(lane: number, from: bigint, until: bigint): Uint8Array {
    const [least, end] = [Number(from), Number(until)];
    const parts: Uint8Array[] = [];
    for (const [index, batch] of this.#case.logs[lane]!.entries()) {
      if (endOfBatch(batch) <= least || batch.baseOffset >= end) continue;
      const name = `${lane}/${index}`;
      if (!this.#encoded.has(name)) this.#encoded.set(name, encodeBatch(batch));
      parts.push(this.#encoded.get(name)!);
    }
    return new Uint8Array(Buffer.concat(parts));
  }
}
