import type { EngineFacts, LaneFacts } from './facts.js';

/**
 * Does every lane get on? One has stopped that has records to read, waits for nobody, and for so long has neither read nor committed
 * any. A restart helps where the fault is ours, and only there, so it is no fault of a lane
 *
 * - that it is halted: it said why, and what to do;
 * - that its broker does not answer: that is noticed within the time of a request, which no limit here is below;
 * - that too many cuts are under way while the table's place takes nothing.
 *
 * Where data is held back for other reasons (a slow place, many lanes in turn for one ring) a lane has several times as long. What lies in a
 * ring and is not taken is its worker's (ProgressJudge). Facts in, judgement out.
 */
export class LaneJudge {
  readonly #limitMs: number;
  readonly #lanes = new Map<number, { place: string; stoodMs: number }>();
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(limitMs: number) {
    this.#limitMs = Math.max(limitMs, LIMIT_MS_MIN);
  }

  /** The lanes that have stopped; `nowMs`: monotonic. To be asked every few seconds. */
  stopped(facts: Pick<EngineFacts, 'lanes' | 'isLakeInTrouble'>, nowMs: number): LaneFacts[] {
    // when nobody looked, the whole process stood still, and no lane could get on
    const passedMs = Math.min(nowMs - this.#lookedMs, LOOK_MS_MAX);
    this.#lookedMs = nowMs;
    const held = new Set(facts.lanes.map(({ partition }) => partition));
    for (const partition of this.#lanes.keys()) if (!held.has(partition)) this.#lanes.delete(partition);
    return facts.lanes.filter((lane) => this.#stoodMs(lane, facts, passedMs) >= this.#limitMs);
  }

  /** For how long it should have got on and did not; time in which data is held back counts in part. */
  #stoodMs(
    lane: LaneFacts,
    { isLakeInTrouble }: Pick<EngineFacts, 'isLakeInTrouble'>,
    passedMs: number,
  ): number {
    const place = [lane.state, lane.position, lane.committed].join(' ');
    const last = this.#lanes.get(lane.partition);
    const stands = last?.place === place && isToGetOn(lane, isLakeInTrouble);
    const counted = lane.waitsFor === null ? passedMs : passedMs / HELD_TIMES;
    const stoodMs = stands ? last.stoodMs + counted : 0;
    this.#lanes.set(lane.partition, { place, stoodMs });
    return stoodMs;
  }
}

/** More than a request to a broker may take (30 s), and more than a broker may tell us to wait (60 s). */
const LIMIT_MS_MIN = 100_000;
/** A snapshot of gigabytes to a slow store takes minutes, and cuts wait for it. */
const HELD_TIMES = 5;
const LOOK_MS_MAX = 15_000;

function isToGetOn({ halted, lag, waitsFor }: LaneFacts, isLakeInTrouble: boolean): boolean {
  if (halted !== null || lag === null || lag === 0) return false;
  if (waitsFor === 'records' || waitsFor === 'broker') return false;
  return waitsFor === null || !isLakeInTrouble;
}
