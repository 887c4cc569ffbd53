import type { Action } from '../lake/delta/actions.js';
import type { CutEntry, LedgerEntry } from '../ledger/types.js';

/** How far a follower is behind: by the clock and in event time, of the lanes that it holds. */
export interface FollowerLag {
  /** Age of the oldest cut that is not whole; 0: all are. */
  waitingMs: number;
  /** Event time between the ledger's watermark of a lane and that up to which its rows are in, of the lane with most of it. */
  eventTimeMs: number;
}

interface LanePlace {
  version: number;
  createdAtMs: number;
  watermarkMs: number | null;
}

/** Of a follower that is that far behind some versions in between are left out: it is then told as a little less. */
const KEPT_MAX = 1_024;

/**
 * Remembers of the versions that a follower reads, or that this engine commits, when each lane was cut and at which watermark, from the
 * last one that is in to the newest that is known. Before the first version that a lane got in here its event time is not known: it is
 * counted from there.
 */
export class LagWatch {
  readonly #lanes = new Map<number, LanePlace[]>();

  /** A version was read; some are read again when a lane comes that is farther behind. */
  read(version: number, actions: readonly Action[]): void {
    for (const action of actions) {
      if (!('commitInfo' in action)) continue;
      const entry = action.commitInfo.headrace as LedgerEntry | undefined;
      if (entry?.format === 1) this.committed(version, entry.cuts);
    }
  }

  /** A version has these cuts. */
  committed(version: number, cuts: readonly Pick<CutEntry, 'createdAtMs' | 'lanes'>[]): void {
    for (const { createdAtMs, lanes } of cuts) {
      for (const { partition, watermarkMs } of lanes) {
        this.#add(partition, { version, createdAtMs, watermarkMs });
      }
    }
  }

  /** `positions`: versions up to which each held lane is in. `watermarkOf`: the ledger's newest of a lane. */
  now(
    positions: ReadonlyMap<number, number>,
    watermarkOf: (partition: number) => number | null,
    nowMs: number,
  ): FollowerLag {
    for (const partition of this.#lanes.keys()) if (!positions.has(partition)) this.#lanes.delete(partition);
    let waitingMs = 0;
    let eventTimeMs = 0;
    for (const [partition, position] of positions) {
      const places = this.#behind(partition, position);
      const open = places.find(({ version }) => version > position);
      if (open === undefined) continue;
      waitingMs = Math.max(waitingMs, nowMs - open.createdAtMs);
      const newestMs = watermarkOf(partition);
      const reachedMs = places.find(({ watermarkMs }) => watermarkMs !== null)?.watermarkMs;
      if (newestMs !== null && reachedMs != null) eventTimeMs = Math.max(eventTimeMs, newestMs - reachedMs);
    }
    return { waitingMs, eventTimeMs };
  }

  /** Of one lane, from the last that is in on; older ones are forgotten. */
  #behind(partition: number, position: number): readonly LanePlace[] {
    const places = this.#lanes.get(partition) ?? [];
    const reached = places.findLastIndex(({ version }) => version <= position);
    if (reached > 0) places.splice(0, reached);
    return places;
  }

  #add(partition: number, place: LanePlace): void {
    const places = this.#lanes.get(partition) ?? [];
    this.#lanes.set(partition, places);
    const at = places.findLastIndex(({ version }) => version <= place.version);
    const known = places[at];
    // a version may have several cuts of a lane: the first tells the age, the last the event time
    if (known?.version === place.version) known.watermarkMs = place.watermarkMs ?? known.watermarkMs;
    else places.splice(at + 1, 0, place);
    if (places.length > KEPT_MAX) this.#lanes.set(partition, thinned(places));
  }
}

/** The last that is in and the first that is not tell the lag: they stay, as does the newest. */
function thinned(places: readonly LanePlace[]): LanePlace[] {
  return places.filter((_, index) => index < 2 || index === places.length - 1 || index % 2 === 0);
}
