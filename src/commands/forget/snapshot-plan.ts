import type { LaneHistory } from '../../ledger/history.js';
import type { SnapshotSearch } from './snapshot-search.js';

/**
 * What is to be done about a lane's snapshots that hold something of the person. The newest one can't be taken away or changed: the
 * lane stands on it, and a replay from it is compared with what the ledger has. Older ones go when newer ones without the person
 * are there.
 *
 *   clean     nothing of the lane holds anything
 *   older     only others than the newest: a newer one takes their place (rule 13 keeps two)
 *   in use    the newest too: the lane itself knows the person still, or has not been cut since it did
 */
export interface LanePlan {
  partition: number;
  state: 'clean' | 'older' | 'in use';
  /** Held ones that the lane does not stand on. */
  older: string[];
  /** Until when, in event time, events that the newest one knows hold sessions of the person open; null: it knows none. */
  heldMs: number | null;
}

export function planLane(
  { partition, snapshots }: Pick<LaneHistory, 'partition' | 'snapshots'>,
  topicId: string,
  { held }: Pick<SnapshotSearch, 'held'>,
): LanePlan {
  const own = [...held.values()].filter((file) => file.topicId === topicId && file.partition === partition);
  const newest = snapshots.at(-1);
  const inNewest = own.find(({ path }) => path === newest?.path);
  // what lies at or above the newest may be of a cut that is about to be committed
  const older = own.filter(
    ({ path, offset }) => path !== newest?.path && newest !== undefined && offset < newest.offset,
  );
  const state = inNewest !== undefined ? 'in use' : own.length > 0 ? 'older' : 'clean';
  return { partition, state, older: older.map(({ path }) => path), heldMs: inNewest?.heldMs ?? null };
}

/** From when on a lane knows nothing more of the person, in event time of its partition. */
export function forgottenAtMs(heldMs: number, model: { allowedLatenessMs: number }): number {
  return heldMs + model.allowedLatenessMs;
}
