/**
 * Where the slowest of several followers stands, lane by lane: what the group's committed offset says (rule 21). A lane
 * of which a follower has said nothing yet has no such place.
 */
export interface Place {
  version: number;
  offset: bigint;
}

export class SlowestFollower<Name extends string> {
  readonly #names: readonly Name[];
  readonly #lanes = new Map<number, Map<Name, Place>>();

  constructor(names: readonly Name[]) {
    this.#names = names;
  }

  /** A follower has the lane up to here. */
  reached(name: Name, partition: number, place: Place): void {
    const lane = this.#lanes.get(partition) ?? new Map<Name, Place>();
    this.#lanes.set(partition, lane.set(name, place));
  }

  /** Null: not all have said where they are. */
  of(partition: number): Place | null {
    const places = this.#names.map((name) => this.#lanes.get(partition)?.get(name));
    let slowest: Place | null = null;
    for (const place of places) {
      if (place === undefined) return null;
      // by version: marks let rows out where the offset stays
      if (slowest === null || place.version < slowest.version) slowest = place;
    }
    return slowest;
  }
}
