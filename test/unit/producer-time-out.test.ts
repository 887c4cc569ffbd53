import { expect, test } from 'vitest';
import { timeOutError } from '#src/producer/delivery-failure.js';

const of = (replicas: number, inSync: number, minInSync: number | null) =>
  timeOutError({ timeoutMs: 1_000, partition: { leader: 1, replicas, inSync }, minInSync }, {}).code;

test('too few replicas in sync is what brokers call too few: below min.insync.replicas, and never more than there are', () => {
  expect(of(3, 1, 2)).toBe('KAFKA_MIN_ISR');
  expect(of(3, 2, 3)).toBe('KAFKA_MIN_ISR');
  expect(of(3, 2, 2)).toBe('DELIVERY_TIMED_OUT');
  expect(of(1, 1, 2)).toBe('DELIVERY_TIMED_OUT');
});

test('where min.insync.replicas is not known, any replica that is missing is one too few', () => {
  expect(of(3, 2, null)).toBe('KAFKA_MIN_ISR');
  expect(of(3, 3, null)).toBe('DELIVERY_TIMED_OUT');
});
