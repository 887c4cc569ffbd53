import {
  type Colours,
  formatBytes,
  formatCount,
  formatTable,
  formatWhole,
} from '../../telemetry/progress.js';
import type { CheckResult } from './checks.js';
import type { Figures, GroupFigures } from './figures.js';
import type { ProducerLook } from './producers.js';

/** The figures for people: one block, which a terminal draws over and over. */

const UNKNOWN = '–';
const WORST = 3;
const INTERNAL = /^__/;

export function viewText(figures: Figures, checks: readonly CheckResult[], colours: Colours): string {
  const { brokers, topics, groups, producers, totals, troubles } = figures;
  const shown = topics.filter(({ name }) => !INTERNAL.test(name));
  const parts = [
    headline(figures),
    section(
      colours,
      `Brokers (${sourceOf(figures)})`,
      [
        'id',
        'address',
        'leads',
        'replicas',
        'under-replicated',
        'log',
        'messages in/s',
        'bytes in/s',
        'bytes out/s',
        'requests/s',
      ],
      brokers.map(({ id, address, leads, replicas, underReplicated, logBytes, agent }) => [
        id,
        address,
        leads,
        replicas,
        agent?.underReplicatedPartitions ?? underReplicated,
        bytes(logBytes),
        count(agent?.messagesInPerSecond),
        bytes(agent?.bytesInPerSecond),
        bytes(agent?.bytesOutPerSecond),
        count(agent?.requestsPerSecond),
      ]),
    ),
    section(
      colours,
      `Topics (protocol: offsets, in-sync replicas, log folders)${topics.length > shown.length ? `, ${topics.length - shown.length} internal ones left out` : ''}`,
      [
        'topic',
        'partitions',
        'replicas',
        'under-replicated',
        'offline',
        'records',
        'records/s',
        'bytes',
        'bytes/s',
      ],
      shown.map((topic) => [
        topic.name,
        topic.partitions,
        topic.replicationFactor,
        topic.underReplicated,
        topic.offline,
        count(topic.records),
        count(topic.recordsPerSecond),
        bytes(topic.bytes),
        bytes(topic.bytesPerSecond),
      ]),
    ),
    section(
      colours,
      'Groups (protocol: committed offsets)',
      ['group', 'state', 'lag', 'furthest behind'],
      groups.map((group) => [group.id, group.state, count(group.lag), worstOf(group)]),
    ),
    ...(producers.length === 0 ? [] : [producersText(producers, colours)]),
    ...troubles.map((trouble) => colours.yellow(`not known: ${trouble}`)),
    ...checks.map((check) => checkText(check, colours)),
  ];
  return totals.brokers === 0 ? headline(figures) : parts.join('\n');
}

function producersText(producers: readonly ProducerLook[], colours: Colours): string {
  const head = [
    'topic',
    'process',
    'sent',
    'failed',
    'sent/s',
    'errors/s',
    'p50',
    'p99',
    'request',
    'buffer free',
  ];
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return section(
    colours,
    'Producers (their own metrics files: rates over 30 s, latencies since their start)',
    head,
    producers.map((each) => [
      each.topic,
      each.isClosed ? `${each.pid}, closed` : each.pid,
      count(each.sent),
      count(each.failed),
      count(each.recordSendRate),
      count(each.recordErrorRate),
      ms(each.latencyMs.p50),
      ms(each.latencyMs.p99),
      ms(each.requestLatencyAvg),
      bytes(each.bufferAvailableBytes),
    ]),
  );
}

/** One line, for where nothing can be drawn over. */
export function headline({ totals, overSeconds }: Figures): string {
  const { messagesInPerSecond, bytesInPerSecond, ratesFrom } = totals;
  const over =
    ratesFrom === 'agent' ? 'agents, over a minute' : `offsets, over ${overSeconds?.toFixed(1) ?? UNKNOWN} s`;
  return [
    `${totals.brokers} brokers`,
    `${formatWhole(totals.underReplicated)} under-replicated`,
    `${formatWhole(totals.offline)} offline`,
    `${count(messagesInPerSecond)} records/s, ${bytes(bytesInPerSecond)}/s in (${over})`,
    `greatest lag ${count(totals.lag)}`,
  ].join(' · ');
}

export function checkText({ check, found, holds, reason }: CheckResult, colours: Colours): string {
  const value = found === null ? `not known: ${reason}` : formatWhole(Number(found.toFixed(1)));
  return holds ? colours.green(`ok      ${check} (${value})`) : colours.red(`FAILED  ${check} (${value})`);
}

function sourceOf({ brokers }: Figures): string {
  const agents = brokers.filter(({ agent }) => agent !== null).length;
  if (agents === 0) return 'protocol; rates by broker need the JMX agent, see --metrics';
  return agents === brokers.length
    ? 'JMX agents: rates over a minute'
    : `JMX agents of ${agents} of ${brokers.length}`;
}

function section(
  colours: Colours,
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const table = rows.length === 0 ? 'none' : formatTable(head, rows);
  return `\n${colours.bold(title)}\n${table}`;
}

function worstOf({ partitions }: GroupFigures): string {
  return partitions
    .filter(({ lag }) => lag !== null && lag > 0)
    .sort((a, b) => b.lag! - a.lag!)
    .slice(0, WORST)
    .map(({ topic, partition, lag }) => `${topic}/${partition} ${formatWhole(lag!)}`)
    .join(', ');
}

function count(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : formatCount(value);
}

function bytes(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : formatBytes(value);
}
