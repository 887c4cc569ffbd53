/**
 * How often a member of a classic group says that it is there, ms, where librdkafka's property is not set: members learn of a
 * rebalance by it, so often enough that one starts soon.
 */
export function heartbeatIntervalMs(sessionTimeoutMs: number): number {
  return Math.max(200, Math.min(3_000, Math.floor(sessionTimeoutMs / 10)));
}
