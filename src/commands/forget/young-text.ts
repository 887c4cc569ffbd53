import { systemClock } from '../../clock.js';
import { STRAY_AGE_MS } from '../../lake/maintenance/vacuum.js';
import type { ObjectInfo } from '../../lake/store/store.js';
import { formatElapsed } from '../../telemetry/progress.js';

/** When the last of the files that no version names may go. */
export function youngText(young: readonly ObjectInfo[]): string {
  const newestMs = Math.max(...young.map(({ modifiedMs }) => modifiedMs));
  const leftMs = Math.max(0, newestMs + STRAY_AGE_MS - systemClock.nowMs());
  return `${young.length} that no version names, from engines that ended or are about to commit: in ${formatElapsed(leftMs)}`;
}
