/** What Headrace reads out of librdkafka's statistics (STATISTICS.md there). */
export interface Statistics {
  /** Brokers that answer at the moment. */
  brokersUp: number;
  /** Fetch requests sent and messages received since the start. Both stay 0: the group never reads. */
  fetchRequests: number;
  messagesReceived: number;
}

interface RawStatistics {
  rxmsgs?: number;
  brokers?: Record<string, { state?: string; req?: Record<string, number> }>;
}

/** null when the text is no statistics. */
export function readStatistics(json: string): Statistics | null {
  let raw: RawStatistics;
  try {
    raw = JSON.parse(json) as RawStatistics;
  } catch {
    return null;
  }
  const brokers = Object.values(raw.brokers ?? {});
  return {
    brokersUp: brokers.filter(({ state }) => state === 'UP' || state === 'UPDATE').length,
    fetchRequests: brokers.reduce((sum, { req }) => sum + (req?.Fetch ?? 0), 0),
    messagesReceived: raw.rxmsgs ?? 0,
  };
}
