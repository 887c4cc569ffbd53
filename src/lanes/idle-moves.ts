import type { Clock } from '../clock.js';
import type { Fetcher } from '../kafka/fetcher.js';
import type { LaneHistory } from '../ledger/history.js';
import type { SealedReport } from '../ledger/types.js';
import type { Marks } from '../model/marks.js';
import { idleWatermarkMs, restAt } from './idle.js';
import type { Lane } from './lane.js';

/** Where the lanes rest, and which of them are moved at a cut. What is decided is in idle.ts. */
export interface IdleMovesOptions {
  fetcher: Pick<Fetcher, 'laneStatus'>;
  clock: Clock;
  /** The model's. */
  idleTimeoutMs: number;
  /** Not null: a bounded run, which moves no watermark. */
  endOffsets: ReadonlyMap<number, bigint> | null;
}

/** Each move is a mark, and each mark a commit: all lanes that are idle move together, no more often than this. */
export const IDLE_MOVE_MS = 5_000;

const NONE: ReadonlyMap<number, Marks> = new Map();

export class IdleMoves {
  readonly #options: IdleMovesOptions;
  /** Monotonic. */
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(options: IdleMovesOptions) {
    this.#options = options;
  }

  /** A lane's state is there. One that replays nothing stands as the ledger says, and its worker need not say so first. */
  ready(lane: Lane, history: LaneHistory, nextOffset: bigint, openSessions: number): void {
    const { committedTo: to, watermarkMs } = history;
    lane.rest = nextOffset === to ? restAt({ to, watermarkMs, openSessions }, null) : null;
  }

  /** A worker has told how lanes stand. Those of other incarnations are void. */
  sealed({ lanes: sealed }: SealedReport, lanes: ReadonlyMap<number, Lane>): void {
    for (const standing of sealed) {
      const lane = lanes.get(standing.partition);
      if (lane?.incarnation === standing.incarnation) lane.rest = restAt(standing, lane.rest);
    }
  }

  /** The marks of a cut that is made now, by partition. They count as made. */
  take(live: readonly Lane[]): ReadonlyMap<number, Marks> {
    const { clock, endOffsets } = this.#options;
    const nowMs = clock.monotonicMs();
    if (endOffsets !== null || nowMs < this.#nextMs) return NONE;
    const marks = new Map<number, Marks>();
    for (const lane of live) {
      const toMs = this.#moveOf(lane);
      if (toMs === null) continue;
      lane.rest!.movedToMs = toMs;
      lane.marked = true;
      marks.set(lane.partition, { idleWatermarkMs: toMs });
    }
    if (marks.size > 0) this.#nextMs = nowMs + IDLE_MOVE_MS;
    return marks;
  }

  #moveOf({ partition, incarnation, state, halted, rest }: Lane): number | null {
    const { fetcher, idleTimeoutMs } = this.#options;
    if (state !== 'live' || halted !== null) return null;
    const status = fetcher.laneStatus(partition);
    if (status?.incarnation !== incarnation) return null;
    return idleWatermarkMs(rest, status.position, status.silence, idleTimeoutMs);
  }
}
