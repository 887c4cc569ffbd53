import type { Clock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import { invariant } from '../invariant.js';
import { answeredWithin } from './answered-within.js';
import { calledWithin } from './held-threads.js';
import {
  failureOf,
  failureToError,
  type NativeConsumer,
  type NativeError,
  type NativeProducer,
  type TopicPartition,
} from './librdkafka.js';
import { Producer, type ProducerOptions } from './producer.js';

/**
 * Writes records in transactions: what one carries is seen whole or not at all.
 *
 * - librdkafka takes initTransactions once a producer. It ends what an earlier producer of the same transactional id left
 *   open, and fences that producer for good.
 * - After any failure between begin and the end of commit, what became of the transaction is not known here: abort() may
 *   end it; when that fails too, only a new producer with the same id can.
 * - Each call holds a thread of libuv's pool for as long as it takes, so all of them have an end. But librdkafka can lose the answer to
 *   sendOffsetsToTransaction when brokers go (rd_kafka_txn_handle_TxnOffsetCommit returns without one, and the call waits without
 *   end), and closing the producer waits for the call. So a call is given up behind its end, the producer stays open, and
 *   release() brings the library back.
 */
export interface TransactionalOptions extends ProducerOptions {
  transactionalId: string;
  /** When the broker aborts a transaction whose producer went silent. */
  transactionTimeoutMs: number;
}

const CALL_TIMEOUT_MS = 10_000;
/** Behind the time that the library was given. */
const GRACE_MS = 10_000;
const REFUSED_KEY = Buffer.from('headrace');

export class TransactionalProducer extends Producer {
  readonly #where: { transactional_id: string; brokers: string };
  readonly #clock: Clock;
  #failedBefore = 0;
  /** A call that was given up and is still out. */
  #lost: Promise<void> | null = null;

  constructor(options: TransactionalOptions) {
    super({
      ...options,
      extra: {
        ...options.extra,
        'transactional.id': options.transactionalId,
        'transaction.timeout.ms': options.transactionTimeoutMs,
      },
    });
    this.#clock = options.clock;
    this.#where = { transactional_id: options.transactionalId, brokers: String(options.brokers) };
  }

  /** Ends what an earlier producer with this id left open. Errors: KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL. */
  async init(timeoutMs = CALL_TIMEOUT_MS): Promise<void> {
    await this.#call(
      'initTransactions',
      (client, done) => client.initTransactions(timeoutMs, done),
      timeoutMs,
    );
  }

  async begin(): Promise<void> {
    this.#failedBefore = this.failed;
    await this.#call('beginTransaction', (client, done) => client.beginTransaction(done));
  }

  /** All records of the transaction are with the brokers. Errors: KAFKA_UNREACHABLE when some are not. */
  async allDelivered(timeoutMs = CALL_TIMEOUT_MS): Promise<void> {
    const outcome = await this.flush(timeoutMs);
    const lost = this.failed - this.#failedBefore;
    if (outcome === 'flushed' && lost === 0) return;
    const message =
      lost > 0 ? `${lost} records were not taken` : `${this.inFlight} records were not acknowledged in time`;
    throw new HeadraceError('KAFKA_UNREACHABLE', message, { where: this.#where });
  }

  /** Offsets of the consumer's group, committed with the transaction, refused when the group has moved on. */
  async sendOffsets(offsets: TopicPartition[], consumer: NativeConsumer): Promise<void> {
    await this.#call('sendOffsetsToTransaction', (client, done) =>
      client.sendOffsetsToTransaction(offsets, consumer, CALL_TIMEOUT_MS, done),
    );
  }

  async commit(): Promise<void> {
    await this.#call('commitTransaction', (client, done) => client.commitTransaction(CALL_TIMEOUT_MS, done));
  }

  async abort(): Promise<void> {
    await this.#call('abortTransaction', (client, done) => client.abortTransaction(CALL_TIMEOUT_MS, done));
  }

  /** A call was given up and is still out: closing would wait for it. */
  get isHeld(): boolean {
    return this.#lost !== null;
  }

  /**
   * Brings the library back from a call that was given up, and closes. To be called when another producer with the same id has been
   * through init: of this one the brokers refuse any record from then on, and a producer that learns so ends whatever call is out.
   * False: it did not come back.
   */
  async release(topic: string): Promise<boolean> {
    const lost = this.#lost ?? Promise.resolve();
    try {
      this.produce(topic, 0, REFUSED_KEY, null, this.#clock.nowMs());
    } catch {
      // it knows already
    }
    const back = lost.then(
      () => true,
      () => true,
    );
    if (!(await answeredWithin(this.#clock, CALL_TIMEOUT_MS + GRACE_MS, back, () => false))) return false;
    // what was not delivered is void
    await this.close(0).catch(() => undefined);
    return true;
  }

  #call(
    name: string,
    start: (client: NativeProducer, done: (error: NativeError | null | undefined) => void) => void,
    timeoutMs = CALL_TIMEOUT_MS,
  ): Promise<void> {
    const client = this.native;
    invariant(client !== null, 'a transaction of a producer that is not connected', { call: name });
    const where = { ...this.#where, call: name };
    const answered = new Promise<void>((resolve, reject) => {
      start(client, (error) => (error ? reject(failureToError(failureOf(error), where)) : resolve()));
    });
    const late = () => {
      this.#lost = answered;
      const back = () => {
        this.#lost = null;
      };
      answered.then(back, back);
      throw new HeadraceError('KAFKA_UNREACHABLE', 'the Kafka library did not come back in time', { where });
    };
    return calledWithin(this.#clock, timeoutMs + GRACE_MS, name, answered, late);
  }
}
