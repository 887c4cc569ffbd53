import { formatWhole } from '../../telemetry/progress.js';
import type { FileNeed } from './file-needs.js';

/**
 * Rule 14, for single files: one goes only when no follower can come for it any more. (A recovery replays from Kafka and reads no
 * data file, so snapshots need none.) Followers could make do with what a file was rewritten to; but one that is in the middle of
 * the old bytes would still send them, and from there they could not be called back.
 */

/** How far a follower is with a partition; −1: it has nothing of it. */
export interface GuardPlace {
  follower: string;
  partition: number;
  version: number;
}

export interface Behind {
  follower: string;
  partition: number;
  has: number;
  needs: number;
}

/** Who has not passed the versions of these files, with the newest version that it needs. */
export function whoIsBehind(files: readonly FileNeed[], places: readonly GuardPlace[]): Behind[] {
  return places.flatMap(({ follower, partition, version: has }) => {
    const needs = files
      .filter(({ lanes }) => lanes === null || lanes.includes(partition))
      .reduce((newest, { version }) => Math.max(newest, version ?? -1), -1);
    return has < needs ? [{ follower, partition, has, needs }] : [];
  });
}

/** Files that nobody behind needs. */
export function freeFiles(files: readonly FileNeed[], places: readonly GuardPlace[]): FileNeed[] {
  return files.filter((file) => whoIsBehind([file], places).length === 0);
}

export function behindText(behind: readonly Behind[]): string {
  const followers = [...new Set(behind.map(({ follower }) => follower))];
  return followers
    .map((follower) => {
      const own = behind.filter((each) => each.follower === follower);
      const needs = Math.max(...own.map((each) => each.needs));
      const slowest = own.reduce((a, b) => (b.has < a.has ? b : a));
      const has = slowest.has < 0 ? 'nothing' : `version ${formatWhole(slowest.has)}`;
      return `${follower} has ${has} of partition ${slowest.partition} and needs ${formatWhole(needs)}`;
    })
    .join('; ');
}
