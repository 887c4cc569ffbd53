import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import type { EventGenerator, GeneratedEvent } from '#src/generator/event-generator.js';
import { WebClicksGenerator } from '#src/generator/web-clicks.js';
import type { Codec } from '../kafka-batch.js';
import { SEED } from '../workload.js';

/** What the topic holds. The same options give the same bytes everywhere. */
export interface TopicOptions {
  model: BenchModel;
  events: number;
  partitions: number;
  users: number;
  /** Asked of the generator; sessions that are still open at the topic's end have fewer. */
  eventsPerSessionMean: number;
  /** As a producer with linger makes them: 200 records are about 118 KB, 30 KB compressed. */
  recordsPerBatch: number;
}

export const BENCH_MODELS = ['clickstream', 'web_clicks'] as const;
export type BenchModel = (typeof BENCH_MODELS)[number];

/** The topic of each model, as config/models and the demo have it. */
export const TOPICS: Readonly<Record<BenchModel, { name: string; codec: Codec; partitions: number }>> = {
  clickstream: { name: 'clickstream_events', codec: 'lz4', partitions: 24 },
  web_clicks: { name: 'web_clicks', codec: 'snappy', partitions: 20 },
};

const START_MS = Date.UTC(2026, 0, 30, 6);

/** What a generator knows of its events. */
export interface BenchGenerator extends EventGenerator {
  /** Sums over what was emitted so far: `events` are those that count in a session. */
  expected(): { sessions: number; events: number };
}

/** Its first `options.events` events are the topic's. */
export function topicGenerator({
  model,
  users,
  partitions,
  eventsPerSessionMean,
}: TopicOptions): BenchGenerator {
  const options = { seed: SEED, users, partitions, eventsPerSessionMean, startMs: START_MS };
  return model === 'clickstream' ? new ClickstreamGenerator(options) : new WebClicksGenerator(options);
}

/** The values of the topic's first events: what JSON.parse is measured on. */
export function firstValues(options: TopicOptions, count: number): Buffer[] {
  const events: GeneratedEvent[] = topicGenerator(options).next(Math.min(count, options.events));
  return events.map(({ value }) => value);
}
