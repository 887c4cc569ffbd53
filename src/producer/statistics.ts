/** What the producer reads out of librdkafka's statistics (STATISTICS.md there). */
export interface ProducerStatistics {
  /** From a request to its answer, over all brokers; null: no answer since the last statistics. */
  requestLatencyMs: number | null;
  /** How many partitions the topic has; 0: not known. */
  partitions: number;
}

interface RawStatistics {
  brokers?: Record<string, { rtt?: { avg?: number; cnt?: number } }>;
  topics?: Record<string, { partitions?: Record<string, { unknown?: boolean }> }>;
}

/** null when the text is no statistics. */
export function readProducerStatistics(json: string, topic: string): ProducerStatistics | null {
  let raw: RawStatistics;
  try {
    raw = JSON.parse(json) as RawStatistics;
  } catch {
    return null;
  }
  let answers = 0;
  let sumUs = 0;
  for (const { rtt } of Object.values(raw.brokers ?? {})) {
    answers += rtt?.cnt ?? 0;
    sumUs += (rtt?.avg ?? 0) * (rtt?.cnt ?? 0);
  }
  // −1 is where records wait that have no partition yet
  const partitions = Object.entries(raw.topics?.[topic]?.partitions ?? {}).filter(
    ([id, { unknown }]) => Number(id) >= 0 && unknown !== true,
  );
  return { requestLatencyMs: answers === 0 ? null : sumUs / answers / 1_000, partitions: partitions.length };
}
