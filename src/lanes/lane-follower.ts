/** What a follower of the table that works for the lanes held now is told of them. */
export interface LaneFollower {
  /**
   * These lanes are about to get their first commit (T0), above this version: whatever is to be remembered of that is durable when
   * it resolves. Never rejects.
   */
  starting?(partitions: readonly number[], version: number): Promise<void>;
  /** These lanes are ours, and take part in cuts. */
  acquired(partitions: readonly number[]): void;
  /** They go: resolves when nothing of theirs is done any more. Never rejects. */
  released(partitions: readonly number[], timeoutMs: number): Promise<void>;
  /** They are somebody else's already. */
  lost(partitions: readonly number[]): void;
  /** The ledger's version brought lanes to these offsets. */
  committed(version: number, lanes: readonly { partition: number; to: bigint }[]): void;
}
