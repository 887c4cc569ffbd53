/** What a follower of the table that works for the lanes held now is told of them. */
export interface LaneFollower {
  /** These lanes are ours, and take part in cuts. */
  acquired(partitions: readonly number[]): void;
  /** They go: resolves when nothing of theirs is done any more. Never rejects. */
  released(partitions: readonly number[], timeoutMs: number): Promise<void>;
  /** They are somebody else's already. */
  lost(partitions: readonly number[]): void;
  /** The ledger's version brought lanes to these offsets. */
  committed(version: number, lanes: readonly { partition: number; to: bigint }[]): void;
}
