import type { Isolation } from '../../config/types.js';

/** As requests say it. */
export function isolationLevel(isolation: Isolation): number {
  return isolation === 'read_committed' ? 1 : 0;
}
