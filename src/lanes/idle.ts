import type { Silence } from '../kafka/fetch-types.js';

/**
 * Idle moves: a partition that falls silent sends nothing that would close its sessions, so its lane's watermark is moved
 * by hand, at a cut, and recorded there as a mark (rule 15).
 *
 *   watermark ◀── rest ──▶ events            time ──▶
 *       │ came to rest at an offset      first answer "end" ····· last answer "end"
 *       └── + (asked last − asked first) ────────┴────────────────────┘
 *
 * - It moves by the time for which the partition is known to be silent, never to the wall clock: a lane that was reading
 *   events of last year, and has none left for a minute, stands a minute further in last year.
 * - Known is only what a broker said: time counts up to when the last request was *made* that the partition's end answered.
 *   An engine that stood still knows nothing of the time since until it has asked again, and an answer that lay unread
 *   meanwhile tells nothing of it either.
 * - It is always worked out from the watermark with which the lane came to rest, so moves never add up.
 *
 * An event that comes afterwards is judged like any other, by the watermark as it stands.
 */

/** A lane at the end of what its worker was given. */
export interface Rest {
  /** The offset behind its last event. */
  readonly at: bigint;
  /** Of the lane when it came here, before any move; null: it has seen no event. */
  readonly watermarkMs: number | null;
  openSessions: number;
  /** The last move from here; null: none. */
  movedToMs: number | null;
}

/** How a lane's worker says that it stands. */
export interface Standing {
  to: bigint;
  watermarkMs: number | null;
  openSessions: number;
}

/** A lane's rest after its worker has told of it once more. At the same offset the watermark stays what it was at first. */
export function restAt({ to, watermarkMs, openSessions }: Standing, before: Rest | null): Rest {
  if (before?.at === to) return { ...before, openSessions };
  return { at: to, watermarkMs, openSessions, movedToMs: null };
}

/**
 * Where the watermark of a lane goes at a cut now, whole ms; null: it stays. `position` is behind the last event that was
 * handed to the worker. A lane without open sessions stays: nothing would come of it but a commit.
 */
export function idleWatermarkMs(
  rest: Rest | null,
  position: bigint,
  silence: Silence | null,
  idleTimeoutMs: number,
): number | null {
  if (rest === null || rest.at !== position || silence === null) return null;
  if (rest.watermarkMs === null || rest.openSessions === 0) return null;
  const silentMs = silence.untilMs - silence.fromMs;
  if (silentMs < idleTimeoutMs) return null;
  const toMs = rest.watermarkMs + Math.floor(silentMs);
  return toMs > (rest.movedToMs ?? rest.watermarkMs) ? toMs : null;
}
