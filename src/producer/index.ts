/**
 * `headrace/producer`: a Kafka producer for clickstream events. README.md has an example.
 */
export { ERROR_CODES, type ErrorCode, HeadraceError, type Where } from '../errors.js';
export { ClickstreamProducer, type SendResult } from './clickstream-producer.js';
export type { ClickstreamEvent, EventOf, ProducerModel, WebClickEvent } from './events.js';
export type { FiledMetrics } from './metrics-file.js';
export type { ProducerMetrics } from './producer-metrics.js';
export type { ProducerOptions } from './producer-options.js';
export { PROFILE_NAMES, type ProducerProfile } from './profiles.js';
