import { HeadraceError, type Where } from '../errors.js';
import { failureOf, failureToError } from '../kafka/librdkafka.js';

/** What a record's failure means to who sent it, and what can be done. */

const ERR_MSG_TIMED_OUT = -192;
const ERR_PURGE_QUEUE = -152;
const ERR_PURGE_INFLIGHT = -151;
const ERR_DESTROY = -197;
const MSG_SIZE_TOO_LARGE = 10;
const RECORD_LIST_TOO_LARGE = 18;
const NOT_ENOUGH_REPLICAS = 19;
const NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20;
const INVALID_TIMESTAMP = 32;

const MAYBE_THERE = 'it may be in the topic all the same';
export const MIN_ISR_REMEDY =
  'bring the brokers back (headrace kafka check names what is wrong) and send the event again; lowering min.insync.replicas ' +
  'would trade durability for it';
export const TOPIC_REMEDY =
  'create it (headrace topics create, or kafka-topics.sh --create), or check the name';

export function isTimeOut(error: unknown): boolean {
  return failureOf(error).code === ERR_MSG_TIMED_OUT;
}

/** The error of a record that was not delivered, other than by a time-out. */
export function failureOfRecord(cause: unknown, where: Where): HeadraceError {
  const failure = failureOf(cause);
  const error = (code: ConstructorParameters<typeof HeadraceError>[0], message: string, remedy: string) =>
    new HeadraceError(code, message, { where: { ...where, librdkafka: failure.code }, remedy });
  switch (failure.code) {
    case MSG_SIZE_TOO_LARGE:
    case RECORD_LIST_TOO_LARGE:
      return error(
        'EVENT_TOO_LARGE',
        'the event was not sent: it is larger than the producer (message.max.bytes) or the topic (max.message.bytes) takes',
        'send smaller events, or raise both limits',
      );
    case NOT_ENOUGH_REPLICAS:
      return error(
        'KAFKA_MIN_ISR',
        'the event was not written: fewer replicas are in sync than the topic asks for (min.insync.replicas)',
        MIN_ISR_REMEDY,
      );
    case NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return error(
        'KAFKA_MIN_ISR',
        `replicas fell out of sync (min.insync.replicas) while the event was written: ${MAYBE_THERE}`,
        MIN_ISR_REMEDY,
      );
    case INVALID_TIMESTAMP:
      return error(
        'KAFKA_PROTOCOL',
        "the event was not written: the broker refuses this machine's time",
        'set the clocks of producer and brokers right',
      );
    case ERR_PURGE_QUEUE:
    case ERR_PURGE_INFLIGHT:
    case ERR_DESTROY:
      return closedError('the producer was closed before the event was acknowledged', where);
    default: {
      const plain = failureToError(failure, where);
      return new HeadraceError(plain.code, `the event was not delivered: ${plain.message}`, {
        where: plain.where,
        remedy: remedyOf(plain.code, failure.kind === 'fatal'),
      });
    }
  }
}

/** `fatal`: the client is spent. */
function remedyOf(code: HeadraceError['code'], fatal: boolean): string {
  if (fatal) return 'this producer is of no more use: close it, make a new one, and send the event again';
  if (code === 'KAFKA_TOPIC_MISSING') return TOPIC_REMEDY;
  if (code === 'KAFKA_AUTH')
    return 'give the user WRITE and DESCRIBE on the topic, or correct its credentials';
  return 'send the event again';
}

/** What is known about a delivery time-out, for its message. */
export interface TimeOutFacts {
  timeoutMs: number;
  /** null: no broker has answered. */
  partition: { leader: number; replicas: number; inSync: number } | null;
  /** The topic's min.insync.replicas; null: not known. */
  minInSync: number | null;
}

/** The error of a record that was given up at its delivery time-out. */
export function timeOutError(facts: TimeOutFacts, where: Where): HeadraceError {
  const { timeoutMs, partition, minInSync } = facts;
  const late = `the event was given up after ${timeoutMs / 1_000} s (delivery.timeout.ms)`;
  if (partition === null) {
    return new HeadraceError('KAFKA_UNREACHABLE', `${late}: no broker answers; ${MAYBE_THERE}`, {
      where,
      remedy: 'check that the brokers run and can be reached, and send the event again',
    });
  }
  // a leader that a broker still names, while no replica is in sync, is none
  if (partition.leader < 0 || partition.inSync === 0) {
    return new HeadraceError('KAFKA_UNREACHABLE', `${late}: its partition has no leader; ${MAYBE_THERE}`, {
      where,
      remedy: 'bring the brokers with its replicas back, and send the event again',
    });
  }
  const { inSync, replicas } = partition;
  // of a topic with fewer replicas than it asks for, brokers ask for all it has
  const needed = Math.min(minInSync ?? replicas, replicas);
  if (inSync < needed) {
    const asks = minInSync === null ? '' : `, the topic asks for ${needed} (min.insync.replicas)`;
    const message = `${late}: ${inSync} of ${replicas} replicas are in sync${asks}; ${MAYBE_THERE}`;
    return new HeadraceError('KAFKA_MIN_ISR', message, { where, remedy: MIN_ISR_REMEDY });
  }
  return new HeadraceError('DELIVERY_TIMED_OUT', `${late}; ${MAYBE_THERE}`, {
    where,
    remedy:
      'the brokers answer again: send the event again, or allow more time (overrides: delivery.timeout.ms)',
  });
}

export function closedError(message: string, where: Where): HeadraceError {
  return new HeadraceError('PRODUCER_CLOSED', message, {
    where,
    remedy: 'send before close(), or make a new producer',
  });
}
