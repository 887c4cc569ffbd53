import { messageOf } from '../../errors.js';
import { samplesOf } from '../prometheus-text.js';
import type { AgentFigures } from './figures.js';

/** What a broker's JMX agent says, by the names of config/kafka/jmx-rules.yaml. */

const ANSWER_MS_MAX = 5_000;

/** Asks `host:port`. Throws Error that names it. */
export async function askAgent(endpoint: string): Promise<AgentFigures> {
  const url = `http://${endpoint}/metrics`;
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      headers: { accept: 'text/plain' },
    });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return figuresFrom(await answer.text());
  } catch (error) {
    throw new Error(`the JMX agent at ${endpoint} does not answer: ${messageOf(error)}`);
  }
}

/** Of the text format of Prometheus. */
export function figuresFrom(text: string): AgentFigures {
  const samples = samplesOf(text);
  const sum = (name: string): number | null => {
    const own = samples.filter((sample) => sample.name === name);
    return own.length === 0 ? null : own.reduce((total, { value }) => total + value, 0);
  };
  return {
    // nothing was produced or read yet: Kafka makes these beans with the first record
    messagesInPerSecond: sum('kafka_broker_messages_in_per_second') ?? 0,
    bytesInPerSecond: sum('kafka_broker_bytes_in_per_second') ?? 0,
    bytesOutPerSecond: sum('kafka_broker_bytes_out_per_second') ?? 0,
    requestsPerSecond: sum('kafka_broker_requests_per_second'),
    underReplicatedPartitions: sum('kafka_broker_under_replicated_partitions'),
  };
}
