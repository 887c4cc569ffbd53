import { printable } from '../dlq/printable.js';

/** Of `headrace/<group>/<topic>/<topic id>/<partition>` the partition, which is what people know a lane by; others' ids as they are. */
export function laneOf(appId: string): string {
  return /^headrace\/.*\/(\d+)$/.exec(appId)?.[1] ?? printable(appId, 40);
}

/** To the second, UTC. */
export function timeText(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '');
}
