import { checkedOptions } from '#src/producer/producer-options.js';
import type { ProducerProfile } from '#src/producer/profiles.js';

/** Java's side: what `kafka-producer-perf-test` is called with, and what it says at the end. */

export const PERF_TEST = 'org.apache.kafka.tools.ProducerPerformance';

/** Every setting that both clients have, as the profile has it: `name=value` each, for Java's client. */
export function clientProperties(brokers: string, profile: ProducerProfile): string[] {
  const { config, bufferBytesMax } = checkedOptions({ brokers, profile });
  const same = [
    'acks',
    'enable.idempotence',
    'linger.ms',
    'batch.size',
    'compression.type',
    'max.in.flight.requests.per.connection',
    'delivery.timeout.ms',
    'request.timeout.ms',
  ];
  return [
    `bootstrap.servers=${brokers}`,
    `buffer.memory=${bufferBytesMax}`,
    ...same.map((name) => `${name}=${config[name]}`),
  ];
}

export function perfTestArguments(task: {
  brokers: string;
  topic: string;
  profile: ProducerProfile;
  events: number;
  file: string;
}): string[] {
  return [
    '--topic',
    task.topic,
    '--num-records',
    String(task.events),
    '--payload-file',
    task.file,
    '--throughput',
    '-1',
    '--producer-props',
    ...clientProperties(task.brokers, task.profile),
  ];
}

export interface PerfTestAnswer {
  records: number;
  perSecond: number;
  latencyMs: { average: number; p50: number; p99: number };
}

const LAST_LINE =
  /^(\d+) records sent, ([\d.]+) records\/sec \(.*?\), ([\d.]+) ms avg latency, [\d.]+ ms max latency, (\d+) ms 50th, \d+ ms 95th, (\d+) ms 99th/m;

/** Throws Error when it did not come to its end. */
export function parsePerfTest(output: string): PerfTestAnswer {
  const match = LAST_LINE.exec(output);
  if (match === null)
    throw new Error(`kafka-producer-perf-test did not say how it went: ${output.slice(-500)}`);
  const [records, perSecond, average, p50, p99] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { records, perSecond, latencyMs: { average, p50, p99 } };
}
