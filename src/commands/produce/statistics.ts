import { DIRT_KINDS } from '../../generator/load/dirt.js';
import type { LoadSpec } from '../../generator/load/load-plan.js';
import {
  formatBytes,
  formatCount,
  formatElapsed,
  formatRate,
  formatWhole,
} from '../../telemetry/progress.js';
import type { Standing } from './run.js';

/** What a load says of itself: while it runs, and in the end. Text and numbers only. */

export interface Statistics {
  sender: 'client' | 'bulk';
  topic: string;
  /** As asked for, events a second; null: as fast as it goes. */
  rate: number | null;
  spec: LoadSpec;
  /** Event time against time; null: as fast as it went. */
  speed: number | null;
  standing: Standing;
  elapsedMs: number;
  /** Of the process and all its threads: since the first event was due, and before, for films, users and threads. */
  cpuMs: number;
  setUpCpuMs: number;
  /** False: it was interrupted. */
  isWhole: boolean;
}

const BAR_CELLS = 24;

/** What begins, before anything is sent. */
export function headline(brokers: readonly string[], statistics: Statistics): string {
  const { sender, topic, rate, spec, speed } = statistics;
  const users = `${formatWhole(spec.users)} ${spec.users === 1 ? 'user' : 'users'}`;
  const pace =
    rate === null
      ? 'as fast as it goes'
      : `${formatRate(rate, 1_000)} for ${formatElapsed((1_000 * spec.records) / rate)}, event time ${Number(speed!.toPrecision(3))} × time`;
  return [
    `Starting data generator: ${formatWhole(spec.records)} events of ${spec.model} (${spec.sessions}) by ${users}`,
    `into ${topic} (${spec.partitions} partitions) at ${brokers.join(',')}, sender ${sender}, ${pace}`,
  ].join(' ');
}

export function progressLine({ standing, spec }: Statistics, sinceRecords: number, sinceMs: number): string {
  const { sent, failed, nowMs } = standing;
  const share = Math.min(1, sent / spec.records);
  const full = Math.floor(share * BAR_CELLS);
  const parts = [
    `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)} ${Math.floor(100 * share)} %`,
    `${formatRate(sinceRecords, sinceMs)} events`,
    `${formatCount(sent)} of ${formatCount(spec.records)}`,
    `event time ${new Date(nowMs).toISOString().slice(0, 19)}Z`,
  ];
  if (failed > 0) parts.push(`${formatCount(failed)} FAILED`);
  return parts.join(' · ');
}

export function resultJson(statistics: Statistics): object {
  const { sender, topic, rate, spec, speed, standing, elapsedMs, cpuMs, setUpCpuMs, isWhole } = statistics;
  const { counts, sent, failed, bytes, nowMs, latencyMs } = standing;
  const { records, disordered, ...extras } = counts;
  const good = records - Object.values(extras).reduce((sum, count) => sum + count, 0);
  return {
    complete: isWhole && failed === 0 && sent === spec.records,
    sender,
    topic,
    model: spec.model,
    sessions: spec.sessions,
    seed: spec.seed,
    users: spec.users,
    partitions: spec.partitions,
    made: { records, good, disordered, ...extras },
    sent,
    failed,
    bytes,
    rate,
    seconds: Number((elapsedMs / 1_000).toFixed(3)),
    recordsPerSecond: Math.round((sent * 1_000) / Math.max(1, elapsedMs)),
    cpuMicrosPerRecord: sent === 0 ? null : Number(((cpuMs * 1_000) / sent).toFixed(3)),
    setUpCpuSeconds: Number((setUpCpuMs / 1_000).toFixed(3)),
    latencyMs: latencyMs.length === 0 ? null : quantiles(latencyMs),
    speed,
    eventTime: { from: new Date(spec.startMs).toISOString(), to: new Date(nowMs).toISOString() },
  };
}

export function resultText(statistics: Statistics): string {
  const { sender, topic, rate, spec, standing, elapsedMs, cpuMs, setUpCpuMs, isWhole } = statistics;
  const { counts, sent, failed, bytes, nowMs, latencyMs } = standing;
  const dirt = DIRT_KINDS.filter((kind) => counts[kind] > 0).map(
    (kind) => `${formatWhole(counts[kind])} ${kind}`,
  );
  const what = sender === 'bulk' ? 'requests' : 'records';
  const q = latencyMs.length === 0 ? null : quantiles(latencyMs);
  const lines = [
    isWhole ? 'Data generation complete:' : 'Interrupted; what was made until then is in the topic:',
    `  Total events: ${formatWhole(sent)} into ${topic} (seed ${spec.seed})`,
    ...(dirt.length > 0 ? [`  Among them: ${dirt.join(', ')}`] : []),
    ...(failed > 0 ? [`  FAILED: ${formatWhole(failed)}`] : []),
    `  Total time: ${formatElapsed(elapsedMs)}`,
    `  Actual rate: ${formatRate(sent, elapsedMs)}${rate === null ? '' : `, asked for ${formatRate(rate, 1_000)}`}`,
    `  CPU: ${sent === 0 ? '–' : ((cpuMs * 1_000) / sent).toFixed(2)} µs an event, generation included; ${(setUpCpuMs / 1_000).toFixed(1)} s before the first`,
    ...(bytes === null ? [] : [`  In the log: ${formatBytes(bytes)}`]),
    `  Event time: ${new Date(spec.startMs).toISOString()} to ${new Date(nowMs).toISOString()}`,
    ...(q === null
      ? []
      : [`  Latency of ${what}: ${q.avg} ms on average, p50 ${q.p50}, p99 ${q.p99}, at most ${q.max}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function quantiles(values: readonly number[]) {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  const sum = sorted.reduce((total, value) => total + value, 0);
  return { avg: round(sum / sorted.length), p50: at(0.5), p99: at(0.99), max: at(1) };
}

function round(ms: number): number {
  return Number(ms.toFixed(1));
}
