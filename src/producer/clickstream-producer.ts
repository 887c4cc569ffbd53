import { type Clock, systemClock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import { murmur2 } from '../generator/murmur2.js';
import {
  createProducer,
  type DeliveryReport,
  failureOf,
  type LibrdkafkaConfig,
  type NativeError,
  type NativeProducer,
} from '../kafka/librdkafka.js';
import { createLog, type PlainLog } from '../telemetry/log.js';
import { RepeatLimitedLog } from '../telemetry/repeat-limited-log.js';
import { closedError, failureOfRecord, isTimeOut } from './delivery-failure.js';
import { EventCheck } from './event-check.js';
import type { EventOf, ProducerModel } from './events.js';
import { FlushMarks } from './flush-marks.js';
import { keepMetricsFile } from './metrics-file.js';
import { PendingRecords } from './pending-records.js';
import { closeClient, openClient } from './producer-client.js';
import { ProducerCounts, type ProducerMetrics } from './producer-metrics.js';
import { checkedOptions, type ProducerOptions, type ProducerSettings } from './producer-options.js';
import { SendLine } from './send-line.js';
import { readProducerStatistics } from './statistics.js';
import { TimeOutCause } from './time-out-cause.js';

/** Where an event lies in its topic. */
export interface SendResult {
  partition: number;
  /** −1: it is there, and the broker no longer knows where (after many retries). */
  offset: number;
  /** From send() to the acknowledgement. */
  latencyMs: number;
}

/** What a test brings of its own. */
export interface ProducerSurroundings {
  clock: Clock;
  createClient(config: LibrdkafkaConfig): NativeProducer;
}

const REAL: ProducerSurroundings = { clock: systemClock, createClient: createProducer };

const EVENTS_A_LINE = 10_000;
const CLOSE_TIMEOUT_MS = 30_000;
const ERR_QUEUE_FULL = -184;
const NO_VALUE = Buffer.alloc(0);

interface Outgoing {
  readonly key: Buffer;
  readonly size: number;
  /** Let go when the client has its copy. */
  value: Buffer;
  /** Of the caller; null: that of its taking. */
  readonly givenTimestampMs: number | null;
  timestampMs: number;
  partition: number;
  /** When send() was called, and how long it may wait for room; monotonic. */
  readonly calledMs: number;
  readonly deadlineMs: number;
  readonly mark: number;
  resolve(result: SendResult): void;
  reject(error: HeadraceError): void;
}

/**
 * Sends events of one model to its topic: idempotent, acknowledged by all in-sync replicas, each user (in web_clicks: each
 * session) in the partition where a Java producer puts it, and in order there.
 *
 * - An event whose promise resolved is in the topic, once unless an event has timed out: librdkafka then begins a new sequence, and
 *   what was under way may be written twice. One whose promise rejected may be there all the same, where its error says so: a
 *   request may have been written and its answer lost.
 * - A full buffer makes send() wait, in order. What waits is bounded too: who sends on regardless is refused with
 *   PRODUCER_BUFFER_FULL. `await untilRoom()` before a send() keeps a fast loop within both.
 * - Each rejection is a HeadraceError with a `code` and a `remedy`.
 *
 * In one thread of a process only, the main thread: the native client loads there alone.
 */
export class ClickstreamProducer<Model extends ProducerModel = 'clickstream'> {
  readonly #settings: ProducerSettings;
  readonly #surroundings: ProducerSurroundings;
  readonly #clock: Clock;
  readonly #log: PlainLog;
  readonly #failures: RepeatLimitedLog;
  readonly #check: EventCheck;
  readonly #line: SendLine<Outgoing>;
  readonly #marks = new FlushMarks();
  readonly #counts: ProducerCounts;
  /** By partition. */
  readonly #pending: PendingRecords<Outgoing>[] = [];
  #client: NativeProducer | null = null;
  #cause: TimeOutCause | null = null;
  #state: 'new' | 'open' | 'closing' | 'closed' = 'new';
  /** Of connect(); undefined: not called, or it failed. */
  #connected: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #isExpiring = false;
  readonly #onLost = (outgoing: Outgoing) => this.#fail(outgoing, this.#lostError(outgoing));
  /** Aborted when it is over: no timer keeps the process. */
  readonly #over = new AbortController();
  /** The metrics' file; settled when it has the last figures. */
  #filed: Promise<void> = Promise.resolve();

  /** Touches no network. Throws CONFIG_INVALID. */
  constructor(options: ProducerOptions<Model>, surroundings: ProducerSurroundings = REAL) {
    this.#settings = checkedOptions(options);
    this.#surroundings = surroundings;
    this.#clock = surroundings.clock;
    this.#log = options.log ?? createLog({ level: 'info', format: 'auto' });
    this.#failures = new RepeatLimitedLog(this.#log, this.#clock);
    this.#check = new EventCheck(this.#settings.model);
    this.#line = new SendLine(this.#settings.bufferBytesMax, this.#settings.bufferMessagesMax);
    this.#counts = new ProducerCounts(this.#clock.monotonicMs());
  }

  /** The topic that events go to. */
  get topic(): string {
    return this.#settings.topic;
  }

  /** The field that is the records' key: user_id, or session_id in web_clicks. */
  get keyField(): string {
    return this.#check.keyName;
  }

  /** How many partitions the topic has; 0 before connect(). It follows the topic when some are added. */
  get partitions(): number {
    return this.#pending.length;
  }

  /**
   * Asks the brokers for the topic. Rejects with KAFKA_UNREACHABLE when none answers within `connectTimeoutMs`, KAFKA_AUTH,
   * KAFKA_TOPIC_MISSING, CONFIG_INVALID for an override that librdkafka refuses; connect() may then be called again. While it is
   * under way or done, it answers the same.
   */
  connect(): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') {
      return Promise.reject(this.#closedError('the producer is closed'));
    }
    this.#connected ??= this.#open();
    return this.#connected;
  }

  /**
   * Sends an event and resolves when all in-sync replicas have it. The event is read at once and may change afterwards. Rejects
   * with EVENT_INVALID, EVENT_TOO_LARGE, PRODUCER_BUFFER_FULL, PRODUCER_CLOSED (none of these was sent), KAFKA_MIN_ISR,
   * KAFKA_UNREACHABLE, DELIVERY_TIMED_OUT, KAFKA_TOPIC_MISSING, KAFKA_AUTH, KAFKA_PROTOCOL.
   */
  send(event: EventOf[Model]): Promise<SendResult> {
    let record: { key: string; value: Buffer };
    try {
      record = this.#check.toRecord(event, this.#clock.nowMs());
    } catch (error) {
      this.#counts.refused++;
      return Promise.reject(error as HeadraceError);
    }
    return this.sendBytes(record.key, record.value);
  }

  /**
   * As send(), for events that are JSON already; the bytes are copied. Nothing is checked: what is no event becomes a dead letter.
   * `timestampMs` is the record's, ms since 1970; by default it is the time at which the client takes it.
   */
  sendBytes(key: string, value: Buffer, timestampMs: number | null = null): Promise<SendResult> {
    if (this.#state !== 'open') return this.#refuse(this.#notOpenError());
    return new Promise((resolve, reject) => {
      const calledMs = this.#clock.monotonicMs();
      const outgoing: Outgoing = {
        key: Buffer.from(key),
        size: value.byteLength,
        value,
        givenTimestampMs: timestampMs,
        timestampMs: 0,
        partition: -1,
        calledMs,
        deadlineMs: calledMs + this.#settings.maxBlockMs,
        mark: this.#marks.begin(),
        resolve,
        reject,
      };
      if (this.#line.waiting === 0 && this.#line.hasRoomFor(outgoing.size) && this.#tryProduce(outgoing)) {
        return;
      }
      if (!this.#line.tryWait(outgoing)) {
        this.#refuseOutgoing(outgoing, this.#bufferFullError('the buffer and the line before it are full'));
        return;
      }
      outgoing.value = Buffer.from(value);
      this.#startExpiring();
    });
  }

  /**
   * As send(); in words that say what a caller does who goes on after the answer only. It takes as long as the profile's
   * linger and a round trip: for one event after the other use the profile `latency`.
   */
  sendAndWait(event: EventOf[Model]): Promise<SendResult> {
    return this.send(event);
  }

  /** Whether the next send() goes to the client at once. */
  get hasRoom(): boolean {
    return this.#line.hasRoom;
  }

  /** Resolves when there is room: at once, or when a quarter of the buffer is free again. Also when the producer closes. */
  untilRoom(): Promise<void> {
    return this.#state === 'open' ? this.#line.untilRoom() : Promise.resolve();
  }

  /** Resolves when every event sent before it is settled, delivered or failed: their own promises say which. */
  flush(): Promise<void> {
    return this.#marks.flush();
  }

  /** What it has done so far, and how fast. */
  metrics(): ProducerMetrics {
    return this.#counts.metrics(this.#clock.monotonicMs(), {
      inFlight: this.#line.inFlight,
      waiting: this.#line.waiting,
      bufferAvailableBytes: this.#line.availableBytes,
      bufferTotalBytes: this.#line.bytesMax,
    });
  }

  /**
   * Takes no more events, waits until those sent are settled, `timeoutMs` at most, and disconnects. What is not settled by then is
   * rejected with PRODUCER_CLOSED. May be called again, and never rejects.
   */
  close(timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #open(): Promise<void> {
    const { config, brokers, topic, connectTimeoutMs, deliveryTimeoutMs, isPlain } = this.#settings;
    const { createClient, clock } = this.#surroundings;
    try {
      const { native, partitions } = await openClient(
        {
          config,
          brokers,
          topic,
          log: this.#log,
          clock,
          createClient,
          onReport: (error, report) => this.#onReport(error, report),
          onStatistics: (json) => this.#onStatistics(json),
        },
        connectTimeoutMs,
      );
      this.#client = native;
      this.#growTo(partitions);
      this.#cause = new TimeOutCause({
        client: native,
        topic,
        brokers,
        timeoutMs: deliveryTimeoutMs,
        isPlain,
        clock,
      });
      if (this.#state === 'new') this.#state = 'open';
      this.#log.info({ brokers: brokers.join(','), topic, partitions }, 'producer connected');
      this.#keepFile();
    } catch (error) {
      this.#connected = undefined;
      throw error;
    }
  }

  #keepFile(): void {
    const { metricsFile: path, topic, profile } = this.#settings;
    if (path === null) return;
    this.#filed = keepMetricsFile({
      path,
      clock: this.#clock,
      log: this.#log,
      signal: this.#over.signal,
      read: () => ({ topic, profile, ...this.metrics() }),
    });
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#state = 'closing';
    this.#line.releaseWanting();
    await this.#connected?.catch(() => undefined);
    const giveUp = new AbortController();
    await Promise.race([this.#marks.flush(), this.#clock.sleep(timeoutMs, giveUp.signal)]);
    giveUp.abort();
    this.#state = 'closed';
    const late =
      'the producer was closed before the event was acknowledged; it may be in the topic all the same';
    for (const pending of this.#pending) {
      for (const outgoing of pending.clear()) this.#fail(outgoing, this.#closedError(late));
    }
    for (const outgoing of this.#line.clear()) {
      this.#refuseOutgoing(outgoing, this.#closedError('the producer was closed before the event was sent'));
    }
    this.#over.abort();
    await this.#filed;
    if (this.#client !== null) await closeClient(this.#client, this.#clock);
    this.#client = null;
    const { sent, failed, refused, latencyMs } = this.metrics();
    this.#log.info(
      { topic: this.topic, sent, failed, refused, average_latency_ms: rounded(latencyMs.average) },
      'producer closed',
    );
  }

  /** False: the client's queue is full. What it refuses otherwise is answered here. */
  #tryProduce(outgoing: Outgoing): boolean {
    const { key, value, size } = outgoing;
    // as Java: the sign bit is cut off
    const partition = (murmur2(key) & 0x7fffffff) % this.#pending.length;
    const timestampMs = outgoing.givenTimestampMs ?? this.#clock.nowMs();
    try {
      this.#client!.produce(this.topic, partition, value, key, timestampMs);
    } catch (error) {
      if (failureOf(error).code === ERR_QUEUE_FULL && this.#line.inFlight > 0) return false;
      this.#refuseOutgoing(outgoing, failureOfRecord(error, { topic: this.topic, partition, bytes: size }));
      return true;
    }
    outgoing.partition = partition;
    outgoing.timestampMs = timestampMs;
    outgoing.value = NO_VALUE;
    this.#line.take(size);
    this.#pending[partition]!.add(outgoing);
    return true;
  }

  #onReport(cause: NativeError | null, report: DeliveryReport): void {
    const pending = this.#pending[report.partition];
    if (this.#state === 'closed' || pending === undefined) return;
    if (cause) {
      for (const outgoing of pending.failed(report)) this.#failByReport(outgoing, cause);
    } else {
      const sent = pending.delivered(report, this.#onLost);
      if (sent !== null) this.#deliver(sent, report.offset);
    }
    if (this.#line.waiting > 0 || this.#line.isWanted)
      this.#line.serve((waiting) => this.#tryProduce(waiting));
  }

  #deliver(outgoing: Outgoing, offset: number): void {
    const nowMs = this.#clock.monotonicMs();
    const latencyMs = nowMs - outgoing.calledMs;
    this.#line.give(outgoing.size);
    this.#counts.addSent(nowMs, latencyMs);
    // what was acknowledged by the answer to a later batch has no offset of its own
    outgoing.resolve({ partition: outgoing.partition, offset: Math.max(-1, offset), latencyMs });
    this.#marks.settle(outgoing.mark);
    if (this.#counts.sent % EVENTS_A_LINE !== 0) return;
    const { sent, failed, averageLatencyMs } = this.#counts;
    this.#log.info(
      { topic: this.topic, sent, failed, average_latency_ms: rounded(averageLatencyMs) },
      'events sent',
    );
  }

  #failByReport(outgoing: Outgoing, cause: NativeError): void {
    if (!isTimeOut(cause) || this.#cause === null) {
      const { partition, size } = outgoing;
      this.#fail(outgoing, failureOfRecord(cause, { topic: this.topic, partition, bytes: size }));
      return;
    }
    this.#line.give(outgoing.size);
    void this.#cause.errorOf(outgoing.partition).then((error) => this.#answerFailed(outgoing, error));
  }

  #fail(outgoing: Outgoing, error: HeadraceError): void {
    this.#line.give(outgoing.size);
    this.#answerFailed(outgoing, error);
  }

  #answerFailed(outgoing: Outgoing, error: HeadraceError): void {
    this.#counts.addFailed(this.#clock.monotonicMs());
    this.#failures.error(error.code, { topic: this.topic, error }, 'an event was not delivered');
    outgoing.reject(error);
    this.#marks.settle(outgoing.mark);
  }

  #refuseOutgoing(outgoing: Outgoing, error: HeadraceError): void {
    this.#counts.refused++;
    outgoing.reject(error);
    this.#marks.settle(outgoing.mark);
  }

  #refuse(error: HeadraceError): Promise<never> {
    this.#counts.refused++;
    return Promise.reject(error);
  }

  /** While somebody waits in line, somebody's time may be up. */
  #startExpiring(): void {
    if (this.#isExpiring) return;
    this.#isExpiring = true;
    void this.#expire();
  }

  async #expire(): Promise<void> {
    for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
      await this.#clock.sleep(Math.max(1, first.deadlineMs - this.#clock.monotonicMs()), this.#over.signal);
      for (const outgoing of this.#line.expired(this.#clock.monotonicMs())) {
        const waited = `no room in the buffer for ${this.#settings.maxBlockMs / 1_000} s (maxBlockMs)`;
        this.#refuseOutgoing(outgoing, this.#bufferFullError(waited));
      }
    }
    this.#isExpiring = false;
  }

  #onStatistics(json: string): void {
    const statistics = readProducerStatistics(json, this.topic);
    if (statistics === null || this.#state === 'closed') return;
    this.#counts.requestLatencyAvg = statistics.requestLatencyMs ?? this.#counts.requestLatencyAvg;
    if (this.#pending.length > 0) this.#growTo(statistics.partitions);
  }

  #growTo(partitions: number): void {
    while (this.#pending.length < partitions) this.#pending.push(new PendingRecords());
  }

  #notOpenError(): HeadraceError {
    const isOver = this.#state === 'closing' || this.#state === 'closed';
    if (isOver) return this.#closedError('the producer is closed: the event was not sent');
    return new HeadraceError('PRODUCER_CLOSED', 'the producer is not connected: the event was not sent', {
      where: { topic: this.topic },
      remedy: 'await connect() first',
    });
  }

  #closedError(message: string): HeadraceError {
    return closedError(message, { topic: this.topic });
  }

  #bufferFullError(why: string): HeadraceError {
    return new HeadraceError('PRODUCER_BUFFER_FULL', `${why}: the event was not sent`, {
      where: { topic: this.topic, buffer_bytes: this.#line.bytesMax, in_flight: this.#line.inFlight },
      remedy: 'await untilRoom() before each send(), send less, or check why the brokers are slow',
    });
  }

  #lostError({ partition }: Outgoing): HeadraceError {
    return new HeadraceError(
      'KAFKA_PROTOCOL',
      'the client reported on an event that it was not given; what it reports on next can not be told apart',
      {
        where: { topic: this.topic, partition },
        remedy: 'send the event again; it may be in the topic already',
      },
    );
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
