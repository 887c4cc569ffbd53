import { ClickstreamGenerator, type GeneratedEvent } from '#src/generator/clickstream.js';
import { SEED } from '../workload.js';

/** What the topic holds. The same options give the same bytes everywhere. */
export interface TopicOptions {
  events: number;
  partitions: number;
  users: number;
  /** Asked of the generator; sessions that are still open at the topic's end have fewer. */
  eventsPerSessionMean: number;
  /** As a producer with linger makes them: 200 records are about 118 KB, 30 KB compressed. */
  recordsPerBatch: number;
}

export const TOPIC = 'clickstream_events';
const START_MS = Date.UTC(2026, 0, 30, 6);

/** Its first `options.events` events are the topic's. */
export function topicGenerator({
  users,
  partitions,
  eventsPerSessionMean,
}: TopicOptions): ClickstreamGenerator {
  return new ClickstreamGenerator({ seed: SEED, users, partitions, eventsPerSessionMean, startMs: START_MS });
}

/** The values of the topic's first events: what JSON.parse is measured on. */
export function firstValues(options: TopicOptions, count: number): Buffer[] {
  const events: GeneratedEvent[] = topicGenerator(options).next(Math.min(count, options.events));
  return events.map(({ value }) => value);
}
