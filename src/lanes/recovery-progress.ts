import type { Clock } from '../clock.js';
import type { Log } from '../telemetry/log.js';

/** Lanes on their way back, told together: how much is left while they replay, and what it took when the last one is there. */
export class RecoveryProgress {
  readonly #clock: Clock;
  readonly #log: Log;
  /** By partition: those that replay. */
  readonly #open = new Map<number, { from: bigint; to: bigint }>();
  #startedMs = 0;
  #done = { lanes: 0, offsets: 0n };
  #told = { ms: 0, left: 0n };

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** The lane will replay from here to there. */
  begin(partition: number, from: bigint, to: bigint): void {
    this.#open.delete(partition);
    if (to <= from) return;
    if (this.#open.size === 0) {
      this.#startedMs = this.#clock.monotonicMs();
      this.#done = { lanes: 0, offsets: 0n };
    }
    this.#open.set(partition, { from, to });
    this.#told = { ms: this.#clock.monotonicMs(), left: this.#left((lane) => this.#open.get(lane)!.from) };
  }

  /** It is there, or (`reached` false) it went away, halted, or starts over. */
  end(partition: number, reached: boolean): void {
    const lane = this.#open.get(partition);
    if (lane === undefined) return;
    this.#open.delete(partition);
    if (reached) {
      this.#done.lanes++;
      this.#done.offsets += lane.to - lane.from;
    }
    if (this.#open.size > 0 || this.#done.lanes === 0) return;
    const { lanes, offsets } = this.#done;
    const ms = Math.round(this.#clock.monotonicMs() - this.#startedMs);
    this.#log.info(
      { lanes, offsets, ms, offsets_per_second: perSecond(offsets, ms) },
      'recovery is done: the lanes stand where the ledger has them',
    );
  }

  /** One line on those that are left. `positionOf`: behind the last event that was handed to the lane's worker. */
  tell(positionOf: (partition: number) => bigint): void {
    if (this.#open.size === 0) return;
    const nowMs = this.#clock.monotonicMs();
    const left = this.#left(positionOf);
    const rate = perSecond(this.#told.left - left, nowMs - this.#told.ms);
    this.#told = { ms: nowMs, left };
    const partitions = [...this.#open.keys()].sort((a, b) => a - b).join(',');
    this.#log.info(
      { lanes: this.#open.size, partitions, offsets_left: left, offsets_per_second: rate },
      'recovering: events since the snapshots are replayed',
    );
  }

  #left(positionOf: (partition: number) => bigint): bigint {
    let left = 0n;
    for (const [partition, { to }] of this.#open) {
      const position = positionOf(partition);
      if (position < to) left += to - position;
    }
    return left;
  }
}

function perSecond(offsets: bigint, ms: number): number {
  return ms > 0 ? Math.max(0, Math.round((Number(offsets) / ms) * 1_000)) : 0;
}
