import { KafkaErrorCode } from './wire/error-codes.js';

/**
 * What an error code in a fetch's answer asks for. Every one of them keeps the offset.
 * refresh: new metadata, back off · retry: back off · out-of-range: find out the gap and halt · corrupt: fetch once
 * more, then halt · denied: alarm and retry slowly · unknown: alarm, new metadata, back off
 */
export type FetchErrorAction = 'refresh' | 'retry' | 'out-of-range' | 'corrupt' | 'denied' | 'unknown';

const ACTIONS = new Map<number, FetchErrorAction>([
  [KafkaErrorCode.NOT_LEADER_OR_FOLLOWER, 'refresh'],
  [KafkaErrorCode.REPLICA_NOT_AVAILABLE, 'refresh'],
  [KafkaErrorCode.LEADER_NOT_AVAILABLE, 'refresh'],
  [KafkaErrorCode.KAFKA_STORAGE_ERROR, 'refresh'],
  [KafkaErrorCode.FENCED_LEADER_EPOCH, 'refresh'],
  [KafkaErrorCode.OFFSET_NOT_AVAILABLE, 'refresh'],
  [KafkaErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'refresh'],
  // the broker is behind our metadata, not we
  [KafkaErrorCode.UNKNOWN_LEADER_EPOCH, 'retry'],
  // every request is a full one already
  [KafkaErrorCode.FETCH_SESSION_ID_NOT_FOUND, 'retry'],
  [KafkaErrorCode.INVALID_FETCH_SESSION_EPOCH, 'retry'],
  [KafkaErrorCode.OFFSET_OUT_OF_RANGE, 'out-of-range'],
  [KafkaErrorCode.CORRUPT_MESSAGE, 'corrupt'],
  [KafkaErrorCode.TOPIC_AUTHORIZATION_FAILED, 'denied'],
  [KafkaErrorCode.GROUP_AUTHORIZATION_FAILED, 'denied'],
  [KafkaErrorCode.CLUSTER_AUTHORIZATION_FAILED, 'denied'],
  [KafkaErrorCode.UNSUPPORTED_SASL_MECHANISM, 'denied'],
  [KafkaErrorCode.ILLEGAL_SASL_STATE, 'denied'],
  [KafkaErrorCode.SASL_AUTHENTICATION_FAILED, 'denied'],
]);

export function actionOf(errorCode: number): FetchErrorAction {
  return ACTIONS.get(errorCode) ?? 'unknown';
}
