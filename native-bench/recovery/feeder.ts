import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerConnection } from '#src/kafka/broker-connection.js';
import { nameOfError } from '#src/kafka/wire/error-codes.js';
import { produceApi } from '#src/kafka/wire/produce.js';
import type { CompiledModel } from '#src/model/types.js';
import { type LaneBatch, LaneBatches } from '../kernel/lane-batches.js';
import { UserStream } from '../kernel/user-stream.js';

/**
 * The events: users who come and go at a constant number of open sessions, the same stream as the benchmark `kernel` has. It
 * is filled in until the first sessions close, then goes on at a steady rate.
 */

export interface FeederOptions {
  model: CompiledModel;
  topic: string;
  openSessions: number;
  partitions: number;
}

const START_MS = Date.UTC(2026, 0, 30, 6);
const MINUTE_MS = 60_000;
const RECORDS_PER_BATCH = 200;
const TICK_MS = 50;
const REQUEST_TIMEOUT_MS = 60_000;
const REQUESTS_IN_FLIGHT_MAX = 4;

export class Feeder {
  readonly stream: UserStream;
  readonly #connection: BrokerConnection;
  readonly #topic: string;
  readonly #batches: LaneBatches;
  /** Minutes of event time after which as many sessions close as begin. */
  readonly #fullMinutes: number;
  #ready = new Map<number, Uint8Array>();
  readonly #inFlight: Promise<void>[] = [];
  #stop = false;
  #running: Promise<void> | null = null;

  constructor(connection: BrokerConnection, { model, topic, openSessions, partitions }: FeederOptions) {
    const { gapMs, allowedDisorderMs } = model;
    this.#connection = connection;
    this.#topic = topic;
    this.stream = new UserStream({ openSessions, gapMs, allowedDisorderMs, startMs: START_MS });
    this.#batches = new LaneBatches('clickstream', partitions, RECORDS_PER_BATCH);
    this.#batches.compresses = true;
    this.#fullMinutes = 20 + Math.ceil((gapMs + allowedDisorderMs) / MINUTE_MS);
  }

  /** Until sessions begin to close. */
  async fill(onEvents: (events: number) => void): Promise<void> {
    while (this.stream.minute < this.#fullMinutes) {
      await this.#add(1_000);
      onEvents(this.stream.events);
    }
    await this.#flush();
  }

  /** From now on, until `stop`. */
  start(eventsPerSecond: number): void {
    this.#running = this.#run(eventsPerSecond);
    // `stop` waits for it, and tells
    this.#running.catch(() => undefined);
  }

  /** Ends when all that was sent is with the broker. Throws Error when it refused something. */
  async stop(): Promise<void> {
    this.#stop = true;
    await this.#running;
    await this.#flush();
  }

  async #run(eventsPerSecond: number): Promise<void> {
    const perTick = Math.max(1, Math.round((eventsPerSecond * TICK_MS) / 1_000));
    const beganMs = performance.now();
    for (let tick = 0; !this.#stop; tick++) {
      const waitMs = beganMs + tick * TICK_MS - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      await this.#add(perTick);
      for (const batch of this.#batches.flush()) await this.#take(batch);
      await this.#send();
    }
  }

  async #add(events: number): Promise<void> {
    for (let added = 0; added < events; added++) {
      const batch = this.#batches.add(this.stream.next());
      if (batch !== null) await this.#take(batch);
    }
  }

  /** One batch of a partition in a request. */
  async #take({ lane, bytes }: LaneBatch): Promise<void> {
    if (this.#ready.has(lane)) await this.#send();
    // a broker takes batches that begin at 0, and gives them their offsets; the CRC does not cover it
    Buffer.from(bytes.buffer, bytes.byteOffset, 8).fill(0);
    this.#ready.set(lane, bytes);
  }

  async #flush(): Promise<void> {
    for (const batch of this.#batches.flush()) await this.#take(batch);
    await this.#send();
    await Promise.all(this.#inFlight.splice(0));
  }

  /** A broker that is behind is waited for. */
  async #send(): Promise<void> {
    if (this.#ready.size === 0) return;
    const batches = [...this.#ready].map(([partition, bytes]) => ({ partition, bytes }));
    this.#ready = new Map();
    const sent = this.#connection
      .send(produceApi, { topic: this.#topic, timeoutMs: REQUEST_TIMEOUT_MS, batches })
      .then((produced) => {
        const failed = produced.find(({ errorCode }) => errorCode !== 0);
        if (failed === undefined) return;
        throw new Error(`partition ${failed.partition} refused a batch: ${nameOfError(failed.errorCode)}`);
      });
    // it is waited for later; a failure before that is no unhandled one
    sent.catch(() => undefined);
    this.#inFlight.push(sent);
    while (this.#inFlight.length >= REQUESTS_IN_FLIGHT_MAX) await this.#inFlight.shift();
  }
}
