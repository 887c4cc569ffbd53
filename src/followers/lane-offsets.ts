/**
 * Which offset of a lane belongs to which version of the table, so that Kafka's committed offsets can follow the slowest
 * follower (rule 21). They are for display only: of many versions some are left out, and a lane's offset is then told a
 * little late.
 */
const KEPT_MAX = 512;

export class LaneOffsets {
  readonly #lanes = new Map<number, { version: number; offset: bigint }[]>();

  /** The ledger's version brought the lane to `offset`. */
  committed(partition: number, version: number, offset: bigint): void {
    let known = this.#lanes.get(partition) ?? [];
    known.push({ version, offset });
    if (known.length > KEPT_MAX) known = known.filter((_, index) => (KEPT_MAX - index) % 2 === 0);
    this.#lanes.set(partition, known);
  }

  /** The follower has all files of the lane up to `version`: the newest offset that this covers, told once, or null. */
  reached(partition: number, version: number): bigint | null {
    const known = this.#lanes.get(partition);
    if (known === undefined) return null;
    const behind = known.findIndex((each) => each.version > version);
    const covered = known.splice(0, behind < 0 ? known.length : behind);
    return covered.at(-1)?.offset ?? null;
  }

  forget(partition: number): void {
    this.#lanes.delete(partition);
  }
}
