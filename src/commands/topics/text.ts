import { formatTable } from '../../telemetry/progress.js';
import { type Effect, plannedText, type TopicDifference } from './compare-topic.js';
import type { CreateReport } from './create.js';
import { faultsOf, type TopicReport, type TopicsReport } from './report.js';

/** For people. */

const VERBS: Readonly<Record<Effect, string>> = {
  make: 'make',
  raise: 'raise',
  lower: 'leave',
  change: 'leave',
  add: 'leave',
  copies: 'leave',
  sync: 'leave',
  more: 'keep',
};

/** What `create` does it with, or what else does. */
const HOW: Readonly<Record<Effect, string>> = {
  make: '',
  raise: '',
  lower: 'lowered only with --change-too',
  change: 'changed only with --change-too',
  add: 'added only with --add-partitions: keys move to other partitions',
  copies: 'more copies come first: headrace topics check names the command',
  sync: 'comes back with the broker',
  more: 'more than planned, and as good',
};

export function planText(report: TopicsReport): string {
  const rows = report.topics.flatMap((topic): string[][] => {
    const { differences } = topic;
    if (differences.length === 0) return [['as planned', topic.topic, sizeText(topic), '']];
    return differences.map((each) => [
      VERBS[each.effect],
      topic.topic,
      each.effect === 'make' ? each.wanted : changeText(each),
      HOW[each.effect],
    ]);
  });
  return `${headText(report)}\n\n${formatTable(['', 'topic', 'what', ''], rows)}`;
}

export function checkText(report: TopicsReport): string {
  const faults = faultsOf(report);
  const wrong = new Set(faults.map(({ topic }) => topic)).size;
  const head = headText(report);
  if (faults.length === 0) return `${head}\n\nAll ${report.topics.length} topics are as planned.`;
  const verdict = `${wrong} of ${report.topics.length} topics differ.`;
  return [head, ...faults.map(differenceText), verdict].join('\n\n');
}

export function createText({ done, left, ...report }: CreateReport): string {
  const lines = done.map((each) =>
    each.effect === 'make' ? `made ${each.topic}: ${each.wanted}` : `set ${each.topic}: ${changeText(each)}`,
  );
  if (lines.length === 0) lines.push('Nothing was to be made.');
  const parts = [headText(report), lines.join('\n')];
  if (left.length > 0) {
    const rows = left.map((each) => [each.topic, changeText(each), HOW[each.effect]]);
    parts.push(`Left as it is:\n${formatTable(['topic', 'what', ''], rows)}`);
  }
  return parts.join('\n\n');
}

/** One difference whole: what, why, and the command. */
export function differenceText({ topic, what, found, wanted, effect, why, mend }: TopicDifference): string {
  const is =
    what === 'topic' ? `${found}, and should: ${wanted}` : `${what} is ${found}, should be ${wanted}`;
  const lines = [`topic ${topic}: ${is}`, `  why   ${why}`, `  mend  ${mend}`];
  if (effect === 'lower') lines.push('  but   that lowers it: what only the higher value keeps is lost');
  if (effect === 'add')
    lines.push('  but   keys move to other partitions, and sessions that are open are cut in two');
  return lines.join('\n');
}

function headText({ brokers, plan }: TopicsReport): string {
  const ids = `${brokers.length === 1 ? 'Broker' : 'Brokers'} ${brokers.join(', ')}`;
  return `${ids}; plan: ${plan ?? 'config/kafka/topics.yaml'}`;
}

function changeText({ what, found, wanted }: TopicDifference): string {
  return `${what} ${found} → ${wanted}`;
}

function sizeText({ topic, is, partitions, replicationFactor }: TopicReport): string {
  return plannedText({ name: topic, is, partitions, replicationFactor, settings: {} });
}
