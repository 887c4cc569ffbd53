import { HeadraceError, type PlainError } from '../errors.js';
import type { Log } from '../telemetry/log.js';
import type { Lane } from './lane.js';

/** What the log says of a lane on its way back. */

export function tellReplay(log: Log, { partition, committedTo }: Lane, from: bigint): void {
  if (committedTo <= from) return;
  log.info(
    { partition, from, to: committedTo, offsets: committedTo - from },
    'replaying a lane up to the ledger',
  );
}

export function tellRecovered(log: Log, { partition, committedTo, replay }: Lane, nowMs: number): void {
  if (replay === null || committedTo <= replay.fromOffset) return;
  const offsets = committedTo - replay.fromOffset;
  const ms = Math.round(nowMs - replay.fromMs);
  log.info({ partition, offset: committedTo, offsets, ms }, 'lane recovered');
}

export function tellUnusable(log: Log, { partition }: Lane, path: string, error: PlainError): void {
  log.warn(
    { partition, path, reason: HeadraceError.fromPlain(error).message },
    'a snapshot can not be used; falling back to the one before it and a longer replay',
  );
}
