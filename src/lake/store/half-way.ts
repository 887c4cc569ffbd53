import { type CrashPoint, crashesAt } from '../../crash-points.js';

const HALF_WAY: readonly (readonly [path: RegExp, point: CrashPoint])[] = [
  [/(^|\/)_delta_log\/[^/]+$/, 'commit.half-written'],
  [/(^|\/)_headrace\/snapshots\//, 'snapshot.half-written'],
  [/\.parquet$/, 'file.half-written'],
];

/** Where a crash is wanted in the middle of writing this object. */
export function halfWayOf(target: string): CrashPoint | null {
  return HALF_WAY.find(([path, point]) => crashesAt(point) && path.test(target))?.[1] ?? null;
}
