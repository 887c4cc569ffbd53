import { join } from 'node:path';
import { jvmArguments } from './jvm.js';
import type { Rival } from './rival.js';
import { runRivalChild } from './rival-child.js';
import type { RivalLine } from './rival-lines.js';

/** Kafka's own kafka-consumer-perf-test: what it costs Java's client to take the records, and to look at none of them. */

const REPORT_MS = 100;
const SILENT_MS = 60_000;

export const javaConsumer: Rival = {
  name: 'java-consumer',
  title: 'Java consumer alone',
  notes: ['it reads records and looks at none: no JSON, no sessions, so only its events are checked'],
  run(task) {
    const { places, facts, bootstrap, topic, group, folder, javaFlags } = task;
    const args = [
      ...jvmArguments(folder, javaFlags),
      '-cp',
      join(places.kafkaJars, '*'),
      'org.apache.kafka.tools.ConsumerPerformance',
      ...['--bootstrap-server', bootstrap, '--topic', topic, '--group', group],
      ...['--messages', String(facts.events), '--timeout', String(SILENT_MS)],
      ...['--show-detailed-stats', '--hide-header', '--reporting-interval', String(REPORT_MS)],
      '--print-metrics',
    ];
    return runRivalChild('java', args, readPerfTestLine, task);
  },
};

const STAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}$/;
const CONSUMED =
  /^consumer-fetch-manager-metrics:records-consumed-total:\{client-id=[^,}]*\}\s*:\s*(\d+)(?:\.0+)?$/;

/**
 * Reads its lines: `2026-01-30 06:00:00:123, 0, 286.1, 2861.0, 500000, 5000000.0, …`: time, thread, MB, MB/s, events, events/s.
 * The last of them comes before the last events; how many it read in all is among its metrics.
 */
export function readPerfTestLine(line: string): RivalLine | null {
  const consumed = CONSUMED.exec(line.trim());
  if (consumed !== null) return { kind: 'result', events: Number(consumed[1]), sums: null };
  const fields = line.split(',').map((field) => field.trim());
  if (fields.length < 6 || !STAMP.test(fields[0]!)) return null;
  const events = Number(fields[4]);
  return Number.isSafeInteger(events) ? { kind: 'progress', events } : null;
}
