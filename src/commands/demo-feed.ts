import type { Clock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import type { EventGenerator, GeneratedEvent } from '../generator/event-generator.js';
import type { Producer } from '../kafka/producer.js';
import type { Backlog } from './demo-backlog.js';

/**
 * The closed loop: events go to the brokers no faster than the engine commits them, so that the demo's brokers, which
 * keep 5 MiB a partition and then drop the oldest, never drop what the engine has yet to read or might read again.
 */

/** Of the 5 MiB; Backlog counts more than is stored, never less. */
const PARTITION_BYTES_MAX = 4.5 * 1024 * 1024;
const BATCH_EVENTS = 500;
/** No event is longer. */
const EVENT_BYTES_MAX = 1024;
const WAIT_MS = 5;
const FLUSH_TIMEOUT_MS = 30_000;

export interface FeedOptions {
  generator: EventGenerator;
  producer: Producer;
  topic: string;
  backlog: Backlog;
  /** null: as fast as the engine follows. */
  eventsPerSecond: number | null;
  clock: Clock;
  signal: AbortSignal;
}

export class Feed {
  readonly #options: FeedOptions;
  #startedMs = 0;
  #elapsedMs = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** From the first event to the delivery of the last; while it runs, so far. */
  get elapsedMs(): number {
    if (this.#startedMs === 0) return 0;
    return this.#elapsedMs > 0 ? this.#elapsedMs : this.#options.clock.monotonicMs() - this.#startedMs;
  }

  /** Feeds for `seconds`, lets the generator's users finish what they are at, and waits for the delivery of all. */
  async run(seconds: number): Promise<void> {
    const { generator, producer, clock, signal } = this.#options;
    this.#startedMs = clock.monotonicMs();
    const endMs = this.#startedMs + seconds * 1000;
    while (!signal.aborted && clock.monotonicMs() < endMs) {
      if (await this.#mayGo()) this.#produce(generator.next(this.#dueEvents()));
    }
    generator.finish();
    while (!signal.aborted) {
      if (!(await this.#hasRoom())) continue;
      const events = generator.next(BATCH_EVENTS);
      if (events.length === 0) break;
      this.#produce(events);
    }
    const outcome = await producer.flush(signal.aborted ? 0 : FLUSH_TIMEOUT_MS);
    this.#elapsedMs = clock.monotonicMs() - this.#startedMs;
    if (signal.aborted) return;
    if (outcome === 'flushed' && producer.failed === 0) return;
    throw new HeadraceError('DEMO_FAILED', "the demo's brokers did not take all events", {
      where: { failed: producer.failed, unanswered: producer.inFlight },
    });
  }

  /** There is room and, at a steady rate, something due; waits a little otherwise. */
  async #mayGo(): Promise<boolean> {
    if (!(await this.#hasRoom())) return false;
    if (this.#dueEvents() > 0) return true;
    await this.#options.clock.sleep(WAIT_MS, this.#options.signal);
    return false;
  }

  #dueEvents(): number {
    const { eventsPerSecond, generator } = this.#options;
    if (eventsPerSecond === null) return BATCH_EVENTS;
    // the first event is due at once
    const due = 1 + Math.floor((this.elapsedMs * eventsPerSecond) / 1000) - generator.emitted;
    return Math.min(BATCH_EVENTS, Math.max(0, due));
  }

  async #hasRoom(): Promise<boolean> {
    const { backlog, producer, clock, signal } = this.#options;
    const room = PARTITION_BYTES_MAX - backlog.bytesMax;
    if (room >= BATCH_EVENTS * EVENT_BYTES_MAX && producer.inFlight < 10 * BATCH_EVENTS) {
      // brokers, engine watch and status line have their turn too
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    }
    await clock.sleep(WAIT_MS, signal);
    return false;
  }

  #produce(events: readonly GeneratedEvent[]): void {
    const { producer, topic, backlog } = this.#options;
    for (const { key, value, timeMs, partition } of events) {
      // the room was made sure of: `hasRoom` keeps the queue far below its limit
      if (producer.produce(topic, partition, key, value, timeMs) === 'full') {
        throw new HeadraceError('DEMO_FAILED', "the producer's queue is full", { where: { partition } });
      }
      backlog.add(partition, key.length, value.length);
    }
  }
}
