import { formatTable, formatWhole } from '../../telemetry/progress.js';
import type { ReplayReport } from './replay.js';

export function replayText({ topic, notes, notesMissing, done, reasons, troubles }: ReplayReport): string {
  const sum = (of: 'letters' | 'sent' | 'refused') => reasons.reduce((total, count) => total + count[of], 0);
  if (reasons.length === 0) return [`No dead letters, or none of those.`, ...leftOut(troubles)].join('\n\n');
  const rows = reasons.map((count) => [
    count.reason,
    formatWhole(count.letters),
    formatWhole(count.sent),
    formatWhole(count.replayedBefore),
    formatWhole(count.refused),
    formatWhole(count.gone),
  ]);
  const head = [
    'reason',
    'letters',
    done ? 'sent' : 'to send',
    'replayed before',
    'refused still',
    'topic is gone',
  ];
  const parts = [
    done
      ? `${formatWhole(sum('sent'))} dead letters went back to topic ${topic}`
      : `${formatWhole(sum('sent'))} of ${formatWhole(sum('letters'))} dead letters would go back to topic ${topic}`,
    formatTable(head, rows),
  ];
  if (sum('refused') > 0)
    parts.push('Refused still: the model would refuse them again. --refused-too sends them all the same.');
  if (notesMissing !== null)
    parts.push(`The topic ${notes}, which notes what was sent, does not exist yet:\n${notesMissing}`);
  if (!done) parts.push('Nothing was sent: --yes does it.');
  return [...parts, ...leftOut(troubles)].join('\n\n');
}

function leftOut(troubles: readonly string[]): string[] {
  return troubles.length === 0 ? [] : [troubles.map((trouble) => `Left out: ${trouble}`).join('\n')];
}
