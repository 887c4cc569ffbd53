import type { Clock } from '../../clock.js';
import type { LaneManager } from '../../lanes/manager.js';
import { isEndedAt } from '../../ledger/history.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Log } from '../../telemetry/log.js';
import type { Followers } from './followers.js';
import { PROGRESS_MS } from './progress-loop.js';

const BOUNDED_POLL_MS = 100;
/** How often a bounded run that is done with its own lanes asks the ledger for the others. */
const BOUNDED_OTHERS_MS = 1_000;

export interface BoundedEndOptions {
  /** Null: the run is not bounded. */
  endOffsets: ReadonlyMap<number, bigint> | null;
  manager: Pick<LaneManager, 'finishBounded' | 'lanes'>;
  ledger: Pick<Ledger, 'lane' | 'refresh'>;
  followers: Pick<Followers, 'caughtUp' | 'lanes'>;
  sessionTimeoutMs: number;
  startedMs: number;
  clock: Clock;
  log: Log;
}

/**
 * Bounded run: until every lane of ours is at its end and let out, and the ledger has every other one at its end too.
 * Silence proves nothing: lanes may be lost for a while, or be another engine's. Never resolves in an unbounded run.
 */
export async function untilBoundedEnd(options: BoundedEndOptions, stop: AbortSignal): Promise<void> {
  const { endOffsets, manager, ledger, clock, log } = options;
  if (endOffsets === null) return await new Promise<never>(() => {});
  let toldMs = clock.monotonicMs();
  while (!stop.aborted) {
    await clock.sleep(BOUNDED_POLL_MS, stop);
    if (!(await manager.finishBounded()) || awaitsLanes(options)) continue;
    const others = [...endOffsets].filter(([partition, end]) => !isDone(options, partition, end));
    if (others.length === 0) return await options.followers.caughtUp(stop);
    if (clock.monotonicMs() - toldMs >= PROGRESS_MS) {
      toldMs = clock.monotonicMs();
      const partitions = others.map(([partition]) => partition).join(',');
      log.info(
        { partitions },
        'done with our lanes; waiting until these are let out by the engine that has them',
      );
    }
    await clock.sleep(BOUNDED_OTHERS_MS, stop);
    await ledger.refresh();
  }
}

/**
 * Followers may be behind with lanes that are at their end: those come with the group's assignment, unless others have
 * them all.
 */
function awaitsLanes({ manager, followers, clock, startedMs, sessionTimeoutMs }: BoundedEndOptions): boolean {
  const hasNone = followers.lanes !== null && manager.lanes.size === 0;
  return hasNone && clock.monotonicMs() - startedMs < sessionTimeoutMs;
}

function isDone({ manager, ledger }: BoundedEndOptions, partition: number, end: bigint): boolean {
  if (manager.lanes.get(partition)?.finished === true) return true;
  const lane = ledger.lane(partition);
  return lane !== undefined && isEndedAt(lane, end);
}
