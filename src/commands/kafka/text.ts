import type { TopicDifference } from '../topics/compare-topic.js';
import { differenceText } from '../topics/text.js';
import type { KafkaCheckReport } from './check.js';
import type { BrokerDifference } from './compare-brokers.js';

/** For people. */
export function kafkaCheckText({
  profile,
  plan,
  brokers,
  settings,
  topics,
  differences,
}: KafkaCheckReport): string {
  const head = [
    `Brokers ${brokers.map(({ id, address }) => `${id} (${address})`).join(', ')}`,
    `${settings} settings beside config/kafka/${profile}.properties, ${topics} topics beside ${plan ?? 'config/kafka/topics.yaml'}`,
  ].join('\n');
  if (differences.length === 0) return `${head}\n\nAll is as recommended.`;
  const verdict = differences.length === 1 ? 'One thing differs.' : `${differences.length} things differ.`;
  return [head, ...differences.map(textOf), verdict].join('\n\n');
}

function textOf(difference: BrokerDifference | TopicDifference): string {
  if ('topic' in difference) return differenceText(difference);
  const { brokers, setting, found, wanted, why, mend } = difference;
  const where =
    brokers.length === 0 ? 'cluster' : `broker${brokers.length === 1 ? '' : 's'} ${brokers.join(', ')}`;
  const is = `${where}: ${setting} is ${found}, should be ${wanted}`;
  return [is, `  why   ${why}`, `  mend  ${mend}`].join('\n');
}
