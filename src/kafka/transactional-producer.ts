import type { Clock } from '../clock.js';
import { HeadraceError } from '../errors.js';
import { invariant } from '../invariant.js';
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
 * - Each call holds a thread of libuv's pool for as long as it takes, so all of them have an end. The library was seen not to
 *   come back from one for minutes, when all brokers had been away while the group was rebalanced: who waited for it then left the
 *   group waiting for him. So a call is given up behind that end, and its thread with it.
 */
export interface TransactionalOptions extends ProducerOptions {
  transactionalId: string;
  /** When the broker aborts a transaction whose producer went silent. */
  transactionTimeoutMs: number;
}

const CALL_TIMEOUT_MS = 10_000;
/** Behind the time that the library was given. */
const GRACE_MS = 10_000;

export class TransactionalProducer extends Producer {
  readonly #where: { transactional_id: string; brokers: string };
  readonly #clock: Clock;
  #failedBefore = 0;

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
      throw new HeadraceError('KAFKA_UNREACHABLE', 'the Kafka library did not come back in time', { where });
    };
    return calledWithin(this.#clock, timeoutMs + GRACE_MS, answered, late);
  }
}
