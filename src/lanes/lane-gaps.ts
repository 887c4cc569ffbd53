import type { AcceptedGap } from '../config/types.js';
import { HeadraceError } from '../errors.js';
import type { LaneHistory } from '../ledger/history.js';
import type { Log } from '../telemetry/log.js';
import type { Lane } from './lane.js';

/**
 * Offsets that a partition's log lacks (deleted by retention before they were read). A lane passes them only when the operator
 * named the very gap, or when it passed it before and the ledger knows. Its sessions stay open across it.
 */

/** May the lane pass from `from` to `to`? A gap in what the ledger has already only if it was passed then. */
export function acceptsGap(
  accepted: readonly AcceptedGap[],
  lane: LaneHistory | undefined,
  gap: AcceptedGap,
): boolean {
  if (lane?.gaps.some(({ from, to }) => BigInt(from) === gap.from && BigInt(to) === gap.to)) return true;
  if (lane !== undefined && gap.from < lane.committedTo) return false;
  return accepted.some(
    ({ partition, from, to }) => partition === gap.partition && from === gap.from && to === gap.to,
  );
}

/** The lane goes on behind the gap; a snapshot comes with its next cut, so that no recovery needs what lies before. */
export function passGap(
  log: Log,
  lane: Lane,
  { from, to }: { from: bigint; to: bigint },
  nowMs: number,
): void {
  const { partition } = lane;
  lane.gaps.push({ from: Number(from), to: Number(to) });
  lane.nextSnapshotMs = nowMs;
  log.warn(
    { partition, from, to: to - 1n, offsets: to - from },
    'offsets that are gone were passed over, as was accepted: their events are in no session; sessions stay open across them',
  );
}

/** A lane on its way back needs events that are gone: passing over them would make other rows than the table has. */
export function gapOfReplay(error: HeadraceError, lane: Lane): HeadraceError {
  const { code, message, where } = error;
  const { partition, state, committedTo, replay } = lane;
  const start = where.logStart;
  const replaying = state === 'recovering' && replay !== null;
  if (code !== 'OFFSET_OUT_OF_RANGE' || !replaying || typeof start !== 'bigint') return error;
  if (typeof where.position !== 'bigint' || where.position >= committedTo) return error;
  let to = committedTo;
  if (start > to) to = start;
  return new HeadraceError(code, `${message}; the lane's open sessions can't be built again without them`, {
    where: { ...where, committed: committedTo },
    remedy: `bring them back from a copy of the topic, or give the open sessions up: headrace ledger reset --partition ${partition} --to ${to} (it says first what that means)`,
  });
}
