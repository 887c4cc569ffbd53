import { createHash } from 'node:crypto';
import { ClickstreamGenerator } from '#src/generator/clickstream.js';
import type { GeneratedEvent } from '#src/generator/event-generator.js';
import type { SessionFacts } from '#src/generator/tally.js';
import { TimeHeap } from '#src/generator/time-heap.js';
import type { CompiledModel } from '#src/model/types.js';
import { encodeBatch } from '../kafka-batch.js';
import { SEED } from '../workload.js';

/**
 * All that is to be sent, made before anything is measured: sending it then takes next to no CPU from the engine, and the
 * rate is kept. Every tick there is one request with a batch for each partition, as a producer with linger makes them.
 *
 * Event time runs `SPEED` times as fast as the clock, so that sessions, which close after 30 minutes of event time, close all
 * the time. Which tick closes a session is known here: the first one whose events move the watermark of its partition past
 * the session's end and the gap.
 */

export const TICK_MS = 50;
/** Seconds of event time in a second: 30 minutes go by in 3 s, a visit of 20 minutes in 2. */
const SPEED = 600;
const EVENTS_PER_SESSION_MEAN = 20;
const START_MS = Date.UTC(2026, 0, 30, 6);

export interface StreamOptions {
  model: CompiledModel;
  eventsPerSecond: number;
  seconds: number;
  partitions: number;
}

export interface Tick {
  batches: { partition: number; bytes: Uint8Array }[];
  events: number;
}

/** A session that ends, by the gap, within the stream. */
export interface ClosedSession {
  /** As the model's row has it. */
  sessionId: string;
  events: number;
  /** Index of the tick whose events close it. */
  tick: number;
}

export interface Stream {
  ticks: Tick[];
  closed: ClosedSession[];
  events: number;
  valueBytes: number;
  batchBytes: number;
  /** Over the values in the order of production. */
  sha256: string;
}

export function makeStream(options: StreamOptions): Stream {
  const { eventsPerSecond, seconds, partitions } = options;
  const perTick = Math.round((eventsPerSecond * TICK_MS) / 1_000);
  const count = Math.ceil((seconds * 1_000) / TICK_MS);
  const closing = new Closing(options);
  const generator = new ClickstreamGenerator({
    seed: SEED,
    users: usersFor(eventsPerSecond),
    partitions,
    eventsPerSessionMean: EVENTS_PER_SESSION_MEAN,
    startMs: START_MS,
    onSession: (facts) => closing.ended(facts),
  });
  const hash = createHash('sha256');
  const stream: Omit<Stream, 'sha256' | 'closed'> = { ticks: [], events: 0, valueBytes: 0, batchBytes: 0 };
  for (let tick = 0; tick < count; tick++) {
    const byPartition = Array.from({ length: partitions }, (): GeneratedEvent[] => []);
    for (const event of generator.next(perTick)) {
      byPartition[event.partition]!.push(event);
      hash.update(event.value);
      stream.valueBytes += event.value.length;
    }
    const batches = byPartition.flatMap((events, partition) =>
      events.length === 0 ? [] : [{ partition, bytes: encodeBatch(0n, events).bytes }],
    );
    closing.sent(tick, byPartition);
    stream.ticks.push({ batches, events: perTick });
    stream.events += perTick;
    stream.batchBytes += batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
  return { ...stream, closed: closing.closed, sha256: hash.digest('hex') };
}

/** So many that they make the events of `SPEED` seconds in one. */
function usersFor(eventsPerSecond: number): number {
  const options = {
    seed: SEED,
    partitions: 1,
    eventsPerSessionMean: EVENTS_PER_SESSION_MEAN,
    startMs: START_MS,
  };
  const ofThousand = new ClickstreamGenerator({ ...options, users: 1_000 }).eventsPerSecondMean;
  return Math.max(1, Math.round((eventsPerSecond / SPEED / ofThousand) * 1_000));
}

/** Says of each session which tick closes it. */
class Closing {
  readonly closed: ClosedSession[] = [];
  readonly #gapMs: number;
  readonly #allowedDisorderMs: number;
  /** Sessions whose last event was sent, by the time of that event; a heap a partition. */
  readonly #ended: TimeHeap<SessionFacts<string>>[];
  /** The greatest event time, by partition. */
  readonly #newestMs: number[];

  constructor({ model, partitions }: StreamOptions) {
    this.#gapMs = model.gapMs;
    this.#allowedDisorderMs = model.allowedDisorderMs;
    this.#ended = Array.from({ length: partitions }, () => new TimeHeap());
    this.#newestMs = this.#ended.map(() => Number.NEGATIVE_INFINITY);
  }

  ended(facts: SessionFacts<string>): void {
    this.#ended[facts.partition]!.push(facts.endMs, facts);
  }

  sent(tick: number, byPartition: readonly (readonly GeneratedEvent[])[]): void {
    byPartition.forEach((events, partition) => {
      for (const { timeMs } of events) {
        if (timeMs > this.#newestMs[partition]!) this.#newestMs[partition] = timeMs;
      }
      const watermarkMs = this.#newestMs[partition]! - this.#allowedDisorderMs;
      const ended = this.#ended[partition]!;
      while (ended.topMs + this.#gapMs < watermarkMs) {
        const { userId, startMs, events: count } = ended.pop()!;
        this.closed.push({ sessionId: `${userId}:${startMs}`, events: count, tick });
      }
    });
  }
}
