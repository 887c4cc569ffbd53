import type { Sample } from '../prometheus-text.js';
import type { EngineAnswer } from './ask.js';

/** What one engine's answer says, and what two answers make of it. Pure. */

export interface EngineFigures {
  url: string;
  /** Null: it has not come so far yet. */
  about: EngineAbout | null;
  isReady: boolean;
  reasons: string[];
  warnings: string[];
  uptimeSeconds: number | null;
  /** Between the two answers that rates are taken from, by the engine's own clock; null: there was one only, or it began anew. */
  overSeconds: number | null;
  events: number | null;
  eventsPerSecond: number | null;
  /** Of record batches, as fetched. */
  bytesPerSecond: number | null;
  /** Events that were not read yet. */
  lag: number | null;
  /** Events that are not committed yet. */
  uncommitted: number | null;
  /** The most by which a lane's event time is behind the clock. */
  watermarkLagSeconds: number | null;
  openSessions: number | null;
  commits: number | null;
  commitsPerSecond: number | null;
  committedRows: number | null;
  tableVersion: number | null;
  /** By reason, those of which there are any, the most first. */
  deadLetters: { reason: string; letters: number }[];
  followers: FollowerFigures[];
  memory: MemoryFigures;
  /** Cores that it kept busy. */
  cpuCores: number | null;
  lanes: LaneFigures[];
  /** Lanes that an engine with very many tells nothing of. */
  lanesLeftOut: number;
}

export interface EngineAbout {
  version: string;
  engine: string;
  topic: string;
  group: string;
  model: string;
  table: string;
}

export interface FollowerFigures {
  name: string;
  behind: number;
  unit: string;
  lagSeconds: number | null;
  isInTrouble: boolean;
}

export interface MemoryFigures {
  /** Of the process. */
  residentBytes: number | null;
  heapBytes: number | null;
  /** Of open sessions, and what they may take. */
  sessionBytes: number | null;
  sessionLimitBytes: number | null;
  /** What the settings allow in all. */
  plannedBytes: number | null;
}

export interface LaneFigures {
  partition: number;
  worker: number;
  state: 'halted' | 'replaying' | 'running';
  /** Behind the last event that was handed to the worker. */
  offset: number;
  eventsPerSecond: number | null;
  lag: number | null;
  /** ms since 1970; null: it has seen no event. */
  watermarkMs: number | null;
  watermarkLagSeconds: number | null;
  /** Of its worker's ring, 0 to 1. */
  ringFill: number | null;
  openSessions: number | null;
}

/** `before`: an earlier answer of the same engine, for rates. */
export function figuresOf(answer: EngineAnswer, before: EngineAnswer | null): EngineFigures {
  const now = new Series(answer.samples);
  const then = before === null ? null : new Series(before.samples);
  const overSeconds = overOf(now, then);
  const rate = (name: string): number | null => growth(now.sum(name), then?.sum(name), overSeconds);
  const lanes = lanesOf(now, then, overSeconds);
  const watermarkLags = lanes.flatMap(({ watermarkLagSeconds }) => watermarkLagSeconds ?? []);
  return {
    url: answer.url,
    about: aboutOf(now),
    isReady: answer.readiness.ready,
    reasons: answer.readiness.reasons,
    warnings: answer.readiness.warnings,
    uptimeSeconds: now.sum('headrace_uptime_seconds'),
    overSeconds,
    events: now.sum('headrace_events_total'),
    eventsPerSecond: rate('headrace_events_total'),
    bytesPerSecond: rate('headrace_event_bytes_total'),
    lag: now.sum('headrace_lag_events'),
    uncommitted: now.sum('kafka_consumergroup_lag_sum'),
    watermarkLagSeconds: watermarkLags.length === 0 ? null : Math.max(...watermarkLags),
    openSessions: now.sum('headrace_open_sessions'),
    commits: now.sum('headrace_commits_total'),
    commitsPerSecond: rate('headrace_commits_total'),
    committedRows: now.sum('headrace_committed_rows_total'),
    tableVersion: now.sum('headrace_table_version'),
    deadLetters: deadLettersOf(now),
    followers: followersOf(now),
    memory: {
      residentBytes: now.sum('process_resident_memory_bytes'),
      heapBytes: now.sum('nodejs_heap_size_used_bytes'),
      sessionBytes: now.sum('headrace_session_memory_bytes'),
      sessionLimitBytes: now.sum('headrace_session_memory_limit_bytes'),
      plannedBytes: now.sum('headrace_memory_planned_bytes'),
    },
    cpuCores: rate('headrace_cpu_seconds_total'),
    lanes,
    lanesLeftOut: now.sum('headrace_lanes_without_series') ?? 0,
  };
}

/** An exposition by the names of its metrics. */
class Series {
  readonly #byName = new Map<string, Sample[]>();

  constructor(samples: readonly Sample[]) {
    for (const sample of samples) {
      const own = this.#byName.get(sample.name);
      if (own === undefined) this.#byName.set(sample.name, [sample]);
      else own.push(sample);
    }
  }

  all(name: string): readonly Sample[] {
    return this.#byName.get(name) ?? [];
  }

  /** Of all series of the name; null: there is none. */
  sum(name: string): number | null {
    const own = this.all(name);
    return own.length === 0 ? null : own.reduce((total, { value }) => total + value, 0);
  }

  /** Values by one of the labels. */
  by(name: string, label: string): ReadonlyMap<string, number> {
    return new Map(this.all(name).map(({ labels, value }) => [labels.get(label) ?? '', value]));
  }
}

/** An engine answers twice within a moment with the same: then there is no time between the two. */
function overOf(now: Series, then: Series | null): number | null {
  const [up, before] = [now.sum('headrace_uptime_seconds'), then?.sum('headrace_uptime_seconds')];
  if (up === null || before === null || before === undefined || up <= before) return null;
  return up - before;
}

/** Null where one is not known; below nothing where a count began anew. */
function growth(
  now: number | null | undefined,
  before: number | null | undefined,
  overSeconds: number | null,
): number | null {
  if (overSeconds === null || now === null || now === undefined || before === null || before === undefined) {
    return null;
  }
  return now < before ? null : (now - before) / overSeconds;
}

function aboutOf(now: Series): EngineAbout | null {
  const [info] = now.all('headrace_info');
  if (info === undefined) return null;
  const of = (label: string) => info.labels.get(label) ?? '';
  return {
    version: of('version'),
    engine: of('engineId'),
    topic: of('topic'),
    group: of('group'),
    model: of('model'),
    table: of('table'),
  };
}

function deadLettersOf(now: Series): EngineFigures['deadLetters'] {
  return [...now.by('headrace_dead_letters_total', 'reason')]
    .filter(([, letters]) => letters > 0)
    .map(([reason, letters]) => ({ reason, letters }))
    .sort((a, b) => b.letters - a.letters || (a.reason < b.reason ? -1 : 1));
}

function followersOf(now: Series): FollowerFigures[] {
  const lags = now.by('headrace_follower_lag_seconds', 'follower');
  const troubles = now.by('headrace_follower_trouble', 'follower');
  return now.all('headrace_follower_behind').map(({ labels, value }) => {
    const name = labels.get('follower') ?? '';
    return {
      name,
      behind: value,
      unit: labels.get('unit') ?? '',
      lagSeconds: lags.get(name) ?? null,
      isInTrouble: (troubles.get(name) ?? 0) > 0,
    };
  });
}

function lanesOf(now: Series, then: Series | null, overSeconds: number | null): LaneFigures[] {
  const of = (name: string) => now.by(name, 'partition');
  const before = then?.by('headrace_lane_position', 'partition');
  const [used, capacity] = ['used', 'capacity'].map((what) =>
    now.by(`headrace_ring_${what}_bytes`, 'worker'),
  );
  const [lags, halted, replaying] = [
    of('headrace_lane_lag_events'),
    of('headrace_lane_halted'),
    of('headrace_lane_replaying_seconds'),
  ];
  const [watermarks, behind, sessions] = [
    of('headrace_lane_watermark_seconds'),
    of('headrace_lane_event_time_lag_seconds'),
    of('headrace_lane_open_sessions'),
  ];
  return now.all('headrace_lane_position').map(({ labels, value: offset }) => {
    const [partition, worker] = [labels.get('partition') ?? '', labels.get('worker') ?? ''];
    const [inRing, room] = [used!.get(worker), capacity!.get(worker)];
    const watermark = watermarks.get(partition);
    return {
      partition: Number(partition),
      worker: Number(worker),
      state: halted.get(partition) === 1 ? 'halted' : replaying.has(partition) ? 'replaying' : 'running',
      offset,
      eventsPerSecond: growth(offset, before?.get(partition), overSeconds),
      lag: lags.get(partition) ?? null,
      watermarkMs: watermark === undefined ? null : Math.round(watermark * 1_000),
      watermarkLagSeconds: behind.get(partition) ?? null,
      ringFill: inRing === undefined || room === undefined || room === 0 ? null : inRing / room,
      openSessions: sessions.get(partition) ?? null,
    };
  });
}
