import type { LaneFollower } from './lane-follower.js';

/** Several followers as one: each is told everything. */
export class SeveralFollowers implements LaneFollower {
  readonly #followers: readonly LaneFollower[];

  constructor(followers: readonly LaneFollower[]) {
    this.#followers = followers;
  }

  async starting(partitions: readonly number[], version: number): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.starting?.(partitions, version)));
  }

  acquired(partitions: readonly number[]): void {
    for (const follower of this.#followers) follower.acquired(partitions);
  }

  async released(partitions: readonly number[], timeoutMs: number): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.released(partitions, timeoutMs)));
  }

  lost(partitions: readonly number[]): void {
    for (const follower of this.#followers) follower.lost(partitions);
  }

  committed(version: number, lanes: readonly { partition: number; to: bigint }[]): void {
    for (const follower of this.#followers) follower.committed(version, lanes);
  }
}
