import { systemClock } from '../../clock.js';
import type { EngineConfig } from '../../config/types.js';
import { crashPoint } from '../../crash-points.js';
import { HeadraceError, messageOf } from '../../errors.js';
import { librdkafkaOf } from '../../kafka/security/access.js';
import { TransactionalProducer } from '../../kafka/transactional-producer.js';
import { letterBytes } from '../../ledger/dead-letter-file.js';
import { createLog } from '../../telemetry/log.js';
import { coordinatesOf, type Letter } from './letters.js';
import { noteKeyOf } from './replay-notes.js';

/**
 * Sends letters back to their partitions, some at a time: one transaction holds the events and the notes of them. One
 * transactional id for all replays of a topic: who takes it ends what another left open, and that one can't commit any more.
 */
export class ReplaySender {
  readonly #topic: string;
  readonly #notesTopic: string;
  readonly #producer: TransactionalProducer;
  readonly #where: { topic: string; transactional_id: string };
  #waiting: Letter[] = [];
  #waitingBytes = 0;
  /** Letters whose transactions are committed. */
  sent = 0;

  private constructor(config: EngineConfig, notesTopic: string) {
    const { brokers, topic, clientId } = config.kafka;
    const transactionalId = `headrace-dlq-replay/${topic}`;
    this.#topic = topic;
    this.#notesTopic = notesTopic;
    this.#where = { topic, transactional_id: transactionalId };
    this.#producer = new TransactionalProducer({
      brokers,
      clientId,
      transactionalId,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
      clock: systemClock,
      // what fails is thrown
      log: createLog({ level: 'error', format: 'json', destination: { write: () => undefined } }),
      // a value was in the topic once: the broker takes it
      extra: { 'message.max.bytes': MESSAGE_BYTES_MAX, ...librdkafkaOf(config.kafka) },
    });
  }

  /** What an earlier replay left open is ended when this resolves. Throws HeadraceError KAFKA_UNREACHABLE, KAFKA_AUTH, KAFKA_PROTOCOL. */
  static async open(config: EngineConfig, notesTopic: string): Promise<ReplaySender> {
    const sender = new ReplaySender(config, notesTopic);
    await sender.#producer.connect();
    try {
      await sender.#producer.init();
    } catch (error) {
      await sender.close();
      throw error;
    }
    return sender;
  }

  /** Sends what waits when it is enough. Throws HeadraceError with how many went before. */
  async add(letter: Letter): Promise<void> {
    this.#waiting.push(letter);
    this.#waitingBytes += (letter.key?.length ?? 0) + (letter.value?.length ?? 0);
    if (this.#waiting.length >= LETTERS_MAX || this.#waitingBytes >= BYTES_MAX) await this.flush();
  }

  async flush(): Promise<void> {
    const letters = this.#waiting;
    if (letters.length === 0) return;
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      await this.#transaction(letters);
    } catch (error) {
      // committed or not: its notes say
      await this.#producer.abort().catch(() => undefined);
      throw this.#stopped(error);
    }
    this.sent += letters.length;
  }

  async #transaction(letters: readonly Letter[]): Promise<void> {
    const producer = this.#producer;
    await producer.begin();
    for (const letter of letters) {
      const headers = [{ 'headrace-replay': `${letter.topic}:${coordinatesOf(letter)}` }];
      const [key, value] = [letterBytes(letter.key), letterBytes(letter.value)];
      await this.#produce(this.#topic, letter.partition, key, value, headers);
      const note = Buffer.from(
        JSON.stringify({ reason: letter.reason, replayed_ms: systemClock.nowMs(), version: letter.version }),
      );
      await this.#produce(this.#notesTopic, null, Buffer.from(noteKeyOf(letter)), note);
    }
    await producer.allDelivered();
    crashPoint('replay.before-commit');
    await producer.commit();
    crashPoint('replay.after-commit');
  }

  async #produce(
    topic: string,
    partition: number | null,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers?: Record<string, string>[],
  ): Promise<void> {
    const producer = this.#producer;
    const tryOnce = () => producer.produce(topic, partition, key, value, systemClock.nowMs(), headers);
    while (tryOnce() === 'full') await producer.untilBelow(ROOM_BELOW);
  }

  #stopped(error: unknown): HeadraceError {
    const code = error instanceof HeadraceError ? error.code : 'KAFKA_PROTOCOL';
    return new HeadraceError(code, `the replay stopped after ${this.sent} letters: ${messageOf(error)}`, {
      where: this.#where,
      remedy:
        'call it again: what went is noted and does not go twice. Another replay of the topic at the same time stops this one',
      cause: error,
    });
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await this.#producer.close(0).catch(() => undefined);
  }
}

const TRANSACTION_TIMEOUT_MS = 15_000;
const MESSAGE_BYTES_MAX = 1_000_000_000;
const LETTERS_MAX = 500;
/** Of base64. */
const BYTES_MAX = 8 * 2 ** 20;
const ROOM_BELOW = 1_000;
